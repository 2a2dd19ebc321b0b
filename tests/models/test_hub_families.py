"""Four families of pipelines in the hub's own layouts: pulled, checked, searched with and cloned.

Their weights are random and tiny; the readers are the pocket models.
"""

import json
from pathlib import Path

import huggingface_hub.constants
import pytest

from tests.generators import pipelines
from tests.generators.loras import peft_lora

# diffusers 0.42 hands numpy 2 a tensor of torch; users do not see it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ROOT = Path(__file__).parents[2]
WEIGHTS = ROOT / "rldf" / "pocket" / "weights"
SET = """
name: tiny
generator:
  class: diffusion
  id: me/pipeline
  options: {steps: 1, size: 16}
  defaults: {guidance: 3.0}
EXTRA
detector: {class: yolo, id: me/detector, file: detector.pt, options: {size: 128}}
scene: {class: image-classification, id: me/scene}
clip: {class: open-clip, id: me/clip}
"""
EXTRAS = "  components: {vae: {id: me/vae}, lora: {id: me/lora, file: few.safetensors}}"


@pytest.mark.parametrize(
    ("make", "extra", "scheduler"),
    [
        (pipelines.stable_diffusion, EXTRAS, "DPMSolverMultistepScheduler"),
        (pipelines.stable_diffusion_2, "", "DPMSolverMultistepScheduler"),
        (pipelines.stable_diffusion_xl, "", "DPMSolverMultistepScheduler"),
        (pipelines.z_image, "", "FlowMatchEulerDiscreteScheduler"),
    ],
    ids=["sd1", "sd2", "sdxl", "z-image"],
)
def test_a_family_from_the_hub_to_a_clone(
    call, loopback, tmp_path, monkeypatch, make, extra, scheduler
):
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 1 << 20)
    pipeline = make(tmp_path)
    loopback.add("me/pipeline", pipeline)
    if extra:
        lora = peft_lora(pipeline, tmp_path / "lora", alpha=2).read_bytes()
        loopback.add("me/lora", {"few.safetensors": lora, "more.safetensors": b"not wanted"})
    loopback.add("me/vae", pipelines.save_autoencoder(tmp_path / "vae"))
    for role in ("detector", "scene", "clip"):
        loopback.add(f"me/{role}", WEIGHTS / role)
    Path("tiny.yaml").write_text(SET.replace("EXTRA", extra))

    def told(*words):
        code, out, err = call(*words, "--json")
        assert code == 0, err
        return json.loads(out)

    pulled = told("models", "pull", "tiny.yaml")["models"]
    taken = {model["part"]: model["files"] for model in pulled}
    assert "generator" in taken
    assert taken.get("generator.lora") == (["few.safetensors"] if extra else None)
    del loopback.log[:]
    assert told("models", "check", "tiny.yaml")["parts"]["generator"]["found"] == (
        "an image of 16 x 16 px"
    )
    image = ROOT / "examples" / "dog-in-park.png"
    found = told("search", image, "--models", "tiny.yaml", "--renders", "4", "--out", "run")
    assert found["renders"] == 4
    made = json.loads(Path("run/run.json").read_text())["config"]
    assert made["model_set"]["generator"]["options"]["guidance"] == 3.0
    clone = told(
        "clone-imagenet", "--models", "tiny.yaml", "--classes", "2", "--splits", "train=1",
        "--out", "c",
    )  # fmt: skip
    assert clone["images"] == 2
    assert json.loads(Path("c/.rldf/generator.json").read_text())["scheduler"] == scheduler
    assert loopback.log == [], "nothing is fetched but by a pull"
