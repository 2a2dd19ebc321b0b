"""A function on the grid that is a sum over axes, and where it is highest.

    f(x) = sum_a f_a(x_a) + sum_(a, b) f_ab(x_a, x_b)

A `Tables` holds its numbers: one table for each axis, and one for each pair of axes in use. So its
size is the sum of the axes (and the products of the pairs), never the product of all axes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rldf.grammar.encoding import Encoding
from rldf.gridworld import Conditions, controls_first

Floats = NDArray[np.float64]
Cells = NDArray[np.int64]
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """A function on the grid that is a sum over axes and over pairs of axes.

    Attributes:
        axes: for each axis a (size,), the summand by value.
        pairs: for each pair in use, a before b, the (size a, size b) summand by both values.
    """

    axes: tuple[Floats, ...]
    pairs: Mapping[Pair, Floats]

    def at(self, cells: Cells) -> Floats:
        """Evaluate the function.

        Returns:
            (n,) its values.
        """
        total = np.zeros(len(cells))
        for axis, table in enumerate(self.axes):
            total += table[cells[:, axis]]
        for (a, b), table in self.pairs.items():
            total += table[cells[:, a], cells[:, b]]
        return total


def best_cells(tables: Tables, width: int, conditions: Conditions | None = None) -> list[Encoding]:
    """Find the states where a function is highest, without a walk over the grid.

    A beam search along the axes: of all cells of the first axes only the best are kept. Without
    pairs this is exact, since what is not among the best starts has as many better cells with the
    same rest; with pairs it may miss some. An axis with a condition comes after the one that it
    depends on, and stays at 0 where its condition is not met.
    """
    conditions = conditions or {}
    order = controls_first(len(tables.axes), conditions)
    column: dict[int, int] = {}
    cells, scores = np.zeros((1, 0), dtype=np.int64), np.zeros(1)
    for axis in order:
        table = tables.axes[axis]
        grown = scores[:, None] + table
        for (a, b), pair in tables.pairs.items():
            if axis == b and a in column:
                grown += pair[cells[:, column[a]]]
            elif axis == a and b in column:
                grown += pair.T[cells[:, column[b]]]
        if axis in conditions:
            other, needed = conditions[axis]
            grown[~np.isin(cells[:, column[other]], [*needed]), 1:] = -np.inf
        flat = grown.ravel()
        kept = np.argsort(-flat, kind="stable")[:width]
        kept = kept[np.isfinite(flat[kept])]
        cells = np.column_stack([cells[kept // len(table)], kept % len(table)])
        scores = flat[kept]
        column[axis] = len(column)
    return [tuple(cell) for cell in cells[:, [column[i] for i in range(len(order))]].tolist()]
