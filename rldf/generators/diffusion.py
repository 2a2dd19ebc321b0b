"""Any diffusers text-to-image pipeline as an image generator.

Every image has a fresh CPU random source of its own, so that it does not depend on the batch, the
order or the device that drew it (but for rounding). What a pipeline is asked follows from the
signature of its call; a batch that does not fit into memory is drawn in halves.
"""

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
from PIL.Image import Image
from pydantic import Field

from rldf.errors import ConfigError, RldfError
from rldf.generators.batching import Portions, is_out_of_memory
from rldf.generators.loading import (
    DTYPES,
    Scheduler,
    default_dtype,
    load_pipeline,
    set_scheduler,
)
from rldf.generators.lora import fuse_lora
from rldf.generators.prompts import Texts
from rldf.interfaces import ImageGenerator, Json
from rldf.io.distributed import Dtype, is_cuda
from rldf.io.text import one_line
from rldf.sharing import Remade


class DiffusionGenerator(Remade, ImageGenerator):
    """Draws sentences with a text-to-image diffusion pipeline."""

    def __init__(
        self,
        *,
        path: Path,
        vae: Path | None = None,
        config: Path | None = None,
        lora: Path | None = None,
        device: str = "cpu",
        weights: str | None = None,
        dtype: Dtype | None = None,
        steps: Annotated[int, Field(ge=1, le=1000)] = 20,
        guidance: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 7.5,
        size: Annotated[int, Field(ge=8, le=4096, multiple_of=8)] = 512,
        negative_prompt: str = "",
        scheduler: Scheduler | None = None,
        attention_slicing: bool = False,
        compile: bool = False,
    ) -> None:
        """Load a pipeline.

        Args:
            path: folder in diffusers' layout, safetensors weights only; or a checkpoint in one
                .safetensors file.
            vae: folder of an autoencoder that takes the place of the pipeline's own.
            config: folder in diffusers' layout with configuration and tokenizer of a checkpoint
                in one file; its weights are not read.
            lora: safetensors file that is fused into the pipeline's weights, such as one that
                makes a few steps do.
            device: where it runs.
            weights: checksum of all these files, for the identity.
            dtype: by default float32; on a GPU of Nvidia float16, bfloat16 for transformers.
            steps: denoising steps.
            guidance: classifier-free guidance scale; 1 turns it off.
            size: side of the images, px.
            negative_prompt: what not to draw.
            scheduler: "dpm-solver", the paper's, the pipeline's "own", or "ddim-trailing" or "lcm"
                for a LoRA of few steps; by default the paper's where it fits, which is neither
                flow matching nor a model of few steps.
            attention_slicing: the paper's memory saver; slower, and off by default.
            compile: compile the model when it first draws, which takes minutes and pays for
                thousands of images; not worth it on a CPU.

        Raises:
            ModelMissingError: if there is no such folder.
            ConfigError: if that is no pipeline of safetensors files, or takes no such scheduler,
                steps or LoRA.
            RldfError: if there is no memory for it.
        """
        self._dtype = dtype or default_dtype(config or path, device)
        self._steps, self._guidance, self._size = steps, guidance, size
        self._negative, self._weights = negative_prompt, weights
        pipeline = load_pipeline(path, DTYPES[self._dtype], vae, config)
        self._scheduler = set_scheduler(pipeline, scheduler, steps)
        if lora is not None:
            fuse_lora(pipeline, lora)
        self._takes = inspect.signature(type(pipeline).__call__).parameters
        try:
            self._pipeline = pipeline.to(device)
            if attention_slicing:
                self._pipeline.enable_attention_slicing()
            _hasten(self._pipeline, on_gpu=is_cuda(device), compiled=compile)
            self._texts = Texts(self._pipeline, self._takes, negative_prompt, guidance)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise RldfError(
                f"no memory on {device} for the pipeline in {path}: give dtype float16 in the "
                "generator's options, or a smaller model set, such as --models pocket"
            ) from error
        # diffusers' advice for GPUs of Apple, where batches may crash or come out wrong
        self._portions = Portions(most=1 if device == "mps" else None)

    @property
    def identity(self) -> Mapping[str, Json]:
        """Weights, steps, guidance, size, scheduler, negative prompt and number format."""
        return {
            "generator": "diffusion",
            "scheduler": self._scheduler,
            "steps": self._steps,
            "guidance": self._guidance,
            "size": self._size,
            "negative_prompt": self._negative,
            "dtype": self._dtype,
            "weights": self._weights,
        }

    def generate(self, sentences: Sequence[str], seeds: Sequence[int]) -> list[Image]:
        """Draw sentences, all in one batch if memory allows.

        Args:
            sentences: prompts.
            seeds: one for each, 0 or more.

        Returns:
            RGB images of the configured size.

        Raises:
            RldfError: there is no memory for a single image.
            ConfigError: the pipeline does not take a size, a number of steps, or what its
                configuration says.
        """
        return self._portions.map(self._draw, list(zip(sentences, seeds, strict=True)))

    def cut(self, sentence: str) -> str:
        """Cut a sentence to what the pipeline reads of it, between words."""
        return self._texts.cut(sentence)

    @torch.inference_mode()
    def _draw(self, pairs: Sequence[tuple[str, int]]) -> list[Image]:
        """Draw one batch of sentences with their seeds."""
        options = {
            "generator": [torch.Generator("cpu").manual_seed(seed) for _, seed in pairs],
            "num_inference_steps": self._steps,
            "height": self._size,
            "width": self._size,
            "use_resolution_binning": False,  # the size that was asked for, not one near it
            "guidance_schedule": None,  # Ideogram takes it or a scale, and has one by default
            **self._texts.arguments([sentence for sentence, _ in pairs]),
        }
        try:
            result = self._pipeline(**{k: v for k, v in options.items() if k in self._takes})
        # A size that is no multiple of 16, say; and a stranger's configuration may raise more.
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise ConfigError(
                f"{type(self._pipeline).__name__} cannot draw with these options: {one_line(error)}"
            ) from error
        images: list[Image] = result.images
        return images


def _hasten(pipeline: Any, *, on_gpu: bool, compiled: bool) -> None:
    """Give the models the forms in which they draw fastest; the pictures stay the same."""
    parts = {name: getattr(pipeline, name, None) for name in ("unet", "transformer", "vae")}
    there = {name: part for name, part in parts.items() if part is not None}
    if on_gpu and "unet" in there:  # convolutions; transformers have none to speak of
        for part in there.values():
            part.to(memory_format=torch.channels_last)
    if compiled:
        for name, part in there.items():
            (part.decoder if name == "vae" else part).compile()
