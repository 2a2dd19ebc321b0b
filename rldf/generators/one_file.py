"""A checkpoint in one .safetensors file, with the names of the program that trained it.

Such a file holds weights alone. What diffusers would fetch from the hub, configuration and
tokenizer, comes from a folder that is named beside it; no weights are taken from there.
"""

import shutil
import tempfile
from inspect import signature
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers.pipelines.auto_pipeline import AUTO_TEXT2IMAGE_PIPELINES_MAPPING

from rldf.errors import ConfigError
from rldf.io.text import one_line
from rldf.models.repo_files import INDEX, TEXTS, components

_LEFT_OUT = {"safety_checker": None, "requires_safety_checker": False, "feature_extractor": None,
             "add_watermarker": False}  # fmt: skip


def load_one_file(
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
