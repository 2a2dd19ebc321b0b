"""Dyna-Q with prioritised sweeping, which plans in a model of the cells visited.

The transitions of the grid are known. The reward of a cell is known once the agent has visited it,
and is the same whichever action leads there. So one visit gives the value of every action into that
cell, and changed values are passed on to the cells before it, the largest changes first, without
another render.
"""

import heapq
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rldf.agents import checkpoint
from rldf.agents.base import ExploringOptions, TabularAgent
from rldf.agents.options import AgentOptions
from rldf.agents.policies import legal_actions
from rldf.agents.protocol import Transition
from rldf.agents.schedules import Constant, Schedule
from rldf.grammar.encoding import Encoding
from rldf.gridworld import Gridworld


class DynaQ(TabularAgent):
    """Q(s, a) = r(s') + gamma max_b Q(s', b), for every s and a that lead to a visited cell s'.

    See R. Sutton, "Integrated architectures for learning, planning, and reacting", 1990,
    doi:10.1016/B978-1-55860-141-3.50030-4; A. Moore and C. Atkeson, "Prioritized sweeping", 1993,
    doi:10.1007/BF00993104; Sutton & Barto, "Reinforcement Learning", sections 8.2 and 8.4. The
    learning rate is 1, since the model is exact while image seeds are fixed.
    """

    Options: ClassVar[type[AgentOptions]] = ExploringOptions

    def __init__(
        self,
        world: Gridworld,
        *,
        rng: np.random.Generator,
        epsilon: Schedule,
        gamma: float = 0.9,
        initial_q: float = 0.01,
        optimism: float = 0.0,
        backups: int = 300,
        threshold: float = 1e-3,
    ) -> None:
        """Make an agent that has learned nothing.

        Args:
            world: the grid, whose transitions the agent plans with.
            rng: random generator of the agent alone.
            epsilon: the exploration rate as a function of the steps learned from, from 0.
            gamma: the discount, in [0, 1].
            initial_q: the initial values are uniform in [0, initial_q).
            optimism: added to every initial value.
            backups: the most cells whose predecessors are updated after one step; the remaining
                cells of the queue wait for the next step.
            threshold: a cell is queued only if its value changed by more than this.

        Raises:
            ValueError: an option is out of range.
        """
        if backups < 1 or threshold <= 0:
            raise ValueError(
                f"backups {backups}, threshold {threshold}: give backups of 1 or more and a "
                "threshold above 0"
            )
        super().__init__(
            world,
            rng=rng,
            alpha=Constant(1.0),
            epsilon=epsilon,
            gamma=gamma,
            initial_q=initial_q,
            optimism=optimism,
        )
        self._grid = world
        self._backups, self._threshold = backups, threshold
        self._model: dict[int, tuple[float, float]] = {}  # cell: its reward, 0.0 if terminal
        self._queue: list[tuple[float, int]] = []  # a heap of (-priority, visited cell)

    def update(self, transition: Transition) -> None:
        """Store the reward of the next state in the model, and update values by the model.

        Args:
            transition: the step; of it `next_state`, `reward` and `continues` are used.
        """
        seen = self._grid.index(transition.next_state)
        pays = (transition.reward, transition.continues)
        if self._model.get(seen) != pays:  # a repeated visit teaches nothing
            self._model[seen] = pays
            self._queue_up(seen, np.inf)
        self.steps += 1
        for _ in range(self._backups):
            if not self._queue:
                break
            self._sweep(heapq.heappop(self._queue)[1])

    def _sweep(self, seen: int) -> None:
        """Update the value of every action into a visited cell, and queue the cells that change."""
        reward, continues = self._model[seen]
        state = self._grid.state(seen)
        target = reward + self._gamma * continues * self._worth(state)
        for action in legal_actions(self._grid.action_mask(state)):
            before = self._grid.move(state, int(action))
            self._back_up(before, int(action) ^ 1, target)  # the way back

    def _back_up(self, state: Encoding, action: int, target: float) -> None:
        index, worth = self._grid.index(state), self._worth(state)
        self.q.record(index, action, target)
        change = abs(self._worth(state) - worth)
        if change > self._threshold and index in self._model:
            self._queue_up(index, change)

    def _queue_up(self, seen: int, priority: float) -> None:
        heapq.heappush(self._queue, (-priority, seen))

    def _worth(self, state: Encoding) -> float:
        return float(self._row(state)[legal_actions(self._grid.action_mask(state))].max())

    def state_dict(self) -> dict[str, NDArray[np.generic]]:
        """Return everything that training changes, as arrays."""
        queued = [str(seen) for _, seen in self._queue]
        return super().state_dict() | {
            "model_index": np.array([str(seen) for seen in self._model], dtype=np.str_),
            "model_pay": np.array(list(self._model.values()), dtype=np.float64).reshape(-1, 2),
            "queue_index": np.array(queued, dtype=np.str_),
            "queue_priority": np.array([p for p, _ in self._queue], dtype=np.float64),
        }

    def load_state_dict(self, arrays: checkpoint.Arrays) -> None:
        """Load the arrays of `state_dict`."""
        pays = arrays["model_pay"].astype(np.float64).tolist()
        seen, queued = (map(int, arrays[name]) for name in ("model_index", "queue_index"))
        model = {index: (pay[0], pay[1]) for index, pay in zip(seen, pays, strict=True)}
        priorities = arrays["queue_priority"].astype(np.float64).tolist()
        queue = list(zip(priorities, queued, strict=True))
        super().load_state_dict(arrays)
        self._model, self._queue = model, queue
