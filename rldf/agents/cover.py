"""The first states to render: every value of every axis occurs in as few states as possible."""

import numpy as np

from rldf.grammar.encoding import Encoding


def latin_cover(shape: tuple[int, ...], rng: np.random.Generator) -> list[Encoding]:
    """Choose `max(shape)` random states in which every value of every axis occurs.

    Each column (axis) is shuffled independently, as in a Latin hypercube: M. McKay, R. Beckman
    and W. Conover, 1979, doi:10.2307/1268522. An axis of n values has each of
    them `max(shape) // n` times or once more.
    """
    rows = max(shape)
    columns = [rng.permutation(np.resize(rng.permutation(size), rows)) for size in shape]
    return [tuple(int(value) for value in row) for row in np.stack(columns, axis=1)]
