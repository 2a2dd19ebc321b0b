"""A pipeline written into one file, with the names of the original program (CompVis, SGM)."""

import re
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file

_RESNET = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0", "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}  # fmt: skip
_UNET = {
    "conv_in": "input_blocks.0.0", "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2", "conv_norm_out": "out.0", "conv_out": "out.2",
    "mid_block.resnets.0": "middle_block.0", "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
}  # fmt: skip
_ATTENTION = {
    "group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out",
}  # fmt: skip


def write(folder: Path, file: Path, *, without: str = "") -> Path:
    """Write a pipeline of diffusers into one file.

    Args:
        folder: of a small Stable Diffusion 1, one layer a block, two blocks.
        file: to make.
        without: beginning of the names that are left out.
    """
    pipeline = StableDiffusionPipeline.from_pretrained(folder, local_files_only=True)
    tensors = {
        f"model.diffusion_model.{_unet(name)}": tensor
        for name, tensor in pipeline.unet.state_dict().items()
    }
    for name, tensor in pipeline.vae.state_dict().items():
        square = "attentions" in name and name.endswith("weight") and tensor.dim() == 2
        tensors[f"first_stage_model.{_vae(name)}"] = tensor[..., None, None] if square else tensor
    for name, tensor in pipeline.text_encoder.state_dict().items():
        plain = name.removeprefix("text_model.")
        tensors[f"cond_stage_model.transformer.text_model.{plain}"] = tensor
    kept = {
        name: tensor.contiguous().clone()
        for name, tensor in tensors.items()
        if not (without and name.startswith(without))
    }
    save_file(kept | {"betas": torch.zeros(3)}, file)
    return file


def _swap(name: str, names: dict[str, str]) -> str:
    for new, old in names.items():
        name = re.sub(rf"(^|\.){re.escape(new)}(\.|$)", rf"\g<1>{old}\g<2>", name)
    return name


def _unet(name: str) -> str:
    def down(found: re.Match[str]) -> str:
        block, kind, layer = int(found[1]), found[2], int(found[3])
        if kind == "downsamplers":
            return f"input_blocks.{2 * block + 2}.0.op"
        return f"input_blocks.{2 * block + layer + 1}.{int(kind == 'attentions')}"

    def up(found: re.Match[str]) -> str:
        block, kind, layer = int(found[1]), found[2], int(found[3])
        if kind == "upsamplers":
            return f"output_blocks.{2 * block + 1}.2.conv"
        return f"output_blocks.{2 * block + layer}.{int(kind == 'attentions')}"

    name = _swap(name, _UNET)
    name = re.sub(r"^down_blocks\.(\d)\.(\w+)\.(\d)(?:(?<=downsamplers\.0)\.conv)?", down, name)
    name = re.sub(r"^up_blocks\.(\d)\.(\w+)\.(\d)(?:(?<=upsamplers\.0)\.conv)?", up, name)
    return name if "transformer_blocks" in name else _swap(name, _RESNET)


def _vae(name: str) -> str:
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
    if "mid_block.attentions.0" in name:
        return _swap(name.replace("mid_block.attentions.0", "mid.attn_1"), _ATTENTION)
    name = re.sub(r"down_blocks\.(\d)\.resnets\.(\d)", r"down.\1.block.\2", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(
        r"up_blocks\.(\d)\.resnets\.(\d)", lambda m: f"up.{1 - int(m[1])}.block.{m[2]}", name
    )
    name = re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{1 - int(m[1])}.upsample", name)
    return _swap(name, {"conv_norm_out": "norm_out", "conv_shortcut": "nin_shortcut"})
