"""`--compile` of the commands that draw thousands of images."""

import json
from pathlib import Path

import pytest
import torch

from tests.cli.conftest import call
from tests.generators.pipelines import stable_diffusion

__all__ = ["call"]

# diffusers 0.42 hands numpy 2 a tensor of torch; users do not see it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ROOT = Path(__file__).parents[2]
DOG = ROOT / "examples" / "dog-in-park.png"
DRAWN = ROOT / "tests" / "drawn.yaml"
WEIGHTS = ROOT / "rldf" / "pocket" / "weights"
SET = f"""
name: tiny
grammar: pocket
generator: {{class: diffusion, path: sd, options: {{steps: 1, size: 16, guidance: 1.0}}}}
detector: {{class: yolo, path: {WEIGHTS}/detector/detector.pt, options: {{size: 128}}}}
scene: {{class: image-classification, path: {WEIGHTS}/scene}}
clip: {{class: open-clip, path: {WEIGHTS}/clip}}
"""
IMAGENET = ("clone-imagenet", "--models", "tiny.yaml", "--classes", "2")
MAKE = ("clone", DOG, "--models", "tiny.yaml", "--grammar", "pocket")


@pytest.fixture
def compiled(call, monkeypatch):
    """The models that were compiled; the folder of the call has a tiny set."""
    stable_diffusion(Path.cwd())
    Path("tiny.yaml").write_text(SET)
    compiled = []
    monkeypatch.setattr(
        torch.nn.Module, "compile", lambda self: compiled.append(type(self).__name__)
    )
    return compiled


@pytest.mark.parametrize("words", [IMAGENET, MAKE], ids=["imagenet", "make"])
def test_the_generator_compiles_and_what_is_written_does_not_say_so(call, compiled, words):
    words = (*words, "--splits", "train=2", "--out", "c", "--json")
    code, _, err = call(*words, "--compile")
    assert code == 0, err
    assert compiled == ["UNet2DConditionModel", "Decoder"]
    for name in ("clone.json", ".rldf/generator.json"):
        assert "compile" not in Path("c", name).read_text()
    code, out, err = call(*words)  # goes on without it
    assert code == 0, err
    assert json.loads(out)["written"] == 0
    assert len(compiled) == 2


def test_an_estimate_is_made_with_compiled_models(call, compiled):
    code, _, err = call(*IMAGENET, "--splits", "train=1", "--dry-run", "--compile")
    assert code == 0, err
    assert compiled == ["UNet2DConditionModel", "Decoder"]


@pytest.mark.parametrize("models", [DRAWN, "openai:m@http://127.0.0.1:1/v1"])
def test_what_cannot_compile_says_so_in_one_line(call, models):
    code, out, err = call("clone-imagenet", "--models", models, "--classes", "2", "--compile")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "nothing to compile" in err
    assert not Path("clones").exists()
