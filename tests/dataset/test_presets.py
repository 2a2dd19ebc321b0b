"""What presets say, and who comes first: a preset or a model set."""

from pathlib import Path

import pytest

from rldf.dataset.imagenet import ImageNetFile
from rldf.dataset.presets import Preset, load_preset, preset_names, with_preset
from rldf.errors import ConfigError
from rldf.grammar.axes import Axis, Value
from rldf.grammar.grammar import load_grammar
from rldf.io.yaml import load_yaml
from rldf.models.model_sets import load_model_set

ROOT = Path(__file__).parents[2]
IMAGENET = load_grammar("imagenet")

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
    assert set(preset.kinds) <= {entry.kind for entry in file.kinds}
    for rules in preset.kinds.values():
        for symbol, rule in rules.items():
            known = {value.name for value in IMAGENET.axis(symbol).values}
            if isinstance(rule, tuple):
                assert set(rule) <= known
    for symbol in preset.axes:
        if symbol[0].isupper():
            IMAGENET.axis(symbol)


def test_the_train_preset_has_places_for_every_kind():
    preset = load_preset("train")
    file = load_yaml(ImageNetFile, ROOT / "rldf" / "dataset" / "imagenet.yaml", "class data")
    assert {entry.kind for entry in file.kinds} == set(preset.kinds)
    assert all("Scene" in rules for rules in preset.kinds.values())


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
