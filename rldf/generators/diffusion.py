"""Any diffusers text-to-image pipeline as an image generator.

Every image has a fresh CPU random source of its own, so that it does not depend on the batch, the
order or the device that drew it (but for rounding). Prompts are encoded once each.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoPipelineForText2Image, DPMSolverMultistepScheduler
from diffusers.utils import logging as diffusers_logging
from PIL.Image import Image
from transformers.utils import logging as transformers_logging

from rldf.errors import ConfigError, ModelMissingError
from rldf.ports import Json

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class DiffusionGenerator:
    """Draws sentences with a text-to-image diffusion pipeline."""

    def __init__(
        self,
        *,
        path: Path,
        device: str = "cpu",
        dtype: str | None = None,
        steps: int = 20,
        guidance: float = 7.5,
        size: int = 512,
        negative_prompt: str = "",
        attention_slicing: bool = False,
    ) -> None:
        """Load a pipeline.

        Args:
            path: folder in diffusers' layout, safetensors weights only.
            device: where it runs.
            dtype: "float32", "bfloat16" or "float16"; by default float16 on a GPU, float32 on a
                CPU.
            steps: denoising steps.
            guidance: classifier-free guidance scale; 1 turns it off.
            size: side of the images, px.
            negative_prompt: what not to draw.
            attention_slicing: the paper's memory saver; slower, and off by default.

        Raises:
            ModelMissingError: if there is no such folder.
            ConfigError: if the folder is no pipeline of safetensors files.
        """
        if not (path / "model_index.json").is_file():
            raise ModelMissingError(f"no diffusion pipeline in {path}: check the model set's path")
        self._dtype = dtype or ("float32" if device == "cpu" else "float16")
        self._steps, self._guidance, self._size = steps, guidance, size
        self._negative = negative_prompt
        self._pipeline = _load(path, _DTYPES[self._dtype]).to(device)
        if attention_slicing:
            self._pipeline.enable_attention_slicing()
        self._encode = lru_cache(maxsize=4096)(self._encode_prompt)

    @property
    def identity(self) -> Mapping[str, Json]:
        """Steps, guidance, size, scheduler, negative prompt and number format."""
        return {
            "generator": "diffusion",
            "scheduler": type(self._pipeline.scheduler).__name__,
            "steps": self._steps,
            "guidance": self._guidance,
            "size": self._size,
            "negative_prompt": self._negative,
            "dtype": self._dtype,
        }

    @torch.inference_mode()
    def generate(self, sentences: Sequence[str], seeds: Sequence[int]) -> list[Image]:
        """Draw sentences in one batch.

        Args:
            sentences: prompts.
            seeds: one for each, 0 or more.

        Returns:
            RGB images of the configured size.
        """
        if not sentences:
            return []
        prompts = [self._encode(sentence) for sentence in sentences]
        sources = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
        result = self._pipeline(
            prompt_embeds=torch.cat([positive for positive, _ in prompts]),
            negative_prompt_embeds=(
                torch.cat([negative for _, negative in prompts]) if self._guidance > 1 else None
            ),
            generator=sources,
            num_inference_steps=self._steps,
            guidance_scale=self._guidance,
            height=self._size,
            width=self._size,
        )
        images: list[Image] = result.images
        return images

    def _encode_prompt(self, sentence: str) -> tuple[torch.Tensor, torch.Tensor]:
        positive, negative = self._pipeline.encode_prompt(
            sentence, self._pipeline.device, 1, self._guidance > 1, negative_prompt=self._negative
        )
        return positive, negative


def _load(path: Path, dtype: torch.dtype) -> Any:
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    # Folders hold full or half precision files, and naming the wrong one is an error.
    variant = "fp16" if any((path / "unet").glob("*.fp16.safetensors")) else None
    try:
        pipeline = AutoPipelineForText2Image.from_pretrained(
            path, dtype=dtype, variant=variant, use_safetensors=True, local_files_only=True,
            safety_checker=None, requires_safety_checker=False, feature_extractor=None,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:160]
        raise ConfigError(f"{path} is no text-to-image pipeline: {reason}") from error
    if DPMSolverMultistepScheduler in pipeline.scheduler.compatibles:
        pipeline.scheduler = DPMSolverMultistepScheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
