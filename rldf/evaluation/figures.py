"""Confidence intervals of the metrics, and whether there are enough images for each metric.

A `Figure` holds a value, its 95 % interval, and the reason why it is not determined, or "".
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rldf.evaluation import metrics as distances
from rldf.evaluation.classification import TOP
from rldf.evaluation.metrics import ONE_IN
from rldf.stats import WIDEST, Figure, read_figure, share

NAMES = {
    "fid": "FID",
    "fid_infinity": "FID at ∞",
    "kid": "KID",
    "precision": "precision",
    "recall": "recall",
    "top1": "top-1",
    "top5": "top-5",
    "synthetic_real_gap": "gap",
    "near_duplicate_rate": "near duplicates",
}
"""Display name by key of each figure."""

EXTENT = 100
"""Fewest images from which precision and recall are taken as determined."""

_ERRORS = 1.96  # half of a 95 % interval, in standard errors


def fid_figures(
    whole: float, points: Sequence[distances.FidPoint], dimensions: int
) -> dict[str, Any]:
    """Make the records of FID and of FID at infinitely many images, by name."""
    n = min(points[-1].n_clone, points[-1].n_real)
    few = f"{n} images are fewer than the {dimensions} features" if n < dimensions else ""
    low, high = distances.fid_infinity_interval(points)
    holds_zero = "its interval contains 0, the distance of equal distributions" if low <= 0 else ""
    end = Figure(
        value=distances.fid_infinity(points), n=n, low=low, high=high, reason=few or holds_zero
    )
    return {
        "fid": Figure(value=whole, n=n, reason=few).document(),
        "fid_infinity": end.document(),
    }


def kid_figure(kid: float, error: float, n: int) -> Figure:
    """Make the figure of KID from its standard error and n, the size of the smaller set."""
    low, high = kid - _ERRORS * error, kid + _ERRORS * error
    reason = "its interval contains 0, the distance of equal distributions" if low <= 0 else ""
    if n < distances.LEAST:
        reason = f"{n} images are few"
    return Figure(value=kid, n=n, low=low, high=high, reason=reason)


def coverage_figure(value: float, n: int, other: int) -> Figure:
    """Make the figure of precision or recall, a share of n images; `other` sizes the other set."""
    found, least = share(value, n, "images"), min(n, other)
    few = f"{least} images are few" if least < EXTENT else found.reason
    return Figure(value=value, n=n, low=found.low, high=found.high, reason=few)


def duplicate_figure(rate: float, n: int, real: int) -> Figure:
    """Make the figure of the rate of near duplicates among n images.

    One real image in 1,000 has a nearest neighbour above the threshold. From m < 1,000 real images
    the threshold is about their largest cosine, which one independent image in m exceeds. So the
    rate is not determined if the lower end of its interval is at most 1 / m.
    """
    found = share(rate, n, "images")
    by_chance = real < ONE_IN and (found.low or 0.0) * real <= 1
    reason = (
        f"{real} real images are too few for a threshold that one in {ONE_IN} exceeds"
        if by_chance
        else ""
    )
    reason = found.reason or reason
    return Figure(value=rate, n=n, low=found.low, high=found.high, reason=reason)


def gap_figure(own: Figure, real: Figure) -> Figure:
    """Make the figure of own - real, with Newcombe's interval (doi:10.1002/sim.779)."""
    n, reason = min(own.n, real.n), own.reason or real.reason
    mine, theirs = _ends(own), _ends(real)
    if mine is None or theirs is None:
        return Figure(value=None, n=n, reason=reason)
    gap = mine[1] - theirs[1]
    low = gap - math.hypot(mine[1] - mine[0], theirs[2] - theirs[1])
    high = gap + math.hypot(mine[2] - mine[1], theirs[1] - theirs[0])
    return Figure(value=gap, n=n, low=low, high=high, reason=reason)


def ratio_figure(clone: Figure, real: Figure) -> Figure:
    """Make the figure of clone / real, of two accuracies; its interval divides opposite ends."""
    n, reason = min(clone.n, real.n), clone.reason or real.reason
    mine, theirs = _ends(clone), _ends(real)
    if mine is None or theirs is None or not theirs[1]:
        return Figure(value=None, n=n, reason=reason or "the other accuracy is 0")
    low, high = mine[0] / theirs[2], mine[2] / theirs[0] if theirs[0] else None
    return Figure(value=mine[1] / theirs[1], n=n, low=low, high=high, reason=reason)


def _ends(figure: Figure) -> tuple[float, float, float] | None:
    """Return low, value and high of a figure, None if one of them is not known."""
    if figure.value is None or figure.low is None or figure.high is None:
        return None
    return figure.low, figure.value, figure.high


def accuracy_figure(top: Sequence[float], n: int, spread: tuple[float, float] | None) -> Figure:
    """Make the figure of a mean accuracy over trainings.

    Its interval covers Wilson's interval over the n test images and `spread`, the interval of the
    mean over the trainings.
    """
    found = share(sum(top) / len(top), n, "test images")
    mean, spread = _ends(found), spread or (1.0, 0.0)
    if mean is None:
        return found
    low, high = max(0.0, min(mean[0], spread[0])), min(1.0, max(mean[2], spread[1]))
    apart = f"the accuracies of {len(top)} trainings differ much" if high - low > WIDEST else ""
    return Figure(value=mean[1], n=n, low=low, high=high, reason=found.reason or apart)


def top5_figure(figure: Figure, classes: int) -> Figure:
    """Return a top-5 accuracy's figure; it has no value with five classes or fewer."""
    if classes > TOP:
        return figure
    reason = f"with {classes} classes the first five predictions always include the right one"
    return Figure(value=None, n=figure.n, reason=reason)


def undetermined(row: Mapping[str, Any]) -> list[str]:
    """List the figures of a row that are not determined, with the reason of each."""
    found = {name: read_figure(record) for name, record in row["figures"].items()}
    return [
        f"{NAMES[name]} to {row['real']} {figure}; {figure.reason}"
        for name, figure in found.items()
        if not figure.determined
    ]
