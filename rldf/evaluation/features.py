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
from rldf.io.cache import DiskCache, key_of
from rldf.io.files import parse_json

BATCH = 64
Features = NDArray[np.float32]  # (n, d)
Progress = Callable[[str, int, int], None]
"""Called with the current step, the number done and the total."""

LIMIT = 4_000_000_000
"""Bytes that the cache may hold before old entries go."""

Arrays = Mapping[str, NDArray[Any]]


class EvaluationCache:
    """A content-addressed cache of arrays and JSON documents, bounded in bytes."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        """Describe a cache; its folder is made when first written to."""
        self._disk = DiskCache(folder, limit)

    def find_arrays(self, key: str) -> Arrays | None:
        """Look arrays up.

        Returns:
            Arrays by name, None where there is no sound entry.
        """
        from safetensors import safe_open
        from safetensors.numpy import load_file

        def decode(path: Path) -> Arrays | None:
            with safe_open(path, framework="np") as file:
                said = (file.metadata() or {}).get("sha256")
            arrays: Arrays = load_file(path)
            return arrays if said == _checksum(arrays) else None

        return self._disk.read(key, "safetensors", decode)

    def keep_arrays(self, key: str, arrays: Arrays) -> Arrays:
        """Store arrays under a key, and return them."""
        from safetensors.numpy import save

        solid = {name: np.asarray(array, order="C") for name, array in arrays.items()}
        data = save(solid, metadata={"sha256": _checksum(solid)})
        self._disk.try_store(key, "safetensors", data)
        return arrays

    def find_document(self, key: str) -> Any:
        """Look a document up; None where there is no sound entry."""
        found = self._disk.read(key, "json", _sound)
        return None if found is None else found["value"]

    def keep_document(self, key: str, document: Any) -> Any:
        """Store a document under a key, and return it as it is read again."""
        value = json.loads(json.dumps(document, allow_nan=False))
        text = json.dumps({"sha256": key_of(value), "value": value})
        self._disk.try_store(key, "json", text.encode("ascii"))
        return value

    def part_path(self, key: str) -> Path:
        """Return the checkpoint file of an unfinished computation; its folder is made."""
        path = self._disk.path(key, "part")
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
        return path


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


def _sound(path: Path) -> dict[str, Any] | None:
    """Read the file of a document; None if its value is not the one that was written."""
    found: dict[str, Any] = parse_json(path.read_text(encoding="ascii"))
    return found if found["sha256"] == key_of(found["value"]) else None


def _checksum(arrays: Arrays) -> str:
    total = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        total.update(f"{name} {array.dtype} {array.shape}\n".encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()
