"""Features of images: what the extractors promise, and how a set's features are made and kept."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from rldf.evaluation.feature_cache import Store, key_of
from rldf.evaluation.image_sets import Contents, ImageSet, in_batches
from rldf.interfaces import Json

BATCH = 64
Features = NDArray[np.float32]  # (n, d)
Progress = Callable[[str, int, int], None]
"""Told what is being done, how many are done, and of how many."""


class FeatureExtractor(Protocol):
    """Turns images into vectors whose distances mean something.

    Resizing is the extractor's own matter: it decides the features, so it is part of it.
    """

    @property
    def name(self) -> str:
        """What it is called in results."""

    @property
    def identity(self) -> Json:
        """Everything that decides the features apart from the image; known before it is loaded."""

    def __call__(self, images: Sequence[Image]) -> Features:
        """Look at RGB images of any size: (n, d) float32."""


def features_key(contents: Contents, extractor: FeatureExtractor) -> str:
    """Name the features of a set.

    Args:
        contents: what the set holds.
        extractor: what looks at it.

    Returns:
        A key of the store.
    """
    return key_of("features", contents.key, extractor.identity)


def set_features(
    images: ImageSet,
    contents: Contents,
    extractor: FeatureExtractor,
    store: Store,
    progress: Progress,
) -> Features:
    """Look up the features of a set, or compute and keep them.

    Args:
        images: the set.
        contents: what it holds.
        extractor: what looks at it.
        store: where features are kept.
        progress: told how far it is.

    Returns:
        (n, d), a row a picture, in the order of the set.

    Raises:
        ImageError: a picture is damaged.
    """

    def compute() -> dict[str, Features]:
        return {"features": extract(images, len(contents), extractor, progress)}

    found = store.arrays(features_key(contents, extractor), compute)["features"]
    return found.astype(np.float32, copy=False)


def extract(images: ImageSet, n: int, extractor: FeatureExtractor, progress: Progress) -> Features:
    """Compute the features of a set.

    Args:
        images: the set.
        n: how many pictures it holds.
        extractor: what looks at it.
        progress: told how far it is.

    Returns:
        (n, d), a row a picture, in the order of the set.

    Raises:
        ImageError: a picture is damaged.
    """
    rows: list[Features] = []
    what, done = f"{extractor.name} features of {images.root}", 0
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for some in in_batches(images, BATCH):
            rows.append(extractor(list(pool.map(images.decode, some))))
            done += len(some)
            progress(what, done, n)
    return np.concatenate(rows)
