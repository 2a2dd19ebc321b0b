"""The table of action values, for worlds of any size.

A table of up to `DENSE_CELLS` entries is a dense array; a larger one keeps only the rows that were
accessed. Both hold the same numbers: row `i` of the random initial table is block `i` of one Philox
stream, a counter-based generator that can start at any block.
"""

from collections.abc import Callable
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rldf.agents import checkpoint

DENSE_CELLS = 10_000_000  # 80 MB of float64
_PHILOX_WORDS = 4  # 64-bit words that Philox makes for each count of its counter


def initial_rows(
    first: int, n_rows: int, n_actions: int, *, seed: int, scale: float, base: float = 0.0
) -> NDArray[np.float64]:
    """Generate rows of the random initial table, uniform in [base, base + scale).

    See arXiv:2311.15648, Algorithm 1: Q is random for all states and actions. A row depends on
    its index, not on the rows generated before it.

    Returns:
        (n_rows, n_actions) the values.
    """
    blocks = -(-n_actions // _PHILOX_WORDS)
    stream = np.random.Philox(key=seed, counter=first * blocks)
    words = stream.random_raw(n_rows * blocks * _PHILOX_WORDS).reshape(n_rows, -1)
    uniform = (words[:, :n_actions] >> 11) * (scale * 2.0**-53)
    return np.asarray(base + uniform, dtype=np.float64)


class _LazyRows(dict[int, NDArray[np.float64]]):
    """Rows that are generated when they are first accessed."""

    def __init__(self, draw: Callable[[int], NDArray[np.float64]]) -> None:
        super().__init__()
        self._draw = draw

    def __missing__(self, index: int) -> NDArray[np.float64]:
        row = self[index] = self._draw(index)
        return row


class QTable:
    """The values Q(s, a) and the visit counts N(s, a) of all states and actions."""

    def __init__(
        self,
        n_states: int,
        n_actions: int,
        *,
        seed: int,
        scale: float,
        base: float = 0.0,
        dense_cells: int = DENSE_CELLS,
    ) -> None:
        """Make a table of random initial values and visit counts of 0.

        Args:
            n_states: the number of rows.
            n_actions: the length of a row.
            seed: the seed of the initial values, in `[0, 2**128)`.
            scale: 0 or more; the initial values are uniform in [base, base + scale).
            base: the lowest initial value.
            dense_cells: the most table entries that are kept as one dense array.

        Raises:
            ValueError: a size is below 1, the scale is negative, or a number is not finite.
        """
        if n_states < 1 or n_actions < 1:
            raise ValueError(f"a table of {n_states} x {n_actions}: give sizes of 1 or more")
        if not 0.0 <= scale < np.inf:
            raise ValueError(f"scale {scale!r}: give a finite number, 0 or more")
        if not np.isfinite(base):
            raise ValueError(f"base {base!r}: give a finite number")
        self.n_states, self.n_actions = n_states, n_actions
        self.seed, self.scale, self.base = seed, scale, base
        self._values: NDArray[np.float64] | _LazyRows = (
            self._draw(0, n_states)
            if n_states * n_actions <= dense_cells
            else _LazyRows(self._draw_row)  # no lambda: tables are copied and pickled
        )
        self._visits: dict[int, NDArray[np.int64]] = {}  # only the rows with a visit

    def row(self, index: int) -> NDArray[np.float64]:
        """Return the action values of a state.

        Returns:
            (n_actions,) a copy of the values.
        """
        self._check(index, 0)
        return np.array(self._values[index])

    def visits(self, index: int) -> NDArray[np.int64]:
        """Return how often each action of a state was learned from.

        Returns:
            (n_actions,) a copy of the visit counts.
        """
        self._check(index, 0)
        return np.array(self._visits.get(index, self._no_visits()))

    def record(self, index: int, action: int, value: float) -> None:
        """Set the value of an action of a state, and add 1 to its visit count."""
        self._check(index, action)
        self._values[index][action] = value
        self._visits.setdefault(index, self._no_visits())[action] += 1

    def visited(self) -> list[int]:
        """List the numbers of the states with a visit."""
        return sorted(self._visits)

    def state_dict(self) -> dict[str, NDArray[np.generic]]:
        """Return the table as arrays: visited rows, and the arguments that generate the others."""
        visited = self.visited()
        made: dict[str, int | float] = {"n_states": self.n_states, "n_actions": self.n_actions}
        made |= {"seed": self.seed, "scale": self.scale, "base": self.base}
        values = [self._values[index] for index in visited]
        visits = [self._visits[index] for index in visited]
        return {
            "q_table": checkpoint.text(made),
            "q_index": np.array([str(index) for index in visited], dtype=np.str_),
            "q_values": np.array(values, dtype=np.float64).reshape(-1, self.n_actions),
            "q_visits": np.array(visits, dtype=np.int64).reshape(-1, self.n_actions),
        }

    @classmethod
    def from_state_dict(cls, arrays: checkpoint.Arrays, dense_cells: int = DENSE_CELLS) -> Self:
        """Make the table whose `state_dict` returned these arrays."""
        table = cls(**checkpoint.record(arrays, "q_table"), dense_cells=dense_cells)  # type: ignore[arg-type]
        table._fill(arrays["q_index"], arrays["q_values"], arrays["q_visits"])
        return table

    def _fill(
        self, index: NDArray[np.generic], values: NDArray[np.generic], visits: NDArray[np.generic]
    ) -> None:
        for found, dtype in ((values, np.float64), (visits, np.int64)):
            if found.shape != (len(index), self.n_actions) or found.dtype != dtype:
                raise ValueError(f"rows {found.shape} of {found.dtype} for {len(index)} states")
        for number, row, counts in zip(map(int, index), values, visits, strict=True):
            self._check(number, 0)
            self._values[number] = row
            self._visits[number] = counts

    def _draw(self, first: int, n_rows: int) -> NDArray[np.float64]:
        return initial_rows(
            first, n_rows, self.n_actions, seed=self.seed, scale=self.scale, base=self.base
        )

    def _draw_row(self, index: int) -> NDArray[np.float64]:
        row: NDArray[np.float64] = self._draw(index, 1)[0]
        return row

    def _no_visits(self) -> NDArray[np.int64]:
        return np.zeros(self.n_actions, dtype=np.int64)

    def _check(self, index: int, action: int) -> None:
        if not (0 <= index < self.n_states and 0 <= action < self.n_actions):
            raise ValueError(
                f"state {index}, action {action}: this table has states 0 to "
                f"{self.n_states - 1} and actions 0 to {self.n_actions - 1}"
            )
