"""Functions on the grid that are sums over axes and pairs of axes, and their highest cells.

    f(x) = sum_a f_a(x_a) + sum_(a, b) f_ab(x_a, x_b)

A `Tables` holds the values of all f_a and f_ab, one table for each axis and one for each pair of
axes used. So its size is the sum of the axis sizes and of the products of the pairs, not the
product of all axis sizes.
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
        axes: for each axis a, the (size of a,) values of f_a.
        pairs: for each pair (a, b) used, with a < b, the (size of a, size of b) values of f_ab.
    """

    axes: tuple[Floats, ...]
    pairs: Mapping[Pair, Floats]

    def at(self, cells: Cells) -> Floats:
        """Evaluate the function at (n, n_axes) cells.

        Returns:
            (n,) the values of the function.
        """
        total = np.zeros(len(cells))
        for axis, table in enumerate(self.axes):
            total += table[cells[:, axis]]
        for (a, b), table in self.pairs.items():
            total += table[cells[:, a], cells[:, b]]
        return total


def best_cells(tables: Tables, width: int, conditions: Conditions | None = None) -> list[Encoding]:
    """Find the `width` states where a function is highest, without a loop over all states.

    This is a beam search along the axes: it extends cells axis by axis, and keeps only the `width`
    best ones each time. Without pairs the result is exact, since a cell that was dropped has
    `width` better ones with the same values on the remaining axes; with pairs it may miss some. An
    axis with a condition comes after the axis that it depends on, and stays at 0 where its
    condition is not met.
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
