"""Loads text-to-image pipelines of diffusers: numbers and configuration, no code.

A checkpoint in one .safetensors file, with the names of the program that trained it, holds weights
alone. What diffusers would fetch from the hub, configuration and tokenizer, comes from a folder
that is named beside it; no weights are taken from there.
"""

import copy
import shutil
import tempfile
import warnings
from inspect import signature
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
from diffusers.pipelines.auto_pipeline import AUTO_TEXT2IMAGE_PIPELINES_MAPPING
from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

from rldf.errors import ConfigError, ModelMissingError
from rldf.io import distributed
from rldf.io.distributed import Dtype
from rldf.io.files import parse_json, read_file
from rldf.io.text import one_line
from rldf.models.repo_files import INDEX, TEXTS, components, has_weights

Scheduler = Literal["dpm-solver", "ddim-trailing", "lcm", "own"]
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_SCHEDULERS: dict[Scheduler, tuple[Any, dict[str, Any]]] = {
    "dpm-solver": (DPMSolverMultistepScheduler, {}),
    # It would clip latents to -1..1 where the configuration of another scheduler says nothing.
    "ddim-trailing": (DDIMScheduler, {"timestep_spacing": "trailing", "clip_sample": False}),
    "lcm": (LCMScheduler, {}),
}
_DECODERS = ("AutoencoderKL", "AutoencoderTiny")
_LEFT_OUT = {"safety_checker": None, "requires_safety_checker": False, "feature_extractor": None,
             "add_watermarker": False}  # fmt: skip
_USUAL = (20, 10, 4)  # steps that nearly every scheduler takes
_SHAPE = (1, 4, 2, 2)  # of the random numbers that a scheduler is tried on


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
        return _quiet(_load_one_file(path, config, index, dtype, **parts))
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


def check_steps(scheduler: Any, steps: int) -> None:
    """Go once through all steps of a scheduler, on a few random numbers.

    It tells before anything is drawn which option the scheduler cannot work with: deep in it, that
    is an index which is out of bounds, or a division by zero whose image is black.
    """
    problem = _problem(scheduler, steps)
    if problem is not None:
        option, advice = _culprit(scheduler, steps)
        name = type(scheduler).__name__
        raise ConfigError(f"{name} cannot draw with {option} ({problem}): {advice}")


def _problem(scheduler: Any, steps: int) -> str | None:
    """Say what goes wrong, if anything does."""
    source = torch.Generator().manual_seed(0)
    try:
        tried = copy.deepcopy(scheduler)
        tried.set_timesteps(steps)
        takes = signature(tried.step).parameters
        options = {"generator": source} if "generator" in takes else {}
        sample = torch.randn(_SHAPE, generator=source) * float(tried.init_noise_sigma)
        for time in tried.timesteps:
            tried.scale_model_input(sample, time)
            noise = torch.randn(_SHAPE, generator=source)
            sample = tried.step(noise, time, sample, **options).prev_sample
    except Exception as error:  # a stranger's configuration may raise anything
        return one_line(error)
    return None if bool(sample.isfinite().all()) else "its numbers are not finite"


def _culprit(scheduler: Any, steps: int) -> tuple[str, str]:
    """Find the option without which it works, and what to do about it."""
    work = [n for n in _USUAL if _problem(scheduler, n) is None]
    if work:
        return f"steps: {steps}", f"give another number of steps, such as {work[0]}"
    file = "scheduler/scheduler_config.json"
    usual = signature(type(scheduler).__init__).parameters
    for name, value in scheduler.config.items():
        if name in usual and value != usual[name].default:
            other = copy.deepcopy(scheduler.config) | {name: usual[name].default}
            if _works_with(scheduler, other, steps):
                works = usual[name].default
                return f"{name}: {value}", f"set it in its {file} as its authors do ({works} works)"
    return f"the options of its {file}", "give those of the model's authors"


def _works_with(scheduler: Any, config: dict[str, Any], steps: int) -> bool:
    try:
        made = type(scheduler).from_config(config)
    except Exception:  # as above
        return False
    return _problem(made, steps) is None


def _load_one_file(
    file: Path, config: Path | None, index: dict[str, Any], dtype: torch.dtype, **parts: Any
) -> Any:
    """Load a pipeline from a checkpoint in one file."""
    if file.suffix != ".safetensors":
        raise ConfigError(f"{file} is no .safetensors file: give one, or a folder of diffusers")
    if config is None:
        raise ConfigError(
            f"{file} is a checkpoint in one file, without configuration: name a folder in "
            "diffusers' layout of the same model family, such as one that 'rldf models path sd14' "
            "tells, components: {config: {path: FOLDER}}"
        )
    name = str(index.get("_class_name"))
    kind: Any = getattr(diffusers, name, None) if name.isidentifier() else None
    draws = kind in AUTO_TEXT2IMAGE_PIPELINES_MAPPING.values()
    if not (draws and hasattr(kind, "from_single_file")):
        raise ConfigError(
            f"config {config} is of {name[:60]}: no text-to-image pipeline that loads from one file"
        )
    known = signature(kind).parameters
    fixed = {key: value for key, value in _LEFT_OUT.items() if key in known}
    try:
        with tempfile.TemporaryDirectory() as folder:
            _copy_texts(config, index, Path(folder))
            # Without a folder it asks the hub, whatever local_files_only says.
            return kind.from_single_file(
                str(file), config=folder, dtype=dtype, local_files_only=True, **fixed, **parts
            )
    except Exception as error:  # a strange file may raise anything; the user needs one line
        lacks = isinstance(error, NotImplementedError)  # "cannot copy out of meta tensor"
        why = "it lacks weights that the configuration names" if lacks else one_line(error)
        raise ConfigError(
            f"{file} is no checkpoint of the {name} in {config}: {why}: name a config of its family"
        ) from error


def _copy_texts(config: Path, index: dict[str, Any], folder: Path) -> None:
    """Copy configuration and tokenizers, so that no weights can come from anywhere else."""
    shutil.copyfile(config / INDEX, folder / INDEX)
    for component in components(index):
        (folder / component).mkdir()
        for file in (config / component).glob("*"):
            if file.suffix in TEXTS and ".index." not in file.name:
                shutil.copyfile(file, folder / component / file.name)


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
        **_LEFT_OUT, **parts,
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
