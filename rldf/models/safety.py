"""Models of strangers, looked through before a library loads them.

A model may be numbers and configuration, never code. The loaders of the libraries are asked for no
code too; but what they make of a folder changes with their versions, and some of them do what the
folder itself says. What is refused here reaches none of them.
"""

import mmap
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rldf.errors import ConfigError
from rldf.io.files import parse_json
from rldf.io.text import one_line
from rldf.models.repo_files import INDEX, components

_LEFT_OUT = ("safety_checker", "feature_extractor")  # components that the generator never loads
_PICKLES = (".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth", ".tar")
_RUNS_CODE = ("auto_map", "custom_pipeline", "custom_pipelines", "trust_remote_code")
# What transformers follows to another folder, or the hub, to load it as well.
_ADAPTER = "adapter_config.json"
_OF_OTHERS = ("base_model_name_or_path", "audio_tokenizer_name_or_path")
# Pipelines whose second half diffusers loads from wherever their README says.
_HALVES = re.compile(r"Kandinsky(?!\d)|StableCascade|Wuerstchen")
# By a part of a key: the largest number that it may have.
_OF_IMAGES = {"height": 8_192, "width": 8_192, "shortest_edge": 8_192, "size": 8_192}
_OF_MODELS = {
    **dict.fromkeys(("layers", "depth", "heads", "blocks"), 10_000),
    **dict.fromkeys(("size", "dim", "width", "height", "channels", "timesteps"), 1_000_000),
}
_ARCHIVE = b"PK\x03\x04"  # how torch tells its archives from its older form
_MOST_FILES = 2_000  # in one folder
_MOST_BYTES = 16_000_000  # of one file of configuration


def check_model(path: Path) -> None:
    """Refuse a model that is, or could be, more than numbers and configuration."""
    if path.is_file():
        _check_safetensors([path])
        if path.suffix.lower() in _PICKLES:
            _check_pickle(path)
    elif (path / INDEX).is_file():
        _check_no_code(_files(path))
        for name in _loaded(path / INDEX):
            _check_folder(path / name)
    elif path.is_dir():
        _check_folder(path)


def _check_folder(folder: Path) -> None:
    files = _files(folder)
    if folder / INDEX in files:
        raise ConfigError(f"{folder} is a pipeline in a pipeline: give its parts one by one")
    _check_no_code(files)
    _check_safetensors(files)
    pickles = [file.name for file in files if file.suffix.lower() in _PICKLES]
    if pickles and not any(file.suffix == ".safetensors" for file in files):
        raise ConfigError(
            f"{folder} has pickled weights alone ({min(pickles)}), and a pickle can run code: "
            "give them as .safetensors"
        )


def _files(folder: Path) -> list[Path]:
    """List the files of one folder; a hub's cache holds links to them."""
    files: list[Path] = []
    try:
        for file in folder.iterdir():
            files.append(file)
            if len(files) > _MOST_FILES:
                raise ConfigError(f"{folder} holds more than {_MOST_FILES} files: it is no model")
        return sorted(file for file in files if file.is_file())
    except FileNotFoundError:  # a component that the generator may do without
        return []
    except OSError as error:
        raise ConfigError(f"{folder} cannot be read: {error.strerror}") from None


def _check_no_code(files: list[Path]) -> None:
    for file in files:
        if file.suffix == ".py":
            raise ConfigError(f"{file} is code, and code of models is never run: remove it")
        if file.name == _ADAPTER:
            raise ConfigError(f"{file} is of an adapter: give the whole model in one folder")
        if "config" in file.name and file.suffix == ".json":
            for key, value in _entries(_read(file)):
                if _names_code(key, value):
                    raise ConfigError(
                        f"{file} names code to run ({key}), and code of models is never run: give "
                        "a model that works without it"
                    )
                if key in _OF_OTHERS and value:
                    raise ConfigError(
                        f"{file} names another model to load ({key}): give the whole model in one "
                        "folder"
                    )
                if _is_absurd(file.name, key, value):
                    raise ConfigError(
                        f"{file}: {key}: {str(value)[:60]} is more than any model has"
                    )


def _is_absurd(name: str, key: str, value: object) -> bool:
    """Tell whether a number asks for more memory or time than any model takes."""
    limits = _OF_IMAGES if name == "preprocessor_config.json" else _OF_MODELS
    most = next((most for part, most in limits.items() if part in key), None)
    numbers = value if isinstance(value, list) else [value]
    return most is not None and any(isinstance(n, int | float) and n > most for n in numbers)


def _names_code(key: str, value: object) -> bool:
    # An attention with a slash in its name is a kernel of the hub, fetched and run.
    kernel = key.endswith("attn_implementation") and "/" in str(value)
    return kernel or (key in _RUNS_CODE and bool(value))


def _loaded(index: Path) -> list[str]:
    """Read which folders a pipeline is loaded from."""
    entries = _read(index)
    _check_class(index, entries.get("_class_name"))
    for key, value in _entries(entries):
        if _names_code(key, value):
            raise ConfigError(f"{index} names code to run ({key}), and code of models is never run")
    try:
        return [name for name in components(entries) if name not in _LEFT_OUT]
    except ConfigError as error:
        raise ConfigError(f"{index.parent}: {error}") from None


def _check_class(index: Path, name: object) -> None:
    if not (isinstance(name, str) and name.isidentifier()):
        raise ConfigError(f"{index}: _class_name must name a pipeline of diffusers")
    if _HALVES.match(name):
        raise ConfigError(
            f"{index}: a {name[:60]} draws with another model, which its README names: give a "
            "pipeline that is whole in one folder"
        )


def _check_safetensors(files: list[Path]) -> None:
    for file in files:
        if file.suffix == ".safetensors":
            _check_header(file)
        elif file.name.endswith(".safetensors.index.json"):
            _check_shards(file)


def _check_header(file: Path) -> None:
    """Have the header read: lengths, types, shapes and places of all tensors must fit the file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="np"):
            pass
    except (SafetensorError, OSError, ValueError, MemoryError) as error:
        raise ConfigError(f"{file} is no sound safetensors file: {one_line(error)}") from None


def _check_pickle(file: Path) -> None:
    """Refuse a file of torch that is small on the disk and large in memory.

    What may be loaded without running code still names one call that makes bytes out of a number,
    and torch unpacks packed archives, which it never writes.
    """
    with file.open("rb") as stream:
        inside = _unpacked(file) if stream.read(4) == _ARCHIVE else 0
    size = file.stat().st_size
    if inside > size:
        raise ConfigError(f"{file} is packed, {size} bytes of {inside}: no such model is")
    if size:
        with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as m:
            if m.find(b"bytearray") >= 0:
                raise ConfigError(
                    f"{file}: its pickle calls bytearray(n), which can exhaust memory: no model "
                    "needs that, and it is not loaded"
                )


def _unpacked(file: Path) -> int:
    """Add up what an archive of torch holds; one that cannot be read here, torch may read."""
    try:
        with zipfile.ZipFile(file) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise ConfigError(f"{file} is no sound archive: {one_line(error)}") from None


def _check_shards(index: Path) -> None:
    shards = _read(index).get("weight_map")
    names = shards.values() if isinstance(shards, dict) else [shards]
    for name in names:
        path = Path(str(name))
        if path.name != name or path.suffix != ".safetensors":
            raise ConfigError(f"{index}: {str(name)[:60]} is no safetensors file of this folder")


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise ConfigError(f"{file} is larger than {_MOST_BYTES // 1_000_000} MB")
        found = parse_json(data)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ConfigError(f"{file} is not JSON that can be read") from None
    if not isinstance(found, dict):
        raise ConfigError(f"{file} holds no JSON object")
    return found


def _entries(record: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Go through a record and all records in it."""
    left: list[object] = [record]
    while left:
        place = left.pop()
        if isinstance(place, dict):
            yield from place.items()
            left += place.values()
        elif isinstance(place, list):
            left += place
