"""Confidence intervals of the metrics, and whether the sample size determines them."""

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
"""What people call the figures that have a record."""

EXTENT = 100
"""Images that show roughly how far a set reaches, which precision and recall ask."""

_ERRORS = 1.96  # standard errors to either side of a 95 % interval


def fid_figures(
    whole: float, points: Sequence[distances.FidPoint], dimensions: int
) -> dict[str, Any]:
    """Judge FID and its extrapolation."""
    n = min(points[-1].n_clone, points[-1].n_real)
    few = f"{n} images are fewer than the {dimensions} features" if n < dimensions else ""
    low, high = distances.fid_infinity_interval(points)
    holds_zero = "its interval holds 0, the distance of sets that are alike" if low <= 0 else ""
    end = Figure(
        value=distances.fid_infinity(points), n=n, low=low, high=high, reason=few or holds_zero
    )
    return {
        "fid": Figure(value=whole, n=n, reason=few).document(),
        "fid_infinity": end.document(),
    }


def kid_figure(kid: float, error: float, n: int) -> Figure:
    """Judge KID."""
    low, high = kid - _ERRORS * error, kid + _ERRORS * error
    reason = "its interval holds 0, the distance of sets that are alike" if low <= 0 else ""
    if n < distances.LEAST:
        reason = f"{n} images are few"
    return Figure(value=kid, n=n, low=low, high=high, reason=reason)


def coverage_figure(value: float, n: int, other: int) -> Figure:
    """Judge precision or recall."""
    found, least = share(value, n, "images"), min(n, other)
    few = f"{least} images are few" if least < EXTENT else found.reason
    return Figure(value=value, n=n, low=found.low, high=found.high, reason=few)


def duplicate_figure(rate: float, n: int, real: int) -> Figure:
    """Judge the rate of near duplicates.

    The threshold is what one real image in a thousand exceeds. Of m fewer real images it is their
    largest likeness, which one independent image in m exceeds.
    """
    found = share(rate, n, "images")
    by_chance = real < ONE_IN and (found.low or 0.0) * real <= 1
    reason = f"{real} real images do not show what one in {ONE_IN} does" if by_chance else ""
    reason = found.reason or reason
    return Figure(value=rate, n=n, low=found.low, high=found.high, reason=reason)


def gap_figure(own: Figure, real: Figure) -> Figure:
    """Judge the difference of two accuracies, by Newcombe's interval (doi:10.1002/sim.779)."""
    n, reason = min(own.n, real.n), own.reason or real.reason
    mine, theirs = _ends(own), _ends(real)
    if mine is None or theirs is None:
        return Figure(value=None, n=n, reason=reason)
    gap = mine[1] - theirs[1]
    low = gap - math.hypot(mine[1] - mine[0], theirs[2] - theirs[1])
    high = gap + math.hypot(mine[2] - mine[1], theirs[1] - theirs[0])
    return Figure(value=gap, n=n, low=low, high=high, reason=reason)


def ratio_figure(clone: Figure, real: Figure) -> Figure:
    """Judge the share of one accuracy in another."""
    n, reason = min(clone.n, real.n), clone.reason or real.reason
    mine, theirs = _ends(clone), _ends(real)
    if mine is None or theirs is None or not theirs[1]:
        return Figure(value=None, n=n, reason=reason or "the other accuracy is 0")
    low, high = mine[0] / theirs[2], mine[2] / theirs[0] if theirs[0] else None
    return Figure(value=mine[1] / theirs[1], n=n, low=low, high=high, reason=reason)


def _ends(figure: Figure) -> tuple[float, float, float] | None:
    """Give lower end, value and upper end, None where one is not known."""
    if figure.value is None or figure.low is None or figure.high is None:
        return None
    return figure.low, figure.value, figure.high


def accuracy_figure(top: Sequence[float], n: int, spread: tuple[float, float] | None) -> Figure:
    """Judge a mean accuracy: both the trainings and the test images are a sample."""
    found = share(sum(top) / len(top), n, "test images")
    mean, spread = _ends(found), spread or (1.0, 0.0)
    if mean is None:
        return found
    low, high = max(0.0, min(mean[0], spread[0])), min(1.0, max(mean[2], spread[1]))
    apart = f"{len(top)} trainings differ much" if high - low > WIDEST else ""
    return Figure(value=mean[1], n=n, low=low, high=high, reason=found.reason or apart)


def top5_figure(figure: Figure, classes: int) -> Figure:
    """Judge a top-5 accuracy: of five classes or fewer any answer is among the first five."""
    if classes > TOP:
        return figure
    reason = f"of {classes} classes every answer is among the first five"
    return Figure(value=None, n=figure.n, reason=reason)


def undetermined(row: Mapping[str, Any]) -> list[str]:
    """Say which figures of a row are not determined."""
    found = {name: read_figure(record) for name, record in row["figures"].items()}
    return [
        f"{NAMES[name]} to {row['real']} {figure}; {figure.reason}"
        for name, figure in found.items()
        if not figure.determined
    ]
