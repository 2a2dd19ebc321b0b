"""Even samples that can be computed for any image without the others.

An axis is sampled in blocks: a block holds every value as often as it is due, and a shuffle of its
own puts it in order. So among the first n images of a class no value is ahead of another by more
than its share of one block, and image k needs block `k // len(block)` alone.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import gcd

import numpy as np
from numpy.typing import NDArray

_GAMMA = np.uint64(0x9E3779B97F4A7C15)


def mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Turn numbers into random-looking ones, each into another.

    See "Fast splittable pseudorandom number generators" by Steele, Lea and Flood (2014): the
    output function of SplitMix64 after the step of its counter.
    """
    z = (numbers + np.uint64(1)) * _GAMMA
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def weighted(n: int, first: float | None) -> tuple[int, ...]:
    """Return the shortest block in which value 0 of n has a given share (None: equal shares)."""
    if first is None or n == 1:
        return tuple(range(n))
    share = Fraction(first).limit_denominator(100)
    mine = share.numerator * (n - 1)
    others = share.denominator - share.numerator
    common = gcd(mine, others)
    return (0,) * (mine // common) + tuple(v for v in range(1, n) for _ in range(others // common))


def balanced(
    block: Sequence[int], seeds: NDArray[np.uint64], start: int, stop: int
) -> NDArray[np.int64]:
    """Sample values (stop - start, n_classes) in shuffled blocks, from seeds (n_classes,)."""
    values, n = np.asarray(block, np.int64), len(block)
    first = start // n
    places = np.arange(first * n, -(-stop // n) * n, dtype=np.uint64).reshape(-1, n)
    keys = mixed(seeds[:, None, None] + places)  # (class, block, place in it)
    shuffled = values[np.argsort(keys, axis=2, kind="stable")].reshape(len(seeds), -1)
    return shuffled[:, start - first * n : stop - first * n].T
