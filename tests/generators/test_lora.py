"""LoRAs fused into tiny pipelines: held against products that were added by hand."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from rldf.errors import ConfigError
from rldf.generators.cached import CachedGenerator
from rldf.generators.diffusion import DiffusionGenerator
from rldf.generators.lora import fuse_lora
from rldf.models.model_sets import load_model_set
from tests.generators.loras import (
    RANK,
    added_by_hand,
    bare_lora,
    kohya_lora,
    peft_lora,
    rs_scale,
    said,
)

# diffusers 0.42 hands numpy 2 a tensor of torch; users do not see it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def lora(sd, tmp_path_factory):
    return peft_lora(sd, tmp_path_factory.mktemp("lora"), alpha=RANK)


def drawn(path, **options):
    generator = DiffusionGenerator(path=path, steps=2, size=16, **options)
    return np.asarray(generator.generate(["a cat"], [1])[0], np.int16)


def difference(one, other):
    return np.abs(one - other).max()


@pytest.mark.parametrize("name", ["sd", "sdxl", "flow"])
@pytest.mark.parametrize(("alpha", "root"), [(3, False), (5, True)])
def test_a_lora_is_the_sum_of_weights_and_products(request, tmp_path, name, alpha, root):
    folder = request.getfixturevalue(name)
    file = peft_lora(folder, tmp_path / "lora", alpha=alpha, root=root)
    assert "lora_alpha" in said(file)["lora_adapter_metadata"]
    scale = rs_scale(alpha) if root else alpha / RANK
    by_hand = drawn(added_by_hand(folder, file, tmp_path / "by-hand", scale))
    assert difference(drawn(folder, lora=file), by_hand) <= 1
    assert difference(drawn(folder), by_hand) > 1


def test_what_states_no_scale_is_added_as_it_is(sd, lora, tmp_path):
    file = bare_lora(lora, tmp_path / "bare.safetensors")
    assert said(file) == {}
    by_hand = drawn(added_by_hand(sd, file, tmp_path / "by-hand", 1.0))
    assert difference(drawn(sd, lora=file), by_hand) <= 1


def test_kohyas_names_and_scales_are_read(sd, lora, tmp_path):
    file = kohya_lora(lora, tmp_path / "kohya.safetensors", alpha=5.0)
    by_hand = drawn(added_by_hand(sd, lora, tmp_path / "by-hand", 5.0 / RANK))
    assert difference(drawn(sd, lora=file), by_hand) <= 1


def test_nothing_of_the_lora_stays_but_the_sum(sd, lora):
    unet = DiffusionGenerator(path=sd, lora=lora, steps=1, size=16)._pipeline.unet
    assert not [name for name, _ in unet.named_modules() if "lora" in name or "base" in name]


def spoilt(tensors, how):
    """Give tensors that do not fit Stable Diffusion, and what is told."""
    first = next(name for name in tensors if name.endswith("to_q.lora_B.weight"))
    if how == "strange":
        return {"unet.nowhere." + name: value for name, value in tensors.items()}
    if how == "other part":
        return {name.replace("unet.", "transformer."): v for name, v in tensors.items()}
    if how == "one strange":
        return {n.replace(first[:-14], "unet.nowhere.to_q"): v for n, v in tensors.items()}
    if how == "shape":
        return tensors | {first: torch.zeros(99, RANK)}
    if how == "not a number":
        return tensors | {first: tensors[first] * float("nan")}
    return {} if how == "empty" else {"model.weight": torch.zeros(2, 2)}


@pytest.mark.parametrize(
    "how", ["strange", "other part", "one strange", "shape", "not a number", "no lora", "empty"]
)
def test_what_does_not_fit_is_one_line(sd, lora, tmp_path, capfd, how):
    file = tmp_path / "spoilt.safetensors"
    save_file(spoilt(load_file(lora), how), file)
    with pytest.raises(ConfigError, match="does not fit StableDiffusionPipeline") as caught:
        drawn(sd, lora=file)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_lora_of_another_family_is_refused(sd, flow, lora, tmp_path):
    with pytest.raises(ConfigError, match="does not fit ZImagePipeline"):
        drawn(flow, lora=lora)
    other = peft_lora(flow, tmp_path / "lora", alpha=2)
    with pytest.raises(ConfigError, match="does not fit StableDiffusionPipeline"):
        drawn(sd, lora=other)


def test_only_one_file_of_safetensors_is_taken(sd, tmp_path):
    torch.save({"unet.to_q.lora_A.weight": torch.zeros(2, 2)}, tmp_path / "lora.bin")
    with pytest.raises(ConfigError, match="no LoRA of safetensors"):
        drawn(sd, lora=tmp_path / "lora.bin")
    with pytest.raises(ConfigError, match=r"name one \.safetensors file"):
        drawn(sd, lora=tmp_path)


def test_a_pipeline_that_takes_no_lora_says_so(lora):
    with pytest.raises(ConfigError, match="takes no LoRA"):
        fuse_lora(object(), lora)


def test_the_files_configuration_does_not_reach_peft(sd, lora, tmp_path, monkeypatch):
    """It could name other ways to load, and modules to import."""
    from peft import LoraConfig

    made = []
    usual = LoraConfig.__init__

    def remember(self, **options):
        made.append(options)
        usual(self, **options)

    monkeypatch.setattr(LoraConfig, "__init__", remember)
    stated = {
        "lora_adapter_metadata": '{"unet.r": 2, "unet.lora_alpha": 2, '
        '"unet.megatron_config": {"a": 1}, "unet.megatron_core": "os", "unet.lora_dropout": 0.5}'
    }
    file = tmp_path / "stated.safetensors"
    save_file(load_file(lora), file, stated)
    drawn(sd, lora=file)
    assert made
    assert not [
        value for options in made for name, value in options.items() if "megatron" in name and value
    ]


SET = """
name: mine
generator:
  class: diffusion
  path: %s
  components: {lora: {path: few.safetensors}}
  options: {steps: 1, size: 16}
detector: {class: yolo, path: none}
scene: {class: image-classification, path: none}
clip: {class: open-clip, path: none}
"""


def test_the_lora_is_part_of_the_checksum_and_of_every_pictures_key(sd, lora, tmp_path):
    (tmp_path / "mine.yaml").write_text(SET % sd)

    def identified():
        models = load_model_set(str(tmp_path / "mine.yaml"), device="cpu")
        cached = CachedGenerator(models.generator, tmp_path / "cache")
        return models.checksum("generator"), cached.key("a cat", 1)

    tensors = load_file(lora)
    save_file(tensors, tmp_path / "few.safetensors")
    first = identified()
    assert identified() == first
    save_file({name: value * 2 for name, value in tensors.items()}, tmp_path / "few.safetensors")
    assert not set(identified()) & set(first)


def test_a_model_sets_lora_is_looked_through_before_it_is_loaded(sd, lora, tmp_path):
    (tmp_path / "mine.yaml").write_text(SET % sd)
    (tmp_path / "few.safetensors").write_bytes(lora.read_bytes()[:-1])
    with pytest.raises(ConfigError, match="no valid safetensors"):
        _ = load_model_set(str(tmp_path / "mine.yaml"), device="cpu").generator
