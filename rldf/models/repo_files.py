"""Which files of a hub repository a model is made of.

A repository often holds the same weights as pickles, in other precisions and for other libraries.
A pull takes safetensors, configuration and tokenizers only. Of a pipeline it takes the components
that `model_index.json` names, each in half precision if the repository has that.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rldf.errors import ConfigError

INDEX = "model_index.json"
"""The file that makes a repository a pipeline of diffusers."""

TEXTS = (".json", ".txt", ".model", ".jinja")
"""File name endings of configuration, tokenizers and chat templates."""

WEIGHTS = (".pt", ".onnx", ".safetensors")
"""File name endings of weights."""

_LIBRARIES = ("diffusers", "transformers")
_STEMS = {"open-clip": ("open_clip_model",)}  # by class: repositories that hold other weights too
_OPTIONAL = ("safety_checker",)  # a pipeline works without it; a clone loads it by itself
_USUAL = ("model", "diffusion_pytorch_model")
_HALF = r"\.fp16"
_SHARD = r"(-\d{5}-of-\d{5})?\.safetensors"
_SHARDS = r"\.safetensors\.index"


def wanted(
    kind: str, names: Collection[str], file: str | None, index: Mapping[str, Any] | None
) -> list[str]:
    """Choose the files of a repository that a model is loaded from.

    Args:
        kind: the class of the part.
        names: all files of the repository.
        file: the only file to take, if the model set file names one.
        index: the contents of `model_index.json`, for a pipeline.

    Raises:
        ConfigError: if the repository has no such file, or no weights as safetensors.
    """
    if file is not None:
        return [_single(file, names)]
    if index is None:
        return sorted(_model(kind, names, ""))
    found = {INDEX}
    for component in components(index):
        inside = [name for name in names if name.startswith(f"{component}/")]
        if component in _OPTIONAL and not any(name.endswith(".safetensors") for name in inside):
            continue
        found.update(_model(kind, inside, f"{component}/"))
    return sorted(found)


def components(index: Mapping[str, Any]) -> list[str]:
    """List the components that `model_index.json` names and diffusers would load."""
    stated = {name: value for name, value in index.items() if _is_component(name, value)}
    for name, (library, made) in stated.items():
        if not (name.isidentifier() and _is_known(library) and isinstance(made, str)):
            raise ConfigError(
                f"{INDEX}: component {name[:60]} is of {str(library)[:60]}: only components of "
                "diffusers and transformers are loaded"
            )
        if "Pipeline" in made:
            raise ConfigError(
                f"{INDEX}: component {name} is a pipeline itself ({made[:60]}): give a pipeline "
                "without another one in it"
            )
    return list(stated)


def _is_component(name: str, value: object) -> bool:
    pair = isinstance(value, list) and len(value) == 2 and value[0] is not None
    return pair and not name.startswith("_")


def _is_known(library: object) -> bool:
    """Return whether a component's library is diffusers, one of its pipelines, or transformers."""
    if library in _LIBRARIES:
        return True
    spec = find_spec("diffusers")
    if spec is None or spec.origin is None or not str(library).isidentifier():
        return False
    return (Path(spec.origin).parent / "pipelines" / str(library)).is_dir()


def has_weights(names: Iterable[str], *, half: bool) -> bool:
    """Return whether file names include safetensors weights in half (or else full) precision."""
    pattern = rf"({'|'.join(_USUAL)}){_HALF if half else ''}{_SHARD}"
    return any(_matches(pattern, name, "") for name in names)


def _single(file: str, names: Collection[str]) -> str:
    if not file.endswith(WEIGHTS):
        raise ConfigError(f"file {file}: name a {', '.join(WEIGHTS[:-1])} or {WEIGHTS[-1]} file")
    if file not in names:
        raise ConfigError(f"it has no file {file}: name a file of the repository")
    return file


def _model(kind: str, names: Iterable[str], folder: str) -> set[str]:
    """Choose the files of a model that lie directly in one folder, which is "" or ends in "/"."""
    own = [name for name in names if "/" not in name[len(folder) :]]
    texts = {name for name in own if _is_text(name[len(folder) :])}
    weights = [name for name in own if name.endswith((".safetensors", ".bin", ".pth", ".ckpt"))]
    stems = "|".join(_STEMS.get(kind, _USUAL))
    for variant in (_HALF, "") if folder else ("",):
        chosen = {name for name in own if _matches(rf"({stems}){variant}{_SHARD}", name, folder)}
        if chosen:
            ending = variant.replace("\\", "")
            indices = {
                name
                for name in own
                if _matches(rf"({stems}){_SHARDS}{re.escape(ending)}\.json", name, folder)
            }
            return texts | chosen | indices
    if weights or not texts or not folder:
        place = folder or "its first folder; if one file of it is the model, name it as file"
        raise ConfigError(f"it has no weights as safetensors in {place}")
    return texts  # a tokenizer or a scheduler


def _matches(pattern: str, name: str, folder: str) -> bool:
    return re.fullmatch(pattern, name[len(folder) :]) is not None


def _is_text(name: str) -> bool:
    """Return whether a file is configuration or a tokenizer, and no index of shards."""
    return name.endswith(TEXTS) and ".index." not in name and not name.startswith((".", "README"))
