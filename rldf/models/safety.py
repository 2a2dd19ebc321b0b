"""Checks the files of a model before a library loads them: numbers and configuration, no code.

The libraries are also called with options that forbid code, but what they load depends on their
version, and some follow instructions in the model's own files. A model that is refused here is
never given to a library.
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
    """Raise `ConfigError` for a model that holds, or could hold, code or absurd numbers."""
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
        raise ConfigError(
            f"{folder} is a pipeline where one model is expected: give the folder of that model"
        )
    _check_no_code(files)
    _check_safetensors(files)
    pickles = [file.name for file in files if file.suffix.lower() in _PICKLES]
    if pickles and not any(file.suffix == ".safetensors" for file in files):
        raise ConfigError(
            f"{folder} has only pickled weights ({min(pickles)}), and a pickle can run code: "
            "give a model with .safetensors weights"
        )


def _files(folder: Path) -> list[Path]:
    """List the files of one folder, and the links to files; [] if there is no such folder."""
    files: list[Path] = []
    try:
        for file in folder.iterdir():
            files.append(file)
            if len(files) > _MOST_FILES:
                raise ConfigError(
                    f"{folder} holds more than {_MOST_FILES} files: give the folder of one model"
                )
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
            raise ConfigError(f"{file} belongs to an adapter: give the whole model in one folder")
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
                        f"{file}: {key}: {str(value)[:60]} is larger than in any known model: "
                        "give another model"
                    )


def _is_absurd(name: str, key: str, value: object) -> bool:
    """Return whether a number of a configuration exceeds the limit for its key."""
    limits = _OF_IMAGES if name == "preprocessor_config.json" else _OF_MODELS
    most = next((most for part, most in limits.items() if part in key), None)
    numbers = value if isinstance(value, list) else [value]
    return most is not None and any(isinstance(n, int | float) and n > most for n in numbers)


def _names_code(key: str, value: object) -> bool:
    # An attention with a slash in its name is a kernel of the hub, fetched and run.
    kernel = key.endswith("attn_implementation") and "/" in str(value)
    return kernel or (key in _RUNS_CODE and bool(value))


def _loaded(index: Path) -> list[str]:
    """Return the folders that a pipeline is loaded from, by its `model_index.json`."""
    entries = _read(index)
    _check_class(index, entries.get("_class_name"))
    for key, value in _entries(entries):
        if _names_code(key, value):
            raise ConfigError(
                f"{index} names code to run ({key}), and code of models is never run: give a "
                "model that works without it"
            )
    try:
        return [name for name in components(entries) if name not in _LEFT_OUT]
    except ConfigError as error:
        raise ConfigError(f"{index.parent}: {error}") from None


def _check_class(index: Path, name: object) -> None:
    if not (isinstance(name, str) and name.isidentifier()):
        raise ConfigError(f"{index}: _class_name must name a pipeline of diffusers")
    if _HALVES.match(name):
        raise ConfigError(
            f"{index}: a {name[:60]} needs another pipeline, which its README names: give a "
            "pipeline that is complete in one folder"
        )


def _check_safetensors(files: list[Path]) -> None:
    for file in files:
        if file.suffix == ".safetensors":
            _check_header(file)
        elif file.name.endswith(".safetensors.index.json"):
            _check_shards(file)


def _check_header(file: Path) -> None:
    """Check that the tensors' lengths, types, shapes and offsets in the header fit the file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="np"):
            pass
    except (SafetensorError, OSError, ValueError, MemoryError) as error:
        raise ConfigError(f"{file} is no valid safetensors file: {one_line(error)}") from None


def _check_pickle(file: Path) -> None:
    """Refuse a torch file that is small on the disk and could be large in memory.

    Two such files pass torch's own check for code: a compressed archive, which torch reads but
    never writes, and a pickle that calls `bytearray(n)`.
    """
    with file.open("rb") as stream:
        inside = _unpacked(file) if stream.read(4) == _ARCHIVE else 0
    size = file.stat().st_size
    if inside > size:
        raise ConfigError(
            f"{file} is compressed from {inside} to {size} bytes, which torch never does: give "
            "the file as torch wrote it"
        )
    if size:
        with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as m:
            if m.find(b"bytearray") >= 0:
                raise ConfigError(
                    f"{file}: its pickle calls bytearray(n), which can exhaust memory and which "
                    "no model needs: give another file"
                )


def _unpacked(file: Path) -> int:
    """Return the total unpacked size of a torch archive's entries, bytes.

    Raises:
        ConfigError: if zipfile cannot read it, since torch might read it all the same.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise ConfigError(f"{file} is no valid archive of torch: {one_line(error)}") from None


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
    """Yield every key and value of a JSON object and of all objects nested in it."""
    left: list[object] = [record]
    while left:
        place = left.pop()
        if isinstance(place, dict):
            yield from place.items()
            left += place.values()
        elif isinstance(place, list):
            left += place
