"""A first look at a world: every value of every axis, in as few states as can be."""

import numpy as np

from rldf.grammar.encoding import Encoding


def latin_cover(shape: tuple[int, ...], rng: np.random.Generator) -> list[Encoding]:
    """Draw states that show every value of every axis, each about equally often.

    The columns are shuffled apart from one another, as in a Latin hypercube: M. McKay, R. Beckman
    and W. Conover, 1979, doi:10.2307/1268522. A shorter axis repeats its values, each of them
    `max(shape) // n` times or once more.
    """
    rows = max(shape)
    columns = [rng.permutation(np.resize(rng.permutation(size), rows)) for size in shape]
    return [tuple(int(value) for value in row) for row in np.stack(columns, axis=1)]
