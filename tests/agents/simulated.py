"""Simulated worlds, in pure numpy: rewards that are sums over axes, read with mistakes.

Every cell is read once and for all, as with fixed image seeds; each of its axes is misread, as
another value, with a probability of `misread`. The goal is no exception.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from rldf.agents import Agent, Transition
from rldf.encoding import Encoding
from rldf.gridworld import Gridworld

SHAPES = {480: (2, 10, 3, 8), 4_320: (2, 30, 3, 24), 2_073_600: (2, 30, 3, 24, 8, 10, 6)}
NOUN, SCENE = 1, 3  # the axes that the paper's multi reward sees


class Simulated:
    """A world with a goal, and what its cells pay."""

    def __init__(
        self, shape: tuple[int, ...], kind: str, seed: int, misread: float = 0.1, pairs: float = 0.0
    ) -> None:
        """Make a world.

        Args:
            shape: the number of values of each axis.
            kind: "multi" pays noun and scene alone, as the paper's first reward; "clip" pays each
                axis by how near its value is to the goal's.
            seed: decides the goal, the weights of the axes and what is misread.
            misread: how often an axis is read as another value.
            pairs: the part of the reward's variance that is owed to pairs of neighbouring axes.
        """
        rng = np.random.default_rng(seed)
        self.grid, self._seed, self._misread = Gridworld(shape), seed, misread
        self.goal = self.grid.random_state(rng)
        self._tables = _multi(shape, self.goal) if kind == "multi" else _clip(shape, self.goal, rng)
        self._pairs = self._interactions(rng, pairs) if pairs else {}
        self.pays = cache(self._pays)

    def _interactions(
        self, rng: np.random.Generator, part: float
    ) -> dict[tuple[int, int], NDArray[np.float64]]:
        """Draw tables for neighbouring axes that explain `part` of the variance."""
        shape = self.grid.shape
        tables = {
            (a, a + 1): rng.standard_normal((shape[a], shape[a + 1])) for a in range(len(shape) - 1)
        }
        own = sum(float(table.var()) for table in self._tables)
        size = np.sqrt(part / (1 - part) * own / len(tables))
        for (a, b), table in tables.items():
            table *= size
            table[self.goal[a], self.goal[b]] = abs(table).max()  # the goal fits together best
        return tables

    def _pays(self, cell: Encoding) -> float:
        rng = np.random.default_rng([self._seed, *cell])
        read = [
            (value + 1 + int(rng.integers(size - 1))) % size
            if rng.random() < self._misread
            else value
            for value, size in zip(cell, self.grid.shape, strict=True)
        ]
        alone = sum(table[value] for table, value in zip(self._tables, read, strict=True))
        return float(alone + sum(table[read[a], read[b]] for (a, b), table in self._pairs.items()))


def _multi(shape: tuple[int, ...], goal: Encoding) -> list[NDArray[np.float64]]:
    tables = [np.zeros(size) for size in shape]
    tables[NOUN][goal[NOUN]] = 1.0
    tables[SCENE][:] = -1.0
    tables[SCENE][goal[SCENE]] = 1.0
    return tables


def _clip(
    shape: tuple[int, ...], goal: Encoding, rng: np.random.Generator
) -> list[NDArray[np.float64]]:
    """Semantic locality with scatter: values near the goal's pay more, others pay by chance."""
    tables = []
    for size, right in zip(shape, goal, strict=True):
        apart = np.abs(np.arange(size) - right) / max(size - 1, 1)
        table = 0.5 * np.exp(-apart / 0.2) + 0.2 * rng.random(size)
        table[right] = 1.0
        tables.append(rng.uniform(0.5, 1.5) * table)
    return tables


def renders_to_goal(agent: Agent, world: Simulated, budget: int, start: Encoding) -> int | None:
    """Let an agent search as the program does, and count what is drawn until it sees the goal.

    Args:
        agent: who searches; it is not told the goal.
        world: where.
        budget: the most unique renders.
        start: where the walk begins.

    Returns:
        Unique renders, those of the goal's whole batch included; None if the goal was not seen.
    """
    grid, drawn, state, steps = world.grid, set[Encoding](), start, 0
    agent.begin_episode(start)
    while len(drawn) < budget and steps < 20 * budget:
        wanted = agent.propose(state, grid.action_mask(state))
        new = [cell for cell in dict.fromkeys(wanted) if cell not in drawn]
        drawn.update(new[: budget - len(drawn)])
        for cell in (cell for cell in wanted if cell in drawn):
            *way, last = grid.path(state, cell)
            for action in way:
                state = grid.move(state, action)
            before, state = state, cell
            steps += 1
            if cell == world.goal:
                return len(drawn)
            agent.update(
                Transition(
                    state=before,
                    action=last,
                    reward=world.pays(cell),
                    continues=1.0,
                    next_state=cell,
                    next_mask=grid.action_mask(cell),
                )
            )
    return None
