"""LoRAs of random numbers in the layouts that exist, and what their products come to by hand."""

import json
import math
import shutil
from pathlib import Path

import torch
from diffusers import AutoPipelineForText2Image
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import load_file, save_file

RANK = 2


def peft_lora(folder: Path, out: Path, *, alpha: int, root: bool = False) -> Path:
    """Made with peft and saved with diffusers, which writes peft's configuration beside it."""
    pipeline = AutoPipelineForText2Image.from_pretrained(folder, local_files_only=True)
    name = "unet" if hasattr(pipeline, "unet") else "transformer"
    part = getattr(pipeline, name)
    torch.manual_seed(5)
    names = ["to_q", "to_v", "to_out.0"] + (["conv1"] if name == "unet" else [])
    config = LoraConfig(r=RANK, lora_alpha=alpha, target_modules=names, use_rslora=root)
    config.init_lora_weights = False
    part.add_adapter(config)
    type(pipeline).save_lora_weights(
        out,
        **{
            f"{name}_lora_layers": get_peft_model_state_dict(part),
            f"{name}_lora_adapter_metadata": part.peft_config["default"].to_dict(),
        },
    )
    return out / "pytorch_lora_weights.safetensors"


def kohya_lora(peft_file: Path, out: Path, *, alpha: float) -> Path:
    """The same matrices by kohya's names, in which LoRAs of few steps are given away."""
    tensors = {}
    for name, tensor in load_file(peft_file).items():
        module, _, end = name.removeprefix("unet.").partition(".lora_")
        named = f"lora_unet_{module.replace('.', '_')}"
        way = {"A": "down", "B": "up"}[end[0]]
        tensors[f"{named}.lora_{way}.weight"] = tensor
        tensors[f"{named}.alpha"] = torch.tensor(alpha)
    save_file(tensors, out)
    return out


def bare_lora(peft_file: Path, out: Path) -> Path:
    """The same matrices without a word about their scale."""
    save_file(load_file(peft_file), out)
    return out


def added_by_hand(folder: Path, peft_file: Path, out: Path, scale: float) -> Path:
    """A copy of a pipeline to whose weights the products were added."""
    shutil.copytree(folder, out)
    pairs = load_file(peft_file)
    for upper in (name for name in pairs if name.endswith("lora_B.weight")):
        part, _, module = upper.removesuffix(".lora_B.weight").partition(".")
        file = out / part / "diffusion_pytorch_model.safetensors"
        weights = load_file(file)
        a, b = pairs[upper.replace("lora_B", "lora_A")].double(), pairs[upper].double()
        old = weights[f"{module}.weight"]
        product = scale * (b.flatten(1) @ a.flatten(1)).reshape(old.shape)
        weights[f"{module}.weight"] = (old + product).float()
        save_file(weights, file, {"format": "pt"})
    return out


def said(file: Path) -> dict:
    """The header's own words."""
    data = file.read_bytes()
    return json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]).get("__metadata__", {})


def rs_scale(alpha: float) -> float:
    return alpha / math.sqrt(RANK)
