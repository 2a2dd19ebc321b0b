"""Loads text-to-image pipelines of diffusers: numbers and configuration, no code."""

import warnings
from pathlib import Path
from typing import Any, Literal

import diffusers
import torch
from diffusers import (
    AutoPipelineForText2Image,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    LCMScheduler,
)
from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

from rldf.errors import ConfigError, ModelMissingError
from rldf.generators.one_file import load_one_file
from rldf.generators.steps import check_steps
from rldf.io import distributed
from rldf.io.distributed import Dtype
from rldf.io.files import parse_json, read_file
from rldf.io.text import one_line
from rldf.models.repo_files import INDEX, components, has_weights

Scheduler = Literal["dpm-solver", "ddim-trailing", "lcm", "own"]
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_SCHEDULERS: dict[Scheduler, tuple[Any, dict[str, Any]]] = {
    "dpm-solver": (DPMSolverMultistepScheduler, {}),
    # It would clip latents to -1..1 where the configuration of another scheduler says nothing.
    "ddim-trailing": (DDIMScheduler, {"timestep_spacing": "trailing", "clip_sample": False}),
    "lcm": (LCMScheduler, {}),
}
_DECODERS = ("AutoencoderKL", "AutoencoderTiny")


def default_dtype(folder: Path, device: str) -> Dtype:
    """Choose a number format for a pipeline."""
    wide = "transformer" in components(_json(folder / INDEX))
    return distributed.default_dtype(device, wide=wide)


def load_pipeline(
    path: Path, dtype: torch.dtype, vae: Path | None, config: Path | None = None
) -> Any:
    """Load a pipeline."""
    if not path.is_file() and not (path / INDEX).is_file():
        raise ModelMissingError(f"no diffusion pipeline in {path}: check the model set's path")
    if config is not None and not (path.is_file() and (config / INDEX).is_file()):
        raise ConfigError(
            f"config {config}: it goes with a checkpoint in one .safetensors file, and is a folder "
            f"with {INDEX}"
        )
    parts = {} if vae is None else {"vae": _load_vae(vae, dtype)}
    if path.is_file():
        _silence()
        index = {} if config is None else _json(config / INDEX)
        return _quiet(load_one_file(path, config, index, dtype, **parts))
    try:
        return _load(path, dtype, **parts)
    except Exception as error:  # a broken folder may raise anything; the user needs one line
        raise ConfigError(f"{path} is no text-to-image pipeline: {one_line(error)}") from error


def set_scheduler(pipeline: Any, asked: Scheduler | None, steps: int) -> str:
    """Give a pipeline the scheduler that is asked for, or the paper's where it fits.

    It does not fit flow matching, whose schedulers are not compatible, and models that were
    distilled to a few steps: their schedulers are of their own kind, or space the steps from the
    last one on ("trailing"), so that a single step can do.
    """
    own = pipeline.scheduler
    can = DPMSolverMultistepScheduler in getattr(own, "compatibles", [])
    if asked in _SCHEDULERS and not can:
        raise ConfigError(
            f"scheduler: {asked}: {type(pipeline).__name__} is made for "
            f"{type(own).__name__}: leave the option out"
        )
    fits = can and own.config.get("timestep_spacing") != "trailing"
    chosen = asked or ("dpm-solver" if fits else "own")
    if chosen != "own":
        made, options = _SCHEDULERS[chosen]
        try:
            pipeline.scheduler = made.from_config(own.config, **options)
        except Exception as error:  # a stranger's configuration may raise anything
            raise ConfigError(
                f"the pipeline's scheduler cannot be used: {one_line(error)}"
            ) from error
    if can:  # others want to know more than the number of steps
        check_steps(pipeline.scheduler, steps)
    # The pipeline's own may be of the same class, and space its steps otherwise.
    said = chosen if chosen != "own" and _SCHEDULERS[chosen][1] else None
    return said or type(pipeline.scheduler).__name__


def _load_vae(path: Path, dtype: torch.dtype) -> Any:
    name = _json(path / "config.json").get("_class_name")
    if name not in _DECODERS:
        raise ConfigError(f"{path} is no autoencoder: it must be of {' or '.join(_DECODERS)}")
    names = _names(path)  # of a model by itself, full precision is what a pull takes
    only_half = has_weights(names, half=True) and not has_weights(names, half=False)
    variant = "fp16" if only_half else None
    _silence()
    try:
        return getattr(diffusers, name).from_pretrained(
            path, dtype=dtype, use_safetensors=True, variant=variant, local_files_only=True
        )
    except Exception as error:
        raise ConfigError(f"{path} is no autoencoder: {one_line(error)}") from error


def _load(path: Path, dtype: torch.dtype, **parts: Any) -> Any:
    _silence()
    # Components are taken in half precision where they have it, as by a pull; to ask for it where
    # none has it is an error.
    folders = [path / name for name in components(_json(path / INDEX))]
    half = any(has_weights(_names(folder), half=True) for folder in folders)
    variant = "fp16" if half else None
    pipeline = AutoPipelineForText2Image.from_pretrained(
        path, dtype=dtype, variant=variant, use_safetensors=True, local_files_only=True,
        safety_checker=None, requires_safety_checker=False, feature_extractor=None,
        add_watermarker=False, **parts,
    )  # fmt: skip
    return _quiet(pipeline)


def _quiet(pipeline: Any) -> Any:
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _names(folder: Path) -> list[str]:
    return [file.name for file in folder.glob("*")]


def _silence() -> None:
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()  # of texts that are too long, which rldf tells
    # It tells of each argument that a pipeline lacks, and of errors that it raises all the same.
    diffusers_logging.set_verbosity(diffusers_logging.CRITICAL)
    # Stable Diffusion XL calls this itself, for its decoder in half precision.
    warnings.filterwarnings("ignore", "`upcast_vae` is deprecated", FutureWarning)


def _json(file: Path) -> dict[str, Any]:
    try:
        found = parse_json(read_file(file))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
