"""Any diffusers text-to-image pipeline as an image generator.

Each image gets a new random source on the CPU, seeded with the image's seed. So it does not depend
on the batch, the order or, apart from rounding, the device. A pipeline is given those arguments
that its `__call__` takes. A batch that does not fit into memory is generated in halves.
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
    """Generates images from sentences with a text-to-image diffusion pipeline."""

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
            vae: folder of an autoencoder that replaces the pipeline's.
            config: folder in diffusers' layout with configuration and tokenizer of a checkpoint
                in one file; its weights are not read.
            lora: safetensors file of a LoRA that is fused into the pipeline's weights.
            device: where it runs, such as "cpu" or "cuda".
            weights: checksum of all these files, for the identity.
            dtype: number format; None for float32 on a CPU, and on a GPU of Nvidia bfloat16 for a
                diffusion transformer and float16 for other pipelines.
            steps: denoising steps.
            guidance: classifier-free guidance scale; 1 turns it off.
            size: side of the images, px.
            negative_prompt: what not to draw.
            scheduler: "dpm-solver" (the paper's), "own" (the pipeline's), or "ddim-trailing" or
                "lcm" for a LoRA of few steps; None for the pipeline's if it uses flow matching or
                was distilled to few steps, else the paper's.
            attention_slicing: compute attention in slices, as the paper does; this takes less
                memory and more time.
            compile: compile the model when it makes its first image; this takes minutes, and saves
                time on a GPU for thousands of images.

        Raises:
            ModelMissingError: if there is no pipeline at `path`.
            ConfigError: if the files are no pipeline of safetensors files, or the pipeline does
                not take the scheduler, the number of steps or the LoRA.
            RldfError: if the pipeline does not fit into the device's memory.
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
                f"no memory on {device} for the pipeline in {path}: set dtype float16 in the "
                "generator's options of the model set file, or type a smaller model set, such as "
                "--models pocket"
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
        """Generate one image for each sentence, all in one batch if memory allows.

        Args:
            sentences: prompts.
            seeds: one seed for each sentence, 0 or more.

        Returns:
            RGB images of the configured size.

        Raises:
            RldfError: if memory does not suffice for a single image.
            ConfigError: if the pipeline does not work with the size, the number of steps or its
                configuration.
        """
        return self._portions.map(self._draw, list(zip(sentences, seeds, strict=True)))

    def cut(self, sentence: str) -> str:
        """Cut words from the end of a sentence until the pipeline's tokenizer takes it whole."""
        return self._texts.cut(sentence)

    @torch.inference_mode()
    def _draw(self, pairs: Sequence[tuple[str, int]]) -> list[Image]:
        """Generate the images of one batch of (sentence, seed) pairs."""
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
                f"{type(self._pipeline).__name__} fails with these options of the model set: "
                f"{one_line(error)}"
            ) from error
        images: list[Image] = result.images
        return images


def _hasten(pipeline: Any, *, on_gpu: bool, compiled: bool) -> None:
    """Set memory format and compilation of a pipeline's models; the images stay the same."""
    parts = {name: getattr(pipeline, name, None) for name in ("unet", "transformer", "vae")}
    there = {name: part for name, part in parts.items() if part is not None}
    if on_gpu and "unet" in there:  # convolutions; transformers have none to speak of
        for part in there.values():
            part.to(memory_format=torch.channels_last)
    if compiled:
        for name, part in there.items():
            (part.decoder if name == "vae" else part).compile()
