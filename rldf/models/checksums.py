"""Checksums of models on the disk."""

import hashlib
from pathlib import Path

from rldf.files import sha256_file

_LOADED = {".safetensors", ".pt", ".onnx", ".json", ".txt", ".model"}  # weights, configuration
_NOT_LOADED = ("training.json", "README", "LICENSE", "NOTICE", ".")  # beginnings of file names


def checksum_of(path: Path) -> str:
    """Hash a model's files: weights and configuration.

    Args:
        path: a file or folder.

    Returns:
        A SHA-256 over their names and contents.
    """
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if _is_loaded(p))
    total = hashlib.sha256()
    for file in files:
        total.update(f"{file.relative_to(path.parent)} {sha256_file(file)}\n".encode())
    return total.hexdigest()


def _is_loaded(file: Path) -> bool:
    named = file.suffix in _LOADED and not file.name.startswith(_NOT_LOADED)
    return named and file.is_file()
