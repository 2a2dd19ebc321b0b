"""Intervals: known values, and how often they hold what they promise."""

import numpy as np
import pytest

from rldf.stats import t_interval, wilson


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
        (98, 100, 0.93, 0.9945),
    ],
)
def test_wilson_gives_what_the_formula_gives(hits, trials, low, high):
    z, p = 1.959964, hits / trials
    middle = (p + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * (p * (1 - p) / trials + z**2 / (4 * trials**2)) ** 0.5
    assert wilson(hits, trials) == pytest.approx((middle - half, middle + half), abs=1e-6)
    assert wilson(hits, trials) == pytest.approx((low, high), abs=1e-3)


def test_nineteen_of_twenty_intervals_hold_the_mean():
    rng = np.random.default_rng(0)
    found = [t_interval(rng.normal(3.0, 2.0, 4)) for _ in range(2000)]
    held = np.mean([low <= 3.0 <= high for low, high in found])
    assert 0.93 < held < 0.97


def test_one_value_has_no_interval():
    assert t_interval([0.7]) is None
