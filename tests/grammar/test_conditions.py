"""Axes that depend on another one: sentences, moves and searches leave them out where unused."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rldf.agents.tables import Tables, best_cells
from rldf.grammar.grammar import check_grammar, load_grammar
from rldf.gridworld import Gridworld
from rldf.perception.encoder import Encoder
from tests.doubles import Scripted, picture, thing

TOYS = """
name: toys
productions: {S: '"a" Colour Noun "with" Count Other'}
agreement: {Other: Count}
axes:
  Colour:
    reads: attribute
    when: {Noun: [ball, kite]}
    values: {any: {text: ""}, red: {}, blue: {}}
  Noun:
    reads: object
    values: {cat: {labels: [cat]}, ball: {labels: [ball]}, kite: {labels: [kite]}}
  Count:
    reads: object_count
    rank: 2
    unless: {Other: [nothing]}
    values: {one: {count: [1, 1], form: singular}, two: {count: [2, null], form: plural}}
  Other:
    reads: object
    rank: 2
    from: Noun
    values: {nothing: {}}
"""


def toys():
    grammar, problems = check_grammar(TOYS.replace("nothing: {}", "nothing: {text: nothing else}"))
    assert problems == []
    return grammar


def test_every_sentence_is_read_back_to_its_state_without_unused_words():
    grammar = toys()
    states = list(itertools.product(*map(range, grammar.shape)))
    canonical = {grammar.canonical(state) for state in states}
    # cat: no colour; ball, kite: 3 each; nothing: no count; 3 others: 2 each
    assert len(canonical) == (1 + 3 + 3) * (1 + 2 * 3) < len(states)
    assert len({grammar.derive(state) for state in canonical}) == len(canonical)
    for state in states:
        assert grammar.parse(grammar.derive(state)) == grammar.canonical(state)
        assert grammar.canonical(grammar.canonical(state)) == grammar.canonical(state)
    assert grammar.derive((1, 0, 1, 0)) == "a cat with nothing else"
    assert grammar.derive((1, 1, 1, 1)) == "a red ball with two cat"


def test_shared_values_are_those_of_the_other_axis_after_the_own_ones():
    grammar = toys()
    assert [v.name for v in grammar.axis("Other").values] == ["nothing", "cat", "ball", "kite"]
    base, pocket = load_grammar("base"), load_grammar("pocket")
    for symbol in ("Noun", "Scene"):
        assert all(value in pocket.axis(symbol).values for value in base.axis(symbol).values)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("when: {Noun: [ball, kite]}", "when: {Nuon: [ball]}", "Colour.when: 'Nuon' is no other"),
        ("when: {Noun: [ball, kite]}", "when: {Colour: [red]}", "Colour.when: 'Colour' is no oth"),
        ("when: {Noun: [ball, kite]}", "when: {Noun: [bal]}", "when.Noun: has no value 'bal'"),
        ("when: {Noun: [ball, kite]}", "when: {Noun: []}", "when.Noun: names no value"),
        ("when: {Noun: [ball, kite]}", "when: {Count: [one]}", "Count has a condition itself"),
        ("    from: Noun", "    when: {Count: [two]}\n    from: Noun", "Count depends on itself"),
        ("agreement:", "omit: {A: []}\nagreement:", "omit.A: is no terminal"),
        ("agreement:", "omit: {A: [{Nuon: [cat]}]}\nagreement:", "omit.A: 'Nuon' is no axis"),
        ("agreement:", "omit: {A: [{Noun: [cow]}]}\nagreement:", "omit.A.Noun: has no value 'cow'"),
        ("agreement:", "omit: {A: [{Count: [one]}]}\nagreement:", "Count has a condition itself"),
        (
            "unless: {Other",
            "when: {Noun: [cat]}\n    unless: {Other",
            "unless: goes without `when`",
        ),
        ("from: Noun", "from: Verb", "from: grammar toys has no axis 'Verb'"),
        ("from: Noun", "from: dreams.Noun", "from: there is no shipped grammar 'dreams'"),
        ("from: Noun", "from: Noun\n    only: [dog]", "only: Noun has no value 'dog'"),
        ("    from: Noun\n", "    only: [cat]\n", "only: goes with `from`"),
        ("from: Noun", "from: pocket.Companion", "takes its values from elsewhere"),
        # without its words, a colour of a cat would be a second reading of a sentence
        ('any: {text: ""}, red: {}', "any: {text: red}, red: {}", "reads 'red', as 'any' does"),
    ],
)
def test_each_problem_is_told_with_its_dotted_path(old, new, problem):
    text = TOYS.replace("nothing: {}", "nothing: {text: nothing else}")
    assert old in text
    grammar, problems = check_grammar(text.replace(old, new))
    assert grammar is None
    assert any(problem in told for told in problems), problems


PARK = """
name: park
productions: {S: '"a photo of" Noun A Density Gender Age C Scene'}
terminals: {A: and, C: in}
omit:
  A: [{Noun: [nothing]}, {Density: ["no"]}]
  C: [{Noun: [nothing], Density: ["no"]}]
axes:
  Noun: {reads: object, values: {nothing: {text: ""}, dogs: {labels: [dog]}}}
  Density:
    reads: people_count
    values: {no: {text: "", count: [0, 0]}, one: {count: [1, 1]}, two: {count: [2, null]}}
  Gender:
    reads: attribute
    unless: {Density: ["no"]}
    values: {anyone: {text: human}, woman: {}, man: {}, child: {}}
  Age:
    reads: attribute
    when: {Gender: [woman .. man]}
    values: {any: {text: ""}, old: {text: of age}}
  Scene: {reads: attribute, values: {park: {text: a park}, street: {text: a street}}}
people: [person]
"""


def park():
    grammar, problems = check_grammar(PARK)
    assert problems == []
    return grammar


def test_terminals_are_left_out_and_conditions_may_depend_on_conditional_axes():
    grammar = park()
    states = list(itertools.product(*map(range, grammar.shape)))
    canonical = {grammar.canonical(state) for state in states}
    assert len(canonical) == 2 * 2 * (1 + 2 * (1 + 2 + 2 + 1))
    assert len({grammar.derive(state) for state in canonical}) == len(canonical)
    for state in states:
        assert grammar.parse(grammar.derive(state)) == grammar.canonical(state)
    assert grammar.derive((0, 0, 3, 1, 1)) == "a photo of a street"
    assert grammar.derive((1, 0, 1, 1, 0)) == "a photo of dogs in a park"
    assert grammar.derive((0, 1, 1, 1, 0)) == "a photo of one woman of age in a park"
    assert grammar.derive((1, 2, 3, 1, 0)) == "a photo of dogs and two child in a park"
    world = Gridworld(grammar.shape, grammar.conditions)
    assert all(world.canonical(state) == grammar.canonical(state) for state in states)
    for a, b in itertools.product(sorted(canonical)[::5], sorted(canonical)[::3]):
        state = a
        for action in world.path(a, b) if a != b else ():
            assert world.action_mask(state)[action]
            state = world.move(state, action)
        assert state == b


def test_the_best_cells_keep_to_conditions_on_conditional_axes():
    grammar, rng = park(), np.random.default_rng(0)
    tables = Tables(axes=[rng.normal(size=n) for n in grammar.shape], pairs={})
    states = {grammar.canonical(s) for s in itertools.product(*map(range, grammar.shape))}
    ranked = sorted(states, key=lambda s: -sum(tables.axes[i][x] for i, x in enumerate(s)))
    assert best_cells(tables, 1000, grammar.conditions) == ranked


def test_a_second_reading_is_found_through_a_terminal_that_is_left_out():
    noun = "dogs: {labels: [dog]}"
    both = f"{noun}, both: {{text: dogs and one woman, labels: [pair]}}"
    (problem,) = check_grammar(PARK.replace(noun, both))[1]
    assert problem.startswith("productions: 'a photo of dogs and one woman in a ")
    always = PARK.replace('A: [{Noun: [nothing]}, {Density: ["no"]}]', "A: [{Noun: [both]}]")
    assert check_grammar(always.replace(noun, both.replace("dogs and", "dogs")))[1] == []


def test_without_its_condition_an_axis_leaves_a_sentence_with_two_readings():
    text = TOYS.replace("nothing: {}", 'nothing: {text: {singular: two, plural: ""}}').replace(
        "one: {count: [1, 1]", 'one: {text: "", count: [1, 1]'
    )
    assert check_grammar(text)[1] == []
    _, problems = check_grammar(text.replace("    unless: {Other: [nothing]}\n", ""))
    assert [told for told in problems if "is derived by" in told] == problems != []


WORLD = Gridworld((3, 3, 2, 4), toys().conditions)
POINTS = st.tuples(*(st.integers(0, n - 1) for n in WORLD.shape))


@given(POINTS, POINTS)
def test_walks_keep_to_canonical_states_and_a_path_ends_where_it_should(a, b):
    state, goal = WORLD.canonical(a), WORLD.canonical(b)
    if state == goal:
        return
    for action in WORLD.path(state, b):
        assert WORLD.action_mask(state)[action]
        state = WORLD.move(state, action)
        assert state == WORLD.canonical(state)
    assert state == goal
    assert WORLD.distance(a, b) == WORLD.distance(WORLD.canonical(a), goal) > 0


@given(st.integers(0, 2**31))
def test_the_best_cells_are_states_in_the_order_of_a_full_walk(seed):
    rng = np.random.default_rng(seed)
    tables = Tables(
        axes=[rng.normal(size=n) for n in WORLD.shape],
        pairs={(0, 1): rng.normal(size=(3, 3)), (2, 3): rng.normal(size=(2, 4))},
    )
    states = sorted({WORLD.canonical(state) for state in WORLD.states()})
    values = tables.at(np.array(states))
    wanted = [states[i] for i in np.argsort(-values)]
    assert best_cells(tables, 1000, WORLD.conditions) == wanted


def test_what_people_do_is_read_from_a_detector_that_names_it_else_by_clip():
    grammar = load_grammar("pocket")
    seen = [thing("zebra"), thing("person running"), thing("person_dancing", 0.3)]
    reading = Encoder(grammar, Scripted({1: seen}, {1: {"beach": 1.0}})).encode(picture(1))
    assert grammar.decode(reading.encoding)["Verb"] == "running"
    assert reading.record.axes["Verb"].source == "detector"
    assert reading.record.axes["Verb"].known
    plain = Encoder(grammar, Scripted({1: [thing("zebra"), thing("person")]}, {1: {"beach": 1.0}}))
    assert plain.encode(picture(1)).record.axes["Verb"].source == "CLIP"


def test_an_axis_that_the_sentence_does_not_use_is_neither_read_nor_doubted():
    grammar = load_grammar("pocket")
    reading = Encoder(grammar, Scripted({1: [thing("zebra")]}, {1: {"beach": 1.0}})).encode(
        picture(1)
    )
    assert reading.encoding == grammar.canonical(reading.encoding)
    for symbol in ("Colour", "CompanionFrequency", "Verb"):
        assert reading.record.axes[symbol].known
    assert not any("CompanionFrequency" in warning for warning in reading.record.warnings)
