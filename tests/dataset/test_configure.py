"""From what a person types to a configuration."""

import re
from pathlib import Path

import pytest

from rldf.dataset.class_axis import check_world, object_axis, refuse_same_sentences, with_nouns
from rldf.dataset.classes import Label
from rldf.dataset.config import imagenet_config, user_config
from rldf.dataset.imagenet import imagenet_labels
from rldf.dataset.plan import make_plan
from rldf.dataset.presets import load_preset, with_preset
from rldf.errors import ConfigError, GrammarError, ModelMissingError, UsageError
from rldf.grammar.grammar import check_grammar, load_grammar
from rldf.models.model_sets import load_model_set

ROOT = Path(__file__).parents[2]
DRAWN = load_model_set(str(ROOT / "tests" / "drawn.yaml"))
POCKET = load_model_set("pocket")
SPLITS = {"train": 4, "val": 1}
TENNIS = Label(
    "n04409515", "tennis ball", "ball about the size of a fist; used in tennis", "a ball"
)

OPEN = """
name: open
productions: {S: '"a photo of" Noun Scene'}
axes:
  Noun: {reads: object, values: {cat: {text: a cat, labels: [cat]}}}
  Scene: {reads: attribute, values: {anywhere: {text: ""}, park: {text: in a park}}}
"""


@pytest.fixture
def real(tmp_path):
    """A model set that draws any sentence; its files are not there and are not needed."""
    file = tmp_path / "real.yaml"
    file.write_text(
        "name: real\n"
        "generator: {class: diffusion, options: {guidance: 2.0, negative_prompt: ''}}\n"
        "detector: {class: yolo, path: yolo.onnx}\n"
        "scene: {class: image-classification, path: scene}\n"
        "clip: {class: open-clip, path: clip}\n"
    )
    return load_model_set(str(file))


def test_pocket_draws_its_own_nouns_in_its_own_words():
    config = imagenet_config(POCKET, classes="20", splits=SPLITS)
    keys = [label.key for label in config.classes]
    assert len(keys) == 20
    assert keys == sorted(keys)
    assert config.grammar == load_grammar("pocket")
    plan, world = make_plan(config), load_grammar("pocket")
    for i in range(len(plan)):
        image = plan.image(i)
        assert world.parse(image.sentence) == image.encoding
        assert image.key.startswith("n")


def test_without_a_number_all_that_can_be_drawn_is():
    assert len(imagenet_config(DRAWN, splits=SPLITS).classes) == 23
    assert len(imagenet_config(DRAWN, splits=SPLITS, grammar="base").classes) == 8


def test_more_classes_than_can_be_drawn_end_with_what_to_type():
    with pytest.raises(UsageError) as caught:
        imagenet_config(POCKET, classes="100", splits=SPLITS)
    said = str(caught.value)
    assert said.startswith("--classes 100: model set pocket has 23 classes: type ")
    commands = re.findall(r"'(rldf [^']*)'", said)
    assert commands[0] == "rldf clone-imagenet --classes 23 --models pocket"
    assert commands[1] == "rldf models pull sd14"
    assert commands[2] == "rldf clone-imagenet --classes 100 --models sd14"
    with pytest.raises(UsageError) as caught:
        imagenet_config(POCKET, classes="2000", splits=SPLITS)
    assert re.findall(r"'(rldf [^']*)'", str(caught.value)) == commands[:1]
    with pytest.raises(UsageError, match="model set drawn has 23 classes: type --classes 23, or"):
        imagenet_config(DRAWN, classes="100", splits=SPLITS)


def test_a_file_of_classes(tmp_path):
    path = tmp_path / "classes.txt"
    path.write_text("zebra\nn07753592\n")
    config = imagenet_config(DRAWN, classes=str(path), splits=SPLITS)
    assert [(label.key, label.name) for label in config.classes] == [
        ("n02391049", "zebra"),
        ("n07753592", "banana"),
    ]
    path.write_text("n02085620\n")
    with pytest.raises(UsageError, match="line 1: 'n02085620' is no class of model set drawn"):
        imagenet_config(DRAWN, classes=str(path), splits=SPLITS)


def test_real_models_draw_any_class_with_its_definition(real):
    plan = make_plan(imagenet_config(real, classes="100", splits=SPLITS, preset="train"))
    assert len(plan) == 500
    chihuahua = next(plan.image(i) for i in range(500) if plan.image(i).key == "n02085620")
    assert chihuahua.sentence.startswith("a photo of a Chihuahua (an old breed of tiny short-hair")
    paper = make_plan(imagenet_config(real, classes="100", splits=SPLITS, preset="paper"))
    media = {paper.image(i).sentence.split(" of ")[0] for i in range(500)}
    assert media >= {"a photo", "a cartoon", "an oil painting"}


def test_people_alone_vary_by_what_people_are(real):
    plan = make_plan(imagenet_config(real, splits={"train": 30}, preset="paper"))
    person = {"Gender", "Race", "Age", "Emotion"}
    place = {label.key: n for n, label in enumerate(plan.classes)}
    for key, varies in (
        ("n09835506", person),
        ("n10148035", person - {"Gender"}),
        ("n02391049", set()),
    ):
        found = [plan.grammar.decode(plan.image(place[key] + 1000 * k).encoding) for k in range(30)]
        assert {
            symbol for symbol in person if len({words[symbol] for words in found}) > 1
        } == varies


def test_animals_are_in_plausible_places(real):
    plan = make_plan(imagenet_config(real, splits={"train": 30}, preset="train"))
    shark = next(n for n, label in enumerate(plan.classes) if label.name == "great white shark")
    found = [plan.grammar.decode(plan.image(shark + 1000 * k).encoding) for k in range(30)]
    assert {words["Scene"] for words in found} == {"under water", "sea", "deep ocean", "aquarium"}
    assert {words["Medium"] for words in found} == {"photo"}


def test_the_configuration_names_what_draws_with_the_presets_options(real):
    assert imagenet_config(real, classes="1", splits=SPLITS).models == {
        "name": "real",
        "generator": {
            "class": "diffusion",
            "options": real.file.generator.options,
            "weights": None,
        },
    }
    generator = imagenet_config(POCKET, classes="1", splits=SPLITS, preset="paper").models[
        "generator"
    ]
    assert generator["options"] == {
        "steps": 20,
        "guidance": 3.0,
        "size": 128,
        "negative_prompt": "",
    }
    assert re.fullmatch(r"[0-9a-f]{64}", generator["weights"])


def test_a_world_cannot_draw_other_grammars():
    with pytest.raises(ConfigError, match=r"cannot draw 'a photo of a tench' .*--grammar pocket"):
        imagenet_config(DRAWN, splits=SPLITS, grammar="imagenet")
    check_world(load_grammar("base"), load_grammar("pocket"), "pocket")


def test_classes_take_the_place_of_an_open_grammars_nouns(real, tmp_path):
    path = tmp_path / "open.yaml"
    path.write_text(OPEN)
    plan = make_plan(imagenet_config(real, classes="3", splits={"train": 2}, grammar=str(path)))
    assert {len(plan.image(i).sentence) > 12 for i in range(6)} == {True}
    grammar = with_nouns(load_grammar(str(path)), [TENNIS], definitions=True)
    assert grammar.derive((0, 1)) == "a photo of a ball (ball about the size of a fist) in a park"
    assert with_nouns(grammar, [TENNIS], definitions=False).derive((0, 0)) == "a photo of a ball"


@pytest.mark.parametrize("name", ["base", "paper", "pocket"])
def test_a_grammar_that_counts_its_nouns_takes_no_classes(name):
    with pytest.raises(ConfigError, match=r"counts its nouns .*type --grammar imagenet"):
        with_nouns(load_grammar(name), [TENNIS], definitions=False)


def test_a_grammar_whose_words_agree_with_its_nouns_takes_no_classes():
    text = OPEN.replace("Noun Scene'", "ART Noun Scene'").replace("{text: a cat,", "{form: a,")
    grammar, problems = check_grammar(
        text + "terminals: {ART: {a: a, an: an}}\nagreement: {ART: Noun}\n"
    )
    assert not problems
    with pytest.raises(ConfigError, match="words that agree with them"):
        with_nouns(grammar, [TENNIS], definitions=False)


def test_a_grammar_without_objects_has_no_classes():
    grammar, _ = check_grammar(OPEN.replace("reads: object", "reads: attribute"))
    with pytest.raises(ConfigError, match="no axis that reads an object"):
        object_axis(grammar)


def test_a_persons_own_classes():
    config = user_config(
        DRAWN,
        found=[("My Zebras", "zebra"), ("", "dog")],
        grammar=load_grammar("pocket"),
        splits=SPLITS,
    )
    assert [label.key for label in config.classes] == ["dog", "my-zebras"]
    plan = make_plan(config)
    nouns = [plan.grammar.decode(plan.image(i).encoding)["Noun"] for i in range(2)]
    assert nouns == ["dog", "zebra"]


def test_a_persons_classes_are_of_the_grammar_and_the_world():
    with pytest.raises(GrammarError, match="axis Noun has no value 'unicorn'"):
        user_config(DRAWN, found=[("", "unicorn")], grammar=load_grammar("base"), splits=SPLITS)
    with pytest.raises(ConfigError, match="cannot draw"):
        user_config(DRAWN, found=[("", "zebra")], grammar=load_grammar("imagenet"), splits=SPLITS)
    with pytest.raises(UsageError, match="nothing was found to make a class of"):
        user_config(DRAWN, found=[], grammar=load_grammar("pocket"), splits=SPLITS)


def test_a_shipped_set_of_real_models_has_to_be_pulled_before_it_is_planned_for():
    with pytest.raises(ModelMissingError, match="type 'rldf models pull sd14'"):
        imagenet_config(load_model_set("sd14"), classes="100", splits=SPLITS)


def test_a_preset_comes_before_what_is_only_usual_of_a_set():
    sd14, turbo = load_model_set("sd14"), load_model_set("z-image-turbo")
    assert sd14.file.generator.settings["guidance"] == 7.5
    assert with_preset(sd14, load_preset("train")).file.generator.settings["guidance"] == 2.0
    assert with_preset(turbo, load_preset("train")).file.generator.settings["guidance"] == 0.0


@pytest.mark.parametrize(
    ("nouns", "sentence"),
    [
        (("a crane", "a crane"), "a photo of a crane"),
        (("a Crane", "a crane"), "a photo of a crane"),  # no text encoder tells these apart
        (("a crane", "a crane in a park"), "a photo of a crane in a park"),
    ],
)
def test_no_two_classes_have_a_sentence_in_common(nouns, sentence):
    labels = [Label(f"n0000000{n}", f"name {n}", noun=noun) for n, noun in enumerate(nouns)]
    open_grammar, problems = check_grammar(OPEN)
    assert not problems
    grammar = with_nouns(open_grammar, labels, definitions=False)
    with pytest.raises(UsageError) as told:
        refuse_same_sentences(grammar, labels)
    for words in ("n00000000 (name 0)", "n00000001 (name 1)", "are both"):
        assert words in str(told.value)
    assert sentence in str(told.value).casefold()
    assert "\n" not in str(told.value)
    refuse_same_sentences(grammar, labels[:1])


def test_two_classes_of_one_noun_are_refused(real):
    for models, grammar in ((DRAWN, "pocket"), (real, "base")):
        with pytest.raises(UsageError, match=r"a \(A\) and b \(B\) are both .*zebra"):
            user_config(
                models,
                found=[("A", "zebra"), ("B", "zebra")],
                grammar=load_grammar(grammar),
                splits=SPLITS,
            )


@pytest.mark.parametrize("definitions", [True, False])
def test_no_two_classes_of_imagenet_have_a_sentence_in_common(definitions):
    labels = imagenet_labels()
    refuse_same_sentences(
        with_nouns(load_grammar("imagenet"), labels, definitions=definitions), labels
    )
