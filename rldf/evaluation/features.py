"""Features of image sets, and the disk cache that keeps features, weights and metrics.

    <folder>/<two hex digits>/<key>.safetensors   arrays
    <folder>/<two hex digits>/<key>.json          a JSON document
    <folder>/<two hex digits>/<key>.part          the checkpoint of an unfinished computation

A key is the SHA-256 of everything that decides the value, so an entry never goes stale. Each entry
holds a checksum; a damaged entry is computed again. Least recently used entries are deleted when
the cache exceeds its limit. If the folder is not writable, one warning is logged and nothing more
is cached.
"""

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from rldf.evaluation.image_sets import Contents, ImageSet, in_batches
from rldf.interfaces import Json
from rldf.io.files import parse_json, write_bytes
from rldf.io.text import plain

BATCH = 64
Features = NDArray[np.float32]  # (n, d)
Progress = Callable[[str, int, int], None]
"""Called with the current step, the number done and the total."""

LIMIT = 4_000_000_000
"""Bytes that the cache may hold before old entries go."""

Arrays = Mapping[str, NDArray[Any]]
_log = logging.getLogger(__name__)


def key_of(*deciding: object) -> str:
    """Hash everything that decides a value, as JSON can say it: 64 hexadecimal digits."""
    text = json.dumps(deciding, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class EvaluationCache:
    """A content-addressed cache of arrays and JSON documents, bounded in bytes."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        """Describe a cache; its folder is made when first written to."""
        self._folder = folder
        self._limit = limit
        self._writable = True

    def find_arrays(self, key: str) -> Arrays | None:
        """Look arrays up.

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
        """Store arrays under a key, and return them."""
        from safetensors.numpy import save

        solid = {name: np.asarray(array, order="C") for name, array in arrays.items()}
        data = save(solid, metadata={"sha256": _checksum(solid)})
        self._write(self._path(key, "safetensors"), data)
        return arrays

    def find_document(self, key: str) -> Any:
        """Look a document up; None where there is no sound entry."""
        path = self._path(key, "json")
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            found = parse_json(path.read_text(encoding="ascii"))
            if found["sha256"] == key_of(found["value"]):
                self._touch(path)
                return found["value"]
        return None

    def keep_document(self, key: str, document: Any) -> Any:
        """Store a document under a key, and return it as it is read again."""
        value = json.loads(json.dumps(document, allow_nan=False))
        text = json.dumps({"sha256": key_of(value), "value": value})
        self._write(self._path(key, "json"), text.encode("ascii"))
        return value

    def part_path(self, key: str) -> Path:
        """Return the checkpoint file of an unfinished computation; its folder is made."""
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
        """Delete least recently used entries until the rest is within the limit."""
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


class FeatureExtractor(Protocol):
    """Maps images to feature vectors.

    Resizing is part of the extractor, because it decides the features.
    """

    @property
    def name(self) -> str:
        """Its name in results."""

    @property
    def identity(self) -> Json:
        """Everything that decides the features apart from the image; known before it is loaded."""

    def __call__(self, images: Sequence[Image]) -> Features:
        """Compute features of RGB images of any size: (n, d) float32."""


def features_key(contents: Contents, extractor: FeatureExtractor) -> str:
    """Return the cache key of a set's features."""
    return key_of("features", contents.key, extractor.identity)


def extract(images: ImageSet, n: int, extractor: FeatureExtractor, progress: Progress) -> Features:
    """Compute the features of a set.

    Returns:
        (n, d), a row a picture, in the order of the set.
    """
    rows: list[Features] = []
    what, done = f"{extractor.name} features of {images.root}", 0
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for some in in_batches(images, BATCH):
            rows.append(extractor(list(pool.map(images.decode, some))))
            done += len(some)
            progress(what, done, n)
    return np.concatenate(rows)


def _checksum(arrays: Arrays) -> str:
    total = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        total.update(f"{name} {array.dtype} {array.shape}\n".encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()
