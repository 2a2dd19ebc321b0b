"""The grammar: a vector derives one sentence, and the sentence parses back to it."""

import itertools
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rldf.errors import GrammarError
from rldf.grammar.encoding import fits
from rldf.grammar.grammar import Grammar, check_grammar, load_grammar

BASE = load_grammar("base")
POCKET = load_grammar("pocket")
GUIDE = Path(__file__).parents[2] / "docs" / "writing-a-grammar.md"

SMALL = """
name: small
productions: {S: Size Noun PM Density}
terminals: {PM: {singular: person, plural: people}}
agreement: {PM: Density}
axes:
  Size: {reads: attribute, values: {small: {}, large: {}}}
  Noun:
    reads: object
    values: {dog: {labels: [dog]}, cat: {labels: [cat]}}
  Density:
    reads: people_count
    values: {no: {count: [0, 0], form: plural}, one: {count: [1, null], form: singular}}
people: [person]
"""


def problems_after(old: str, new: str) -> list[str]:
    """Change the small grammar in one place and list what is wrong with it then."""
    assert old in SMALL
    grammar, problems = check_grammar(SMALL.replace(old, new))
    assert (grammar is None) == bool(problems)
    return problems


def assert_inverse(grammar: Grammar, encoding: tuple[int, ...]) -> None:
    sentence = grammar.derive(encoding)
    assert grammar.parse(sentence) == encoding
    assert grammar.encode(grammar.decode(encoding)) == encoding
    assert sentence == " ".join(sentence.split())


@pytest.mark.parametrize(("name", "n_states"), [("base", 480), ("paper", 270)])
def test_encode_derive_and_parse_are_inverse_on_every_state(name: str, n_states: int) -> None:
    grammar = load_grammar(name)
    states = list(itertools.product(*map(range, grammar.shape)))
    assert len(states) == grammar.n_states == n_states
    assert len({grammar.derive(state) for state in states}) == n_states
    for state in states:
        assert_inverse(grammar, state)


@given(st.tuples(*(st.integers(0, size - 1) for size in POCKET.shape)))
def test_sampled_states_of_the_pocket_grammar_are_inverse(encoding: tuple[int, ...]) -> None:
    assert_inverse(POCKET, encoding)


def test_a_sentence_of_base_is_a_sentence_of_pocket() -> None:
    for state in itertools.product(*map(range, BASE.shape)):
        POCKET.parse(BASE.derive(state))


@pytest.mark.parametrize(
    ("encoding", "sentence"),
    [
        ((0, 0, 0, 0), "a photo of one banana and no people in a vegetable garden"),
        ((1, 4, 1, 4), "a photo of many dogs and one person on a beach"),
        ((1, 8, 2, 7), "a photo of many airplanes and many people on a train station platform"),
    ],
)
def test_surface_forms_agree(encoding: tuple[int, ...], sentence: str) -> None:
    assert BASE.derive(encoding) == sentence


def test_the_paper_grammar_has_no_agreement() -> None:
    sentence = load_grammar("paper").derive((1, 3, 1, 1))
    assert sentence == "a photo of many monkey and one people in farm"


def test_a_bare_no_is_a_word() -> None:
    assert [value.name for value in BASE.axis("Density").values] == ["no", "one", "many"]
    assert BASE.decode((0, 0, 0, 0))["Density"] == "no"


def test_a_name_of_several_words_is_one_value() -> None:
    sentence = POCKET.derive(
        POCKET.parse("a photo of one hot dog with a dog and no people by a lake")
    )
    assert POCKET.decode(POCKET.parse(sentence))["Noun"] == "hot dog"


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "a photo of",
        "a photo of one dogs and no people in a park",
        "a photo of one dog and one people in a park",
        "a photo of one dog and no people on a park",
        "a photo of one dog and no people in a park at night",
        "A photo of one dog and no people in a park",
    ],
)
def test_parse_refuses_what_no_state_derives(sentence: str) -> None:
    with pytest.raises(
        GrammarError, match="is not a sentence of grammar base; one such is 'a photo"
    ):
        BASE.parse(sentence)


def test_parse_takes_any_white_space() -> None:
    assert BASE.parse("  a photo of\tone dog and\nno people in a park ") == (0, 4, 0, 2)


@pytest.mark.parametrize("encoding", [(), (0, 0, 0), (0, 0, 0, 8), (-1, 0, 0, 0), (0, 0, 0, 0, 0)])
def test_a_vector_outside_the_grid_is_refused(encoding: tuple[int, ...]) -> None:
    with pytest.raises(GrammarError, match="shape is 2 x 10 x 3 x 8"):
        BASE.derive(encoding)


def test_encode_names_what_is_missing_or_unknown() -> None:
    with pytest.raises(GrammarError, match="check: Colour, Scene"):
        BASE.encode({"Frequency": "one", "Noun": "dog", "Density": "no", "Colour": "red"})
    with pytest.raises(GrammarError, match="axis Noun has no value 'wolf'; it has: banana"):
        BASE.encode({"Frequency": "one", "Noun": "wolf", "Density": "no", "Scene": "park"})


def test_an_unknown_grammar_is_answered_with_the_known_ones() -> None:
    with pytest.raises(
        GrammarError, match="name one of base, coco-places, imagenet, paper, photo, pocket"
    ):
        load_grammar("nope")


def test_the_small_grammar_is_right() -> None:
    assert problems_after("small: {}", "small: {}") == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("name: small", "name: small\nnam: x", "nam: unknown key"),
        ("dog: {labels", "dog: {lable: [x], labels", "axes.Noun.values.dog.lable: unknown key"),
        ("small: {}, ", "small: {}, small: {}, ", "axes.Size.values.small: stands twice (line 7)"),
        ("S: Size Noun", "S: Noun", "axes.Size: no production uses it"),
        ("S: Size", "S: Size Size", "axes.Size: the start rule uses it 2 times"),
        ("S: Size", "S: Size X", "productions.S: 'X' is no production, terminal or axis"),
        ("S: Size", "S: Size '", None),
        ("{S: Size Noun", "{A: B, B: A, S: A Size Noun", "derives itself"),
        ("name: small", "name: small\nstart: Q", "start: 'Q' is no production"),
        ("[cat]", "[cat, dog]", "axes.Noun.values.cat.labels: 'dog' is a label of 'dog' too"),
        ("[cat]", "[person]", "axes.Noun.values.cat.labels: 'person' is a label of 'people' too"),
        ("[cat]", "[]", "axes.Noun.values.cat.labels: a value that reads object needs"),
        ("large: {}", "large: {text: small}", "axes.Size.values.large: reads 'small', as 'small'"),
        ("[1, null]", "[2, null]", "axes.Density.values.one.count: must start at 1"),
        ("[1, null]", "[1, 1]", "axes.Density.values.one.count: the last bin alone"),
        ("{count: [0, 0], form: plural}", "{form: plural}", "no.count: a count axis needs"),
        ("singular: person, ", "", "'terminals.PM' has no form 'singular' that Density asks for"),
        ("agreement: {PM: Density}", "", "terminals.PM: has forms, so `agreement` must say"),
        ("{PM: Density}", "{PM: Dense}", "agreement.PM: 'Dense' is no axis"),
        ("{PM: Density}", "{PM: Density, Q: Size}", "agreement.Q: 'Q' is no axis or terminal"),
        ("people: [person]", "", "people: must name the detector's labels of people"),
        ("reads: attribute", "reads: object_count", "axes.Size.values.small.count: a count axis"),
        (
            "{reads: attribute, values: {small: {}, large: {}}}",
            "{reads: object_count, rank: 2, values: {no: {count: [0, 0]}, a: {count: [1, null]}}}",
            "axes.Size: counts object 2, and no axis reads object 2",
        ),
        (
            "{reads: attribute, values: {small: {}, large: {}}}",
            "{reads: action, values: {sitting: {}}}",
            "axes.Size.values: an action axis needs two verbs or more",
        ),
        (
            "{reads: attribute, values: {small: {}, large: {}}}",
            "{reads: action, values: {}}",
            "axes.Size.values: Dictionary should have at least 1 item",
        ),
        ("reads: attribute", "reads: object", "axes.Noun: reads object 1, as 'Size' does"),
        ("reads: attribute", "reads: colour", "axes.Size.reads: 'colour' is no kind of axis"),
        ("{S: Size", "{S: Noun, Noun: Size", "axes.Noun: 'Noun' names a production"),
    ],
)
def test_each_problem_is_told_with_its_dotted_path(old: str, new: str, problem: str | None) -> None:
    problems = problems_after(old, new)
    if problem is None:
        assert problems
    else:
        assert any(problem in told for told in problems), problems


def test_an_action_axis_without_people_is_a_problem() -> None:
    text = SMALL.replace("reads: attribute", "reads: action").replace("people: [person]", "")
    text = text.replace("reads: people_count", "reads: attribute")
    assert check_grammar(text)[1] == [
        "people: must name the detector's labels of people, who are counted and act"
    ]


def test_the_counts_of_a_first_object_begin_at_one_and_those_of_a_second_may_begin_at_none() -> (
    None
):
    text = (
        "name: two\nproductions: {{S: Noun Count}}\naxes:\n"
        "  Noun: {{reads: object, rank: {0}, values: {{dog: {{labels: [dog]}}}}}}\n"
        "  Count:\n    reads: object_count\n    rank: {0}\n"
        "    values: {{no: {{count: [0, 0]}}, one: {{count: [1, null]}}}}\n"
    )
    assert check_grammar(text.format(1))[1] == [
        "axes.Count.values.no.count: must start at 1 and not end below it"
    ]
    assert check_grammar(text.format(2))[1] == []


def test_coco_places_holds_every_class_and_place_once_and_loads_at_once() -> None:
    started = time.perf_counter()
    grammar = load_grammar("coco-places")
    assert time.perf_counter() - started < 5  # 0.2 s on an idle core; a square in 365 takes more
    assert grammar.shape == (2, 79, 3, 365)
    for axis in (grammar.axis("Noun"), grammar.axis("Scene")):
        for i in range(len(axis.values)):
            here = [i if one is axis else 0 for one in grammar.axes]
            assert_inverse(grammar, tuple(here))
    articles = [v.forms[""].split()[:2] for v in grammar.axis("Scene").values]
    an = [words[1] for words in articles if words[0] == "an"]
    a = [words[1] for words in articles if words[0] == "a"]
    assert all(word[0] in "aeioAEIO" for word in an)
    assert [word for word in a if word[0] in "aeiouAEIOU"] == ["utility"]


@pytest.mark.parametrize(
    ("scene", "words"),
    [
        ("airport terminal", "in an airport terminal"),
        ("wild field", "in a wild field"),
        ("cultivated field", "in a cultivated field"),
        ("church", "in front of a church"),
        ("nave of a church", "in the nave of a church"),
        ("train station platform", "on a train station platform"),
        ("bus station", "at a bus station"),
        ("river", "by a river"),
    ],
)
def test_coco_places_says_where_in_english(scene: str, words: str) -> None:
    derivation = {"Frequency": "one", "Noun": "broccoli", "Density": "no", "Scene": scene}
    grammar = load_grammar("coco-places")
    sentence = grammar.derive(grammar.encode(derivation))
    assert sentence == f"a photo of one head of broccoli and no people {words}"


def test_imagenet_has_a_thousand_classes_in_the_order_of_their_wnids() -> None:
    grammar = load_grammar("imagenet")
    wnids = [value.wnid for value in grammar.axis("Noun").values]
    assert len(set(wnids)) == 1000
    assert wnids == sorted(wnids, key=str)
    assert_inverse(grammar, tuple(size - 1 for size in grammar.shape))


def test_an_open_quote_is_a_problem() -> None:
    _, problems = check_grammar(
        SMALL.replace("{S: Size", "{S: '\"a Size").replace("Density}\nt", "Density'}\nt")
    )
    assert "productions.S: a quote is not closed" in problems


def test_all_problems_are_told_at_once_with_the_file(tmp_path: Path) -> None:
    text = SMALL.replace("name: small", "name: small\nnam: x")
    text = text.replace("small: {}, ", "small: {}, small: {}, ").replace("S: Size Noun", "S: Noun")
    text = text.replace("[cat]", "[cat, dog]").replace("[1, null]", "[2, null]")
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(GrammarError) as caught:
        load_grammar(str(path))
    message = str(caught.value)
    assert message.startswith(f"grammar {path}: ")
    assert "\n" not in message
    for part in (
        "nam: unknown key",
        "axes.Size.values.small: stands twice",
        "axes.Size: no production uses it",
        "axes.Noun.values.cat.labels: 'dog' is a label of 'dog' too",
        "axes.Density.values.one.count: must start at 1",
    ):
        assert part in message


def test_a_grammar_that_carries_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.yaml"
    mark = tmp_path / "mark"
    path.write_text(f"name: !!python/object/apply:os.system ['touch {mark}']")
    with pytest.raises(GrammarError, match="not valid YAML"):
        load_grammar(str(path))
    assert not mark.exists()


def test_a_sentence_with_two_readings_is_a_problem() -> None:
    grammar, problems = check_grammar(
        """
        name: twice
        productions: {S: A B}
        axes:
          A: {reads: attribute, values: {none: {text: ""}, red: {}}}
          B: {reads: attribute, values: {none: {text: ""}, red: {}, blue: {}}}
        """
    )
    assert grammar is None
    assert problems == ["productions: 'red' is derived by 0,1 and by 1,0"] or problems == [
        "productions: 'red' is derived by 1,0 and by 0,1"
    ]


def test_two_readings_that_agreement_keeps_apart_are_no_problem() -> None:
    grammar, problems = check_grammar(
        """
        name: apart
        productions: {S: A B C}
        agreement: {B: C}
        axes:
          A: {reads: attribute, values: {none: {text: ""}, red: {}}}
          B:
            reads: attribute
            values: {none: {text: {x: "", y: plain}}, red: {text: {x: blue, y: red}}}
          C: {reads: attribute, values: {left: {form: x}, right: {form: y}}}
        """
    )
    assert problems == []
    assert grammar is not None
    for state in itertools.product(*map(range, grammar.shape)):
        assert_inverse(grammar, state)


def test_a_rule_that_doubles_forty_times_is_refused_at_once() -> None:
    rules = "\n".join(f"  A{i}: A{i + 1} A{i + 1}" for i in range(40))
    text = SMALL.replace(
        "productions: {S: Size Noun PM Density}",
        f"productions:\n  S: Size Noun PM Density A0\n{rules}\n  A40: '\"x\"'",
    )
    assert check_grammar(text)[1] == ["productions.S: derives more than 1000 symbols"]


EXAMPLES = re.findall(r"```yaml\n(name: .*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
SENTENCES = re.findall(r"^ +([\d,]+)  (an? .*)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_examples_of_the_guide_derive_the_sentences_of_the_guide() -> None:
    grammars = []
    for text in EXAMPLES:
        grammar, problems = check_grammar(text)
        assert problems == []
        assert grammar is not None
        grammars.append(grammar)
    assert [grammar.name for grammar in grammars] == ["fruit", "pairs", "portraits"]
    assert len(SENTENCES) >= 3 * len(grammars)
    for vector, sentence in SENTENCES:
        encoding = tuple(map(int, vector.split(",")))
        derived = [g for g in grammars if len(g.axes) == len(encoding)]
        derived = [g for g in derived if fits(encoding, g.shape) and g.derive(encoding) == sentence]
        assert len(derived) == 1, sentence
        assert derived[0].parse(sentence) == encoding
