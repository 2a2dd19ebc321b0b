"""Evenly shared samples of the values of an axis, computable for each image by itself.

An axis is sampled in blocks. A block contains each value in proportion to its share, and each
repetition of the block is shuffled with another key. So after any number of images, a value was
used at most as many times too often or too seldom as one block contains it. Image k needs only
block number `k // len(block)`.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import gcd

import numpy as np
from numpy.typing import NDArray

_GAMMA = np.uint64(0x9E3779B97F4A7C15)


def mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Map numbers to pseudorandom numbers of the same shape, distinct ones to distinct ones.

    See "Fast splittable pseudorandom number generators" by Steele, Lea and Flood (2014): this
    is one step of SplitMix64 and its output function.
    """
    z = (numbers + np.uint64(1)) * _GAMMA
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def weighted(n: int, first: float | None) -> tuple[int, ...]:
    """Return the shortest block of values 0 to n - 1 in which value 0 has the share `first`.

    The other values share the rest equally. If `first` is None, all n values have equal shares.
    """
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
    """Return the values of images start to stop - 1 of each class, sampled in shuffled blocks.

    Args:
        block: values in proportion to their shares.
        seeds: one seed for each class, (n_classes,).
        start: number of the first image.
        stop: number after the last image.

    Returns:
        Values, (stop - start, n_classes).
    """
    values, n = np.asarray(block, np.int64), len(block)
    first = start // n
    places = np.arange(first * n, -(-stop // n) * n, dtype=np.uint64).reshape(-1, n)
    keys = mixed(seeds[:, None, None] + places)  # axes: class, block, position in the block
    shuffled = values[np.argsort(keys, axis=2, kind="stable")].reshape(len(seeds), -1)
    return shuffled[:, start - first * n : stop - first * n].T
