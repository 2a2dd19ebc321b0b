"""Memorisation: how near the clone's images come to single real ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rldf.evaluation.features import Features

ONE_IN = 1000
"""Real images of which one is more like another than the threshold."""

QUANTILE = 1 - 1 / ONE_IN
"""Of the real images' likeness to their nearest other one: what is above is a near duplicate."""

SAME = 0.99999
"""Cosine from which on two real images are copies of each other and calibrate nothing."""

_COSINES = 50_000_000  # held at a time


@dataclass(frozen=True, slots=True)
class Pair:
    """An image of the clone and its nearest real one.

    Attributes:
        clone: place in the clone.
        real: place in the real set.
        cosine: of their features, -1 to 1.
    """

    clone: int
    real: int
    cosine: float


@dataclass(frozen=True, slots=True)
class Memorisation:
    """What `near_duplicates` found.

    Attributes:
        rate: share of the clone's images that are a near duplicate of a real one, 0 to 1.
        threshold: the cosine from which on they are.
        closest: the nearest pairs, each image of the clone once, nearest first.
        calibrated: real images that the threshold was taken from.
    """

    rate: float
    threshold: float
    closest: tuple[Pair, ...]
    calibrated: int


def near_duplicates(clone: Features, real: Features, keep: int = 10) -> Memorisation:
    """Find the clone's images that are nearer to a real one than real ones are to each other.

    The threshold is the 99.9th percentile of the cosine between a real image and its nearest other
    one, so a clone that draws as freely as reality does has a rate of about 0.001. Real images that
    are there twice (cosine above 0.99999) are left out of the calibration.

    Args:
        clone: (n, d).
        real: (m, d), m at least 2.
        keep: pairs to give.

    Returns:
        Rate, threshold and nearest pairs.
    """
    clone, real = _unit(clone), _unit(real)
    among, _ = nearest(real, real, skip_itself=True)
    distinct = among[among < SAME]
    threshold = float(np.quantile(distinct, QUANTILE)) if len(distinct) else SAME
    cosines, places = nearest(clone, real)
    order = np.argsort(-cosines, kind="stable")[:keep]
    pairs = (Pair(int(i), int(places[i]), float(cosines[i])) for i in order)
    rate = float(np.mean(cosines > threshold))
    return Memorisation(rate, threshold, tuple(pairs), len(distinct))


def nearest(
    rows: Features, others: Features, *, skip_itself: bool = False
) -> tuple[Features, NDArray[np.int64]]:
    """Find the most similar other row of each row.

    Args:
        rows: (n, d), of length 1.
        others: (m, d), of length 1.
        skip_itself: whether the two are one set, whose rows are not to find themselves.

    Returns:
        Cosine (n,) and place among the others (n,).
    """
    cosines, places = [], []
    step = max(1, _COSINES // len(others))
    for start in range(0, len(rows), step):
        likeness = rows[start : start + step] @ others.T
        if skip_itself:
            here = np.arange(len(likeness))
            likeness[here, start + here] = -np.inf
        best = likeness.argmax(1)
        places.append(best)
        cosines.append(np.take_along_axis(likeness, best[:, None], 1)[:, 0])
    return np.concatenate(cosines), np.concatenate(places)


def _unit(features: Features) -> Features:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit: Features = features / np.maximum(lengths, np.finfo(np.float32).tiny)
    return unit
