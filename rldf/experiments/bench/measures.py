"""Computes the measures of Table 3 of the paper (arXiv:2311.15648) from the steps of a run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

QUARTERED = 4
"""Smallest number of runs whose quartiles are shown; of fewer, the median alone is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distances:
    """Statistics of the L1 distance to the goal over the steps of a run.

    Attributes:
        d_t: distance at the last step.
        d_max: largest distance.
        d_min: smallest distance.
        rho: standard deviation of the distances.
        sigma2: variance of the distances.
    """

    d_t: int
    d_max: int
    d_min: int
    rho: float
    sigma2: float


def distances(walked: Sequence[int]) -> Distances:
    """Compute the statistics of a run from the distance at each of its steps."""
    return Distances(
        d_t=walked[-1],
        d_max=max(walked),
        d_min=min(walked),
        rho=float(np.std(walked)),
        sigma2=float(np.var(walked)),
    )


def best_at(changes: Sequence[tuple[int, float]], renders: int) -> list[float | None]:
    """Compute the best reward so far after each unique image.

    Args:
        changes: unique images generated so far and the new best reward, at each change.
        renders: number of unique images.

    Returns:
        The best reward after 1, 2, ..., `renders` unique images; None before the first change.
    """
    curve: list[float | None] = [None] * renders
    for (spent, best), (until, _) in zip(changes, [*changes[1:], (renders + 1, 0.0)], strict=True):
        curve[spent - 1 : until - 1] = [best] * (until - spent)
    return curve


def quartiles(renders: Sequence[int | None]) -> tuple[float | None, float | None, float | None]:
    """Compute the quartiles, over all runs, of the unique images until the goal.

    Args:
        renders: unique images of each run until the goal; None, which counts as infinity, for a
            run that did not reach it.

    Returns:
        First quartile, median and third quartile, each the count of one run; None for infinity.
    """
    counts = [np.inf if count is None else count for count in renders]
    found = np.quantile(counts, [0.25, 0.5, 0.75], method="inverted_cdf")
    low, middle, high = (float(q) if np.isfinite(q) else None for q in found)
    return low, middle, high
