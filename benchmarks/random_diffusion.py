# ruff: noqa: TID253 (a leaf: only the benchmark of clones imports it)
"""A diffusion pipeline of Stable Diffusion 1.4's size with random weights, and its arithmetic."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from torch.utils.flop_counter import FlopCounterMode
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from rldf.models.model_sets import ModelSet, load_model_set

_TOKENS = 77


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large the models are; the numbers are those of Stable Diffusion 1.4.

    Attributes:
        unet: channels of the UNet's levels.
        heads: of its attention.
        vae: channels of the autoencoder's levels.
        text: width of the text encoder.
        text_layers: its layers.
        side: of the images, px.
    """

    unet: tuple[int, ...] = (320, 640, 1280, 1280)
    heads: int = 8
    vae: tuple[int, ...] = (128, 256, 512, 512)
    text: int = 768
    text_layers: int = 12
    side: int = 512


TINY = Size(unet=(32, 64), heads=2, vae=(32, 32, 32, 32), text=32, text_layers=2, side=64)


def random_models(folder: Path, size: Size, steps: int, device: str) -> ModelSet:
    """Save a pipeline of random weights, and a model set around it.

    Args:
        folder: where to.
        size: of the models.
        steps: denoising steps.
        device: where they will run; half precision on a GPU.

    Returns:
        The set; the models that look at images are not there.
    """
    torch.manual_seed(0)
    pipeline = StableDiffusionPipeline(
        vae=_vae(size),
        text_encoder=_text_encoder(size),
        tokenizer=_tokenizer(),
        unet=_unet(size),
        scheduler=DPMSolverMultistepScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.to(dtype=torch.float32 if device == "cpu" else torch.float16)
    pipeline.save_pretrained(folder / "sd")
    options = f"{{steps: {steps}, guidance: 7.5, size: {size.side}, negative_prompt: ''}}"
    nothing = "{class: yolo, path: none}"
    file = folder / "random.yaml"
    file.write_text(
        f"name: random\ngenerator: {{class: diffusion, path: sd, options: {options}}}\n"
        f"detector: {nothing}\nscene: {nothing}\nclip: {nothing}\n",
        encoding="utf-8",
    )
    return load_model_set(str(file), device)


def _unet(size: Size) -> UNet2DConditionModel:
    deep = len(size.unet) - 1
    return UNet2DConditionModel(
        sample_size=size.side // 8,
        in_channels=4,
        out_channels=4,
        layers_per_block=2,
        block_out_channels=size.unet,
        cross_attention_dim=size.text,
        attention_head_dim=size.heads,
        down_block_types=(*("CrossAttnDownBlock2D",) * deep, "DownBlock2D"),
        up_block_types=("UpBlock2D", *("CrossAttnUpBlock2D",) * deep),
    )


def _vae(size: Size) -> AutoencoderKL:
    levels = len(size.vae)
    return AutoencoderKL(
        latent_channels=4,
        layers_per_block=2,
        block_out_channels=size.vae,
        sample_size=size.side,
        scaling_factor=0.18215,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
    )


def _text_encoder(size: Size) -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=49408,
            hidden_size=size.text,
            intermediate_size=4 * size.text,
            num_hidden_layers=size.text_layers,
            num_attention_heads=max(1, size.text // 64),
            max_position_embeddings=_TOKENS,
        )
    )


def _tokenizer() -> CLIPTokenizer:
    """Take the pocket models' tokenizer: random weights do not care which word is which."""
    folder = load_model_set("pocket").path("generator")
    assert folder is not None
    return CLIPTokenizer.from_pretrained(folder / "tokenizer", model_max_length=_TOKENS)


def flops_per_image(pipeline: Any, steps: int, side: int) -> int:
    """Count what the arithmetic of one image takes, with guidance.

    Args:
        pipeline: Stable Diffusion; only its configuration is looked at.
        steps: denoising steps.
        side: of the image, px.

    Returns:
        Floating-point operations of UNet and decoder: two for a multiplication with its addition.
    """
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(pipeline.unet.config)
        vae = AutoencoderKL.from_config(pipeline.vae.config)
        noise = torch.empty(2, 4, side // 8, side // 8)  # with and without the sentence
        words = torch.empty(2, _TOKENS, pipeline.unet.config.cross_attention_dim)
        time_step = torch.empty((), dtype=torch.int64)
    with torch.no_grad(), FlopCounterMode(display=False) as step:
        unet(noise, time_step, encoder_hidden_states=words)
    with torch.no_grad(), FlopCounterMode(display=False) as last:
        vae.decode(noise[:1])
    return int(steps * step.get_total_flops() + last.get_total_flops())
