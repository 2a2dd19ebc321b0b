"""Any diffusers text-to-image pipeline as an image generator.

Every image has a fresh CPU random source of its own, so that it does not depend on the batch, the
order or the device that drew it (but for rounding). Where the pipeline is like Stable Diffusion
(`encode_prompt` gives two tensors), prompts are encoded once each.
"""

import contextlib
import inspect
import logging
import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from diffusers import AutoPipelineForText2Image, DPMSolverMultistepScheduler
from diffusers.utils import logging as diffusers_logging
from PIL.Image import Image
from pydantic import Field
from transformers.utils import logging as transformers_logging

from rldf.errors import ConfigError, ModelMissingError
from rldf.ports import Json
from rldf.text import plain

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_KEPT_PROMPTS = 512  # 118 kB each for Stable Diffusion 1 in half precision
_ENCODED = {
    "prompt": "",
    "device": "cpu",
    "num_images_per_prompt": 1,
    "do_classifier_free_guidance": True,
}
_log = logging.getLogger(__name__)


class DiffusionGenerator:
    """Draws sentences with a text-to-image diffusion pipeline."""

    def __init__(
        self,
        *,
        path: Path | None = None,
        id: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")] | None = None,
        revision: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] | None = None,
        device: str = "cpu",
        dtype: Literal["float32", "bfloat16", "float16"] | None = None,
        steps: Annotated[int, Field(ge=1, le=1000)] = 20,
        guidance: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 7.5,
        size: Annotated[int, Field(ge=8, le=4096, multiple_of=8)] = 512,
        negative_prompt: str = "",
        attention_slicing: bool = False,
    ) -> None:
        """Load a pipeline.

        Args:
            path: folder in diffusers' layout, safetensors weights only.
            id: instead of a path, a model of the Hugging Face hub, "owner/name". It is taken from
                the local cache; what is not there is fetched unless HF_HUB_OFFLINE=1.
            revision: the commit of that model, 40 hexadecimal digits.
            device: where it runs.
            dtype: by default float16 on a GPU, float32 on a CPU.
            steps: denoising steps.
            guidance: classifier-free guidance scale; 1 turns it off.
            size: side of the images, px.
            negative_prompt: what not to draw.
            attention_slicing: the paper's memory saver; slower, and off by default.

        Raises:
            ModelMissingError: if there is no such folder, or no such model in reach.
            ConfigError: if that is no pipeline of safetensors files.
        """
        self._dtype = dtype or ("float32" if device == "cpu" else "float16")
        self._steps, self._guidance, self._size = steps, guidance, size
        self._negative = negative_prompt
        self._source: dict[str, Json] = {} if path else {"id": id, "revision": revision}
        if path is not None and id is None and revision is None:
            pipeline = _load_folder(path, _DTYPES[self._dtype])
        elif path is None and id is not None and revision is not None:
            pipeline = _load_id(id, revision, _DTYPES[self._dtype])
        else:
            raise ConfigError("a diffusion generator needs a path, or the options id and revision")
        self._pipeline = pipeline.to(device)
        if attention_slicing:
            self._pipeline.enable_attention_slicing()
        self._takes = set(inspect.signature(type(self._pipeline).__call__).parameters)
        self._told_length = False
        if self._negative and not self._takes & {"negative_prompt", "negative_prompt_embeds"}:
            self._tell("the pipeline takes no negative prompt: it is left out")
        self._check_length(self._negative)
        self._unwanted = self._encode_one(self._negative) if self._may_encode() else None
        self._encode = lru_cache(maxsize=_KEPT_PROMPTS)(self._encode_one)

    @property
    def identity(self) -> Mapping[str, Json]:
        """Steps, guidance, size, scheduler, negative prompt, number format, and a hub model."""
        return {
            "generator": "diffusion",
            "scheduler": type(self._pipeline.scheduler).__name__,
            "steps": self._steps,
            "guidance": self._guidance,
            "size": self._size,
            "negative_prompt": self._negative,
            "dtype": self._dtype,
            **self._source,
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
        options = {
            "generator": [torch.Generator("cpu").manual_seed(seed) for seed in seeds],
            "num_inference_steps": self._steps,
            "height": self._size,
            "width": self._size,
            **self._prompts(sentences),
        }
        # Where both are there, guidance_scale is a distilled one, without a negative prompt.
        true = self._negative and "true_cfg_scale" in self._takes
        options["true_cfg_scale" if true else "guidance_scale"] = self._guidance
        result = self._pipeline(**{k: v for k, v in options.items() if k in self._takes})
        images: list[Image] = result.images
        return images

    def cut(self, sentence: str) -> str:
        """Cut a sentence to what the pipeline reads of it, between words.

        Args:
            sentence: a prompt.

        Returns:
            Its beginning; all of it where it is short enough.
        """
        words = sentence.split(" ")
        while len(words) > 1 and self._is_too_long(" ".join(words)):
            words.pop()
        return " ".join(words)

    def _prompts(self, sentences: Sequence[str]) -> dict[str, Any]:
        if self._unwanted is None:
            for sentence in sentences:
                self._check_length(sentence)
            texts = [self._negative] * len(sentences) if self._negative else None
            return {"prompt": list(sentences), "negative_prompt": texts}
        wanted = torch.cat([self._encode(sentence) for sentence in sentences])
        unwanted = self._unwanted.expand_as(wanted) if self._guidance > 1 else None
        return {"prompt_embeds": wanted, "negative_prompt_embeds": unwanted}

    def _may_encode(self) -> bool:
        """Tell whether texts can be given as two tensors whose shape is that of any other text."""
        if not {"prompt_embeds", "negative_prompt_embeds"} <= self._takes:
            return False
        if any("pooled" in name or "mask" in name for name in self._takes):
            return False
        encoder = getattr(self._pipeline, "encode_prompt", None)
        if encoder is None or not set(_ENCODED) <= set(inspect.signature(encoder).parameters):
            return False
        with torch.inference_mode():
            short = encoder(**_ENCODED | {"prompt": "a", "device": self._pipeline.device})
            long = encoder(**_ENCODED | {"prompt": "a " * 20, "device": self._pipeline.device})
        return len(short) == 2 and all(
            isinstance(part, torch.Tensor) and part.shape == long[0].shape for part in short
        )

    @torch.inference_mode()
    def _encode_one(self, text: str) -> torch.Tensor:
        self._check_length(text)
        found: torch.Tensor
        # Without guidance: the negative prompt is encoded once, as a prompt of its own.
        found, _ = self._pipeline.encode_prompt(
            prompt=text,
            device=self._pipeline.device,
            num_images_per_prompt=1,
            do_classifier_free_guidance=False,
        )
        return found

    def _check_length(self, text: str) -> None:
        if not self._told_length and self._is_too_long(text):
            self._told_length = True
            limit = self._pipeline.tokenizer.model_max_length
            self._tell(f"a prompt has more than {limit} tokens, the rest is cut off: {text}")

    def _is_too_long(self, text: str) -> bool:
        tokenizer = getattr(self._pipeline, "tokenizer", None)
        if tokenizer is None:
            return False
        tokens = tokenizer(text, truncation=False, verbose=False).input_ids
        return len(tokens) > int(tokenizer.model_max_length)

    def _tell(self, message: str) -> None:
        _log.warning("warning: %s", plain(message))


def _load_folder(path: Path, dtype: torch.dtype) -> Any:
    if not (path / "model_index.json").is_file():
        raise ModelMissingError(f"no diffusion pipeline in {path}: check the model set's path")
    # Folders hold full or half precision files, and naming the wrong one is an error.
    variant = "fp16" if any(path.glob("*/*.fp16.safetensors")) else None
    try:
        return _load(path, dtype, variant=variant, local_files_only=True)
    except Exception as error:  # a broken folder may raise anything; the user needs one line
        raise ConfigError(f"{path} is no text-to-image pipeline: {_line(error)}") from error


def _load_id(id: str, revision: str, dtype: torch.dtype) -> Any:
    if Path(id).exists():  # diffusers would load that one
        raise ConfigError(f"there is a folder {id} here: give it as the generator's path, not id")
    variant, other = ("fp16", None) if dtype == torch.float16 else (None, "fp16")
    try:
        try:
            return _load(id, dtype, variant=variant, revision=revision)
        except (OSError, ValueError) as first:  # it may have files of the other precision alone
            with contextlib.suppress(OSError, ValueError):
                return _load(id, dtype, variant=other, revision=revision)
            raise first
    except OSError as error:
        raise ModelMissingError(
            f"{id} is not in the local cache and cannot be fetched ({_line(error)}): type "
            f"'hf download {id} --revision {revision}'"
        ) from error
    except Exception as error:
        raise ConfigError(f"{id} is no text-to-image pipeline: {_line(error)}") from error


def _load(source: str | Path, dtype: torch.dtype, **where: Any) -> Any:
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    diffusers_logging.set_verbosity_error()  # it tells of each argument that a pipeline lacks
    with warnings.catch_warnings():
        # diffusers 0.42 gives this to every download
        warnings.filterwarnings("ignore", message=".*local_dir_use_symlinks")
        pipeline = AutoPipelineForText2Image.from_pretrained(
            source, dtype=dtype, use_safetensors=True, safety_checker=None,
            requires_safety_checker=False, feature_extractor=None, add_watermarker=False, **where,
        )  # fmt: skip
    if DPMSolverMultistepScheduler in pipeline.scheduler.compatibles:
        pipeline.scheduler = DPMSolverMultistepScheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
