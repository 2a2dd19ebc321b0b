"""What a run of Table 3 is measured by: pure formulas over its steps (arXiv:2311.15648)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

QUARTERED = 4
"""Runs from which on quartiles say something of their spread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distances:
    """The distance to the goal along a run, in steps of the grid (L1).

    Attributes:
        d_t: at its end.
        d_max: the largest.
        d_min: the smallest.
        rho: standard deviation.
        sigma2: variance.
    """

    d_t: int
    d_max: int
    d_min: int
    rho: float
    sigma2: float


def distances(walked: Sequence[int]) -> Distances:
    """Sum up the distances to the goal of a run's steps."""
    return Distances(
        d_t=walked[-1],
        d_max=max(walked),
        d_min=min(walked),
        rho=float(np.std(walked)),
        sigma2=float(np.var(walked)),
    )


def best_at(changes: Sequence[tuple[int, float]], renders: int) -> list[float | None]:
    """Spread the best reward so far over the unique images.

    Returns:
        The best reward after 1, 2, ... `renders` renders; None before the first.
    """
    curve: list[float | None] = [None] * renders
    for (spent, best), (until, _) in zip(changes, [*changes[1:], (renders + 1, 0.0)], strict=True):
        curve[spent - 1 : until - 1] = [best] * (until - spent)
    return curve


def quartiles(renders: Sequence[int | None]) -> tuple[float | None, float | None, float | None]:
    """Return the quartiles of the renders to the goal, runs that never came there included.

    Returns:
        First quartile, median, third quartile, each the count of a run; None where that run never
        came.
    """
    counts = [np.inf if count is None else count for count in renders]
    found = np.quantile(counts, [0.25, 0.5, 0.75], method="inverted_cdf")
    low, middle, high = (float(q) if np.isfinite(q) else None for q in found)
    return low, middle, high
