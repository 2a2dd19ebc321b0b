"""A content-addressed store on disk for what takes long to compute: features, weights, figures.

    <folder>/<two hex digits>/<key>.safetensors   arrays
    <folder>/<two hex digits>/<key>.json          a document
    <folder>/<two hex digits>/<key>.part          a computation's own half-way state

A key is the SHA-256 of everything that decides the value, so an entry never goes stale. Each entry
holds a checksum; one that is damaged is computed again. What was not used longest goes when the
store grows past its limit. A folder that cannot be written to is told once and then left alone.
"""

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rldf.io.files import parse_json, write_bytes
from rldf.io.text import plain

LIMIT = 4_000_000_000
"""Bytes that the store may hold before old entries go."""

Arrays = Mapping[str, NDArray[Any]]
_log = logging.getLogger(__name__)


def key_of(*deciding: object) -> str:
    """Make a key.

    Args:
        deciding: everything that decides the value, as JSON can say it.

    Returns:
        64 hexadecimal digits.
    """
    text = json.dumps(deciding, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Store:
    """Computes only what was never computed before."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        """Describe a store.

        Args:
            folder: where it lies; made when first written to.
            limit: bytes to keep.
        """
        self._folder = folder
        self._limit = limit
        self._writable = True

    def arrays(self, key: str, compute: Callable[[], Arrays]) -> Arrays:
        """Look arrays up, or compute and keep them.

        Args:
            key: what `key_of` gave.
            compute: makes them.

        Returns:
            Arrays by name.
        """
        found = self.find_arrays(key)
        return self.keep_arrays(key, compute()) if found is None else found

    def find_arrays(self, key: str) -> Arrays | None:
        """Look arrays up.

        Args:
            key: what `key_of` gave.

        Returns:
            Arrays by name, None where there is no sound entry.
        """
        from safetensors import SafetensorError, safe_open
        from safetensors.numpy import load_file

        path = self._path(key, "safetensors")
        try:
            with safe_open(path, framework="np") as file:
                said = (file.metadata() or {}).get("sha256")
            arrays: Arrays = load_file(path)
        except (OSError, SafetensorError, ValueError):
            return None
        if said != _checksum(arrays):
            return None
        self._touch(path)
        return arrays

    def keep_arrays(self, key: str, arrays: Arrays) -> Arrays:
        """Keep arrays.

        Args:
            key: what `key_of` gave.
            arrays: the value.

        Returns:
            The value.
        """
        from safetensors.numpy import save

        solid = {name: np.asarray(array, order="C") for name, array in arrays.items()}
        data = save(solid, metadata={"sha256": _checksum(solid)})
        self._write(self._path(key, "safetensors"), data)
        return arrays

    def document(self, key: str, compute: Callable[[], Any]) -> Any:
        """Look a document up, or compute and keep it.

        Args:
            key: what `key_of` gave.
            compute: makes it, as JSON can say it.

        Returns:
            The document, as it comes out of JSON.
        """
        path = self._path(key, "json")
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            found = parse_json(path.read_text(encoding="ascii"))
            if found["sha256"] == key_of(found["value"]):
                self._touch(path)
                return found["value"]
        value = json.loads(json.dumps(compute(), allow_nan=False))
        text = json.dumps({"sha256": key_of(value), "value": value})
        self._write(path, text.encode("ascii"))
        return value

    def part_path(self, key: str) -> Path:
        """Name the file for the half-way state of a computation; its folder is made.

        Args:
            key: the key of the value to come.

        Returns:
            The file, whether it is there or not.
        """
        path = self._path(key, "part")
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _path(self, key: str, kind: str) -> Path:
        return self._folder / key[:2] / f"{key}.{kind}"

    def _touch(self, path: Path) -> None:
        with contextlib.suppress(OSError):  # another's folder, or read-only
            os.utime(path)

    def _write(self, path: Path, data: bytes) -> None:
        if not self._writable:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, data)
            self._shrink(keep=path)
        except OSError as error:
            self._writable = False
            _log.warning(
                "%s: %s; going on without keeping results: free space there, or name "
                "another folder in RLDF_CACHE",
                plain(str(self._folder)),
                error.strerror or error,
            )

    def _shrink(self, keep: Path) -> None:
        """Remove the entries that were not used longest until the rest fits."""
        entries = []
        for path in self._folder.glob("??/*.*"):
            with contextlib.suppress(OSError):
                entries.append((path.stat().st_mtime, path.stat().st_size, path))
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if total <= self._limit:
                return
            if path != keep:
                path.unlink(missing_ok=True)
                total -= size


def _checksum(arrays: Arrays) -> str:
    total = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        total.update(f"{name} {array.dtype} {array.shape}\n".encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()
