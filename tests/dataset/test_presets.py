"""What presets say, and who comes first: a preset or a model set."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rldf.dataset.classes import Label, clean_key
from rldf.dataset.config import PlanConfig
from rldf.dataset.imagenet import ImageNetFile
from rldf.dataset.plan import make_plan, sentences
from rldf.dataset.presets import (
    Preset,
    kind_of_noun,
    load_preset,
    plausible,
    preset_names,
    with_preset,
)
from rldf.errors import ConfigError
from rldf.grammar.axes import Axis, Value
from rldf.grammar.grammar import load_grammar
from rldf.grammar.schema import spanned
from rldf.io.yaml import load_yaml
from rldf.models.model_sets import load_model_set

ROOT = Path(__file__).parents[2]
IMAGENET, PHOTO = load_grammar("imagenet"), load_grammar("photo")
NOUNS = [value.name for value in PHOTO.axis("Noun").values]

REAL = """
name: real
generator: {class: diffusion, path: sd, options: {steps: 20 EXTRA}}
detector: {class: yolo, path: yolo.onnx}
scene: {class: image-classification, path: scene}
clip: {class: open-clip, path: clip}
"""


def axis(reads: str = "attribute", symbol: str = "Sky", rank: int = 1) -> Axis:
    values = tuple(Value(name=name, forms={"": name}) for name in ("none", "blue", "red"))
    return Axis(symbol=symbol, reads=reads, rank=rank, values=values)


def test_the_shipped_presets():
    assert preset_names() == ["paper", "train"]
    paper, train = load_preset("paper"), load_preset("train")
    assert (paper.guidance, train.guidance) == (7.5, 2.0)
    assert (paper.definitions, train.definitions) == (False, True)
    assert len(paper.negative_prompt.split()) > 30
    assert train.negative_prompt == ""


def test_an_unknown_preset_is_refused():
    with pytest.raises(ConfigError, match=r"no preset '\.\./x': type --preset paper or train"):
        load_preset("../x")


@pytest.mark.parametrize("name", ["paper", "train"])
def test_shipped_rules_name_axes_values_and_kinds_that_are_there(name):
    preset = load_preset(name)
    file = load_yaml(ImageNetFile, ROOT / "rldf" / "dataset" / "imagenet.yaml", "class data")
    assert {entry.kind for entry in file.kinds} <= set(preset.kinds)
    known: dict[str, set[str]] = {}
    for axis in (*PHOTO.axes, *IMAGENET.axes):
        known.setdefault(axis.symbol, set()).update(value.name for value in axis.values)
    for rules in (preset.axes, *preset.kinds.values()):
        for symbol, rule in rules.items():
            if isinstance(rule, tuple):
                assert {end for name in rule for end in name.split(" .. ")} <= known[symbol]
            if symbol[0].isupper():
                assert set(symbol.split(" when ")) <= known.keys()


def test_the_train_preset_has_places_for_every_kind():
    preset = load_preset("train")
    file = load_yaml(ImageNetFile, ROOT / "rldf" / "dataset" / "imagenet.yaml", "class data")
    assert {entry.kind for entry in file.kinds} <= set(preset.kinds)
    assert all("Scene" in rules for kind, rules in preset.kinds.items() if kind != "nobody")


def test_every_noun_for_photographs_is_of_one_kind():
    names = [n for kind in plausible().kinds for n in spanned(plausible().nouns(kind), NOUNS)]
    assert sorted(names) == sorted(NOUNS)


@pytest.mark.parametrize("name", ["paper", "train"])
def test_a_plan_of_photographs_has_plausible_values_and_the_grammars_sentences(name):
    nouns = ["zebra", "surfboard", "teddy bear", "tulip"]
    labels = tuple(
        Label(clean_key(n), n, noun=n, kind=kind_of_noun(n, PHOTO.axis("Noun")))
        for n in sorted(nouns, key=clean_key)
    )
    config = PlanConfig(
        classes=labels, splits={"train": 120}, preset=load_preset(name), grammar=PHOTO,
        models={"name": "none"}, seed=0,
    )  # fmt: skip
    plan = make_plan(PlanConfig.model_validate_json(config.model_dump_json()))
    encodings = plan.encodings(np.arange(4), 0, 120).reshape(-1, len(PHOTO.axes))
    states = [tuple(row) for row in encodings.tolist()]
    assert states == [PHOTO.canonical(state) for state in states]
    assert sentences(PHOTO, encodings).to_pylist() == [PHOTO.derive(state) for state in states]
    found = [PHOTO.decode(state) for state in states]
    for words in found:
        rules = config.preset.kinds[kind_of_noun(words["Noun"], PHOTO.axis("Noun"))]
        scenes = [value.name for value in PHOTO.axis("Scene").values]
        assert words["Scene"] in spanned(rules["Scene"], scenes)
        assert words["Density"] == "no" or words["Verb"] in rules["Verb"]
        assert words["Companion"] == "nothing"
    for symbol in ("Gender", "Race", "Emotion"):  # of people who are there
        seen = Counter(words[symbol] for words in found if words["Density"] != "no")
        assert len(seen) == len(PHOTO.axis(symbol).values)
        assert max(seen.values()) < 2.5 * seen.total() / len(seen)


def test_rules_by_kind_then_symbol_then_what_the_axis_reads():
    preset = Preset(
        name="x",
        axes={"attribute": "even", "Sky": 0.5, "companion": "even"},
        kinds={"bird": {"Sky": ["blue", "red"]}, "fish": {"Sky": "first"}, "far": {"Sky": ["no"]}},
    )
    assert preset.block(axis(), "bird") == (1, 2)
    assert preset.block(axis(), "fish") == (0,)
    assert preset.block(axis(), "") == (0, 0, 1, 2)
    assert preset.block(axis(symbol="Sea"), "bird") == (0, 1, 2)
    assert preset.block(axis("object", "M", rank=2), "") == (0, 1, 2)
    assert preset.block(axis("scene", "LC"), "") == (0,)  # no rule: it stays
    assert preset.block(axis(), "far") == (0, 1, 2)  # values of another grammar's axis


def test_a_list_may_weigh_its_values_and_an_axis_with_a_condition_has_rules_of_its_own():
    preset = Preset(
        name="x",
        axes={"Sky": "first", "Sky when Day": ["none .. blue", "blue"]},
        kinds={"bird": {"Sky": ["red"]}},
    )
    assert preset.block(axis(), "") == (0,)
    conditional = replace(axis(), when=("Day", ("noon",)))
    assert preset.block(conditional, "") == (0, 1, 1)
    assert preset.block(conditional, "bird") == (2,)


def test_a_model_sets_own_options_come_first(tmp_path):
    file = tmp_path / "real.yaml"
    preset = load_preset("paper")
    file.write_text(REAL.replace("EXTRA", ""))
    options = with_preset(load_model_set(str(file)), preset).file.generator.options
    assert options["guidance"] == 7.5
    assert options["negative_prompt"] == preset.negative_prompt
    file.write_text(REAL.replace("EXTRA", ", guidance: 3.0, negative_prompt: ''"))
    own = with_preset(load_model_set(str(file)), preset).file.generator.options
    assert own == {"steps": 20, "guidance": 3.0, "negative_prompt": ""}


@pytest.mark.parametrize("name", ["pocket", str(ROOT / "tests" / "drawn.yaml")])
@pytest.mark.parametrize("preset", ["paper", "train"])
def test_the_pocket_models_and_the_renderer_are_left_as_they_are(name, preset):
    models = load_model_set(name)
    assert with_preset(models, load_preset(preset)).file == models.file


def test_filling_in_options_keeps_the_rest_of_the_set():
    models = load_model_set("pocket")
    filled = with_preset(models, load_preset("train"))
    assert filled.path("generator") == models.path("generator")
    assert filled.identity() == models.identity()
