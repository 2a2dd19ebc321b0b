"""Metrics of two feature sets: FID, KID, precision, recall (torch-fidelity), near duplicates.

The clone is always the first argument and the real images the second, as in torch-fidelity: a
swap would exchange precision and recall. A test compares each figure with
`torch_fidelity.calculate_metrics` over the same folders.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rldf.evaluation.features import Features
from rldf.seeding import rng

if TYPE_CHECKING:
    import torch

LEAST = 8
"""Smallest number of images in a set: FID is computed on quarters of it, which need 2."""

KID_SUBSET = 1000
PRC_MOST = 20_000  # the matrix of all distances of more does not fit into memory
_PARTS = (4, 3, 2)  # with the whole, sizes evenly spaced in 1/N

Statistics = Mapping[str, NDArray[Any]]  # mu (d,), sigma (d, d)

ONE_IN = 1000
"""One real image in this many exceeds the near-duplicate threshold."""

QUANTILE = 1 - 1 / ONE_IN
"""Quantile of the cosines of real images and their nearest neighbours: the threshold."""

SAME = 0.99999
"""Two real images above this cosine are copies of each other and are left out."""

_COSINES = 50_000_000  # held at a time


@dataclass(frozen=True, slots=True)
class FidPoint:
    """FID at one size of the sets."""

    n_clone: int  # images of the clone
    n_real: int  # real images
    fid: float  # mean over disjoint parts of that size
    variance: float | None = None  # of that mean, as the parts differ; None where there is one part


@dataclass(frozen=True, slots=True)
class Kid:
    """KID with its error."""

    kid: float  # mean over 100 subsets
    std: float  # standard deviation over 100 subsets, of at most half of the smaller set
    subset: int  # images in a subset of `kid`


def statistics(features: Features) -> Statistics:
    """Compute mean and covariance of features, as torch-fidelity does.

    Args:
        features: (n, d) float32, n at least 2.

    Returns:
        "mu" (d,) float32, the mean, and "sigma" (d, d) float64, the unbiased covariance.
    """
    from torch_fidelity.metric_fid import fid_features_to_statistics

    found: Statistics = fid_features_to_statistics(_tensor(features))
    return found


def fid(clone: Statistics, real: Statistics) -> float:
    """Compute the Fréchet distance of two sets: |μ1 - μ2|² + tr(Σ1 + Σ2 - 2 (Σ1 Σ2)^½).

    See "GANs trained by a two time-scale update rule converge to a local Nash equilibrium",
    arXiv:1706.08500.

    Args:
        clone: statistics of the clone's features.
        real: statistics of the real features.

    Returns:
        The squared distance, 0 or more up to rounding.
    """
    from torch_fidelity import KEY_METRIC_FID
    from torch_fidelity.metric_fid import fid_statistics_to_metric

    return float(fid_statistics_to_metric(clone, real, False)[KEY_METRIC_FID])


def fid_points(clone: Features, real: Features, whole: float, seed: int = 0) -> list[FidPoint]:
    """Compute FID at a quarter, a third and a half of the sets' sizes.

    Both sets are shuffled and cut into 4, 3 and 2 disjoint parts, and FID is the mean over the
    parts, so that every size has seen all images.

    Args:
        clone: (n, d) float32, n at least LEAST.
        real: (m, d) float32, likewise.
        whole: FID of the whole sets, the last point.
        seed: of the shuffling.

    Returns:
        Four points, small to large; the last one has no variance.
    """
    first = clone[rng(seed, "fid", "clone").permutation(len(clone))]
    second = real[rng(seed, "fid", "real").permutation(len(real))]
    points = []
    for parts in _PARTS:
        n, m = len(first) // parts, len(second) // parts
        found = []
        for k in range(parts):
            ours, theirs = first[k * n : (k + 1) * n], second[k * m : (k + 1) * m]
            found.append(fid(statistics(ours), statistics(theirs)))
        variance = float(np.var(found, ddof=1)) / parts
        points.append(FidPoint(n, m, float(np.mean(found)), variance))
    return [*points, FidPoint(len(clone), len(real), whole)]


def fid_infinity(points: Sequence[FidPoint]) -> float:
    """Extrapolate FID to infinitely many images: the bias of FID falls as 1/N.

    See "Effectively unbiased FID and Inception Score and where to find them", arXiv:1911.07023.
    There the real set keeps its size; here both shrink by one factor, so that the bias of either
    goes, which matters where the real set is no larger than the clone.

    Args:
        points: FID at two or more sizes, as `fid_points` gives them.

    Returns:
        The value of a straight line over 1/N at 1/N = 0; below 0 by chance for sets that are alike.
    """
    return _line(points)[1]


def fid_infinity_interval(points: Sequence[FidPoint]) -> tuple[float, float]:
    """Compute a 95 % interval of the extrapolated FID.

    Two things make it uncertain. The images are a sample, which moves all points alike: by how much
    is seen where disjoint parts of one size differ. And the points do not lie on the line, because
    of chance or because it is none: the usual error of its end. In simulations with known truth,
    with as many images as features or more, at least 95 of 100 such intervals hold it.

    Args:
        points: what `fid_points` gives, the whole sets last.

    Returns:
        Lower and upper end, in units of FID.
    """
    from scipy.stats import t

    inverse = np.array([1 / point.n_clone for point in points])
    slope, at_zero = _line(points)
    off = np.array([point.fid for point in points]) - at_zero - slope * inverse
    spread = float(((inverse - inverse.mean()) ** 2).sum())
    free = len(points) - 2
    of_line = float((off**2).sum()) / free * (1 / len(points) + inverse.mean() ** 2 / spread)
    known = [(p - 1, point.variance) for p, point in zip(_PARTS, points, strict=False)]
    of_sample = sum(w * v for w, v in known if v is not None) / sum(w for w, _ in known)
    half = float(t.ppf(0.975, 2 * free)) * (of_line + of_sample) ** 0.5
    return at_zero - half, at_zero + half


def _line(points: Sequence[FidPoint]) -> tuple[float, float]:
    """Fit a line over 1/N: its slope, and its value at 1/N = 0."""
    inverse = [1 / point.n_clone for point in points]
    slope, at_zero = np.polyfit(inverse, [point.fid for point in points], 1)
    return float(slope), float(at_zero)


def kid(clone: Features, real: Features) -> Kid:
    """Compute the unbiased squared MMD with the kernel (x·y / d + 1)³ over 100 subsets.

    See "Demystifying MMD GANs", arXiv:1801.01401. Subsets hold 1,000 images, or as many as there
    are. The mean is then right, but the subsets are all alike and their spread says nothing; so the
    error is taken from subsets of at most half of the smaller set.

    Args:
        clone: (n, d) float32, n at least LEAST.
        real: (m, d) float32, likewise.

    Returns:
        KID, about 0 for sets that are alike and below 0 by chance, with its error.
    """
    smaller = min(len(clone), len(real))
    size, half = min(KID_SUBSET, smaller), min(KID_SUBSET, smaller // 2)
    mean, std = kid_of_subsets(clone, real, size)
    if half < size:
        _, std = kid_of_subsets(clone, real, half)
    return Kid(mean, std, size)


def kid_of_subsets(
    clone: Features, real: Features, size: int, subsets: int = 100
) -> tuple[float, float]:
    """Compute KID over random subsets, as torch-fidelity does.

    Args:
        clone: (n, d) float32.
        real: (m, d) float32.
        size: images of a subset, 2 to the size of the smaller set.
        subsets: how many.

    Returns:
        Mean and standard deviation over the subsets.
    """
    from torch_fidelity import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD
    from torch_fidelity.metric_kid import kid_features_to_metric

    found = kid_features_to_metric(
        _tensor(clone), _tensor(real), kid_subsets=subsets, kid_subset_size=size, verbose=False
    )
    return float(found[KEY_METRIC_KID_MEAN]), float(found[KEY_METRIC_KID_STD])


def precision_recall(clone: Features, real: Features, seed: int = 0) -> tuple[float, float]:
    """Compute precision and recall by the third nearest neighbours.

    Precision is the share of the clone's images that lie within the real ones, recall the share of
    real images that lie within the clone. See "Improved precision and recall metric for assessing
    generative models", arXiv:1904.06991.

    Args:
        clone: (n, d) float32, n at least LEAST; of more than 20,000 images a sample is taken.
        real: (m, d) float32, likewise.
        seed: of the sample.

    Returns:
        Precision and recall, 0 to 1.
    """
    from torch_fidelity import KEY_METRIC_PRECISION, KEY_METRIC_RECALL
    from torch_fidelity.metric_prc import prc_features_to_metric

    found = prc_features_to_metric(
        _tensor(_sample(clone, rng(seed, "prc", "clone"))),
        _tensor(_sample(real, rng(seed, "prc", "real"))),
        verbose=False,
    )
    return float(found[KEY_METRIC_PRECISION]), float(found[KEY_METRIC_RECALL])


def _sample(features: Features, source: np.random.Generator) -> Features:
    if len(features) <= PRC_MOST:
        return features
    return features[np.sort(source.choice(len(features), PRC_MOST, replace=False))]


def _tensor(features: Features) -> "torch.Tensor":
    import torch

    return torch.from_numpy(np.ascontiguousarray(features))


@dataclass(frozen=True, slots=True)
class Pair:
    """An image of the clone and its nearest real one."""

    clone: int  # place in the clone
    real: int  # place in the real set
    cosine: float  # of their features, -1 to 1


@dataclass(frozen=True, slots=True)
class Memorisation:
    """The result of `near_duplicates`."""

    rate: float  # share of the clone's images that are a near duplicate of a real one, 0 to 1
    threshold: float  # the cosine from which on they are
    closest: tuple[Pair, ...]  # the nearest pairs, each image of the clone once, nearest first
    calibrated: int  # real images that the threshold was taken from


def near_duplicates(clone: Features, real: Features, keep: int = 10) -> Memorisation:
    """Find the clone's images that are nearer to a real one than real ones are to each other.

    The threshold is the 99.9th percentile of the cosine between a real image and its nearest other
    one, so independent images have a rate of about 0.001. Real images that are in the set twice
    (cosine above 0.99999) are left out of the calibration.

    Args:
        clone: (n, d) float32, of any length.
        real: (m, d) float32, likewise, m at least 2.
        keep: number of closest pairs to return.

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
        rows: (n, d) float32, rows of length 1.
        others: (m, d) float32, likewise.
        skip_itself: leave row i of `others` out for row i of `rows`, where both are one set.

    Returns:
        (n,) cosine, and (n,) int64 place among the others.
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
