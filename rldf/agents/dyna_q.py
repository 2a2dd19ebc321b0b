"""Dyna-Q with prioritised sweeping, which plans in the model of what it has seen.

The grid's transitions are known; the reward of a cell is known once it was seen, and it pays that
whichever step leads there. So one seen cell values every step into it, and a changed value is
carried back along known moves, the largest changes first, without another render.
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
    """Q(s, a) = r(s') + gamma max_b Q(s', b), for every s and a that lead to a seen cell s'.

    See R. Sutton, "Integrated architectures for learning, planning, and reacting", 1990,
    doi:10.1016/B978-1-55860-141-3.50030-4; A. Moore and C. Atkeson, "Prioritized sweeping", 1993,
    doi:10.1007/BF00993104; Sutton & Barto, "Reinforcement Learning", sections 8.2 and 8.4. The
    backups are whole (a learning rate of 1), since the model is exact while image seeds are fixed.
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
        """Make an agent that has seen nothing.

        Args:
            world: the grid, whose moves are known.
            rng: the agent's own generator.
            epsilon: the rate of exploration, by the steps learned from, from 0.
            gamma: the discount, in [0, 1].
            initial_q: the initial values are uniform in [0, initial_q).
            optimism: added to every initial value.
            backups: the most cells that are swept after a step; the rest wait for the next one.
            threshold: changes of a value up to this are not carried on.

        Raises:
            ValueError: an option is out of range.
        """
        if backups < 1 or threshold <= 0:
            raise ValueError(f"{backups} backups above {threshold}: give 1 or more, above 0")
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
        self._model: dict[int, tuple[float, float]] = {}  # seen cell: its pay, 0.0 if terminal
        self._queue: list[tuple[float, int]] = []  # minus its priority, a seen cell; a heap

    def update(self, transition: Transition) -> None:
        """Learn the reward of a cell, and sweep.

        Args:
            transition: the step to that cell; its reward and `continues` alone count.
        """
        seen = self._grid.index(transition.next_state)
        pays = (transition.reward, transition.continues)
        if self._model.get(seen) != pays:  # another look at the same teaches nothing
            self._model[seen] = pays
            self._queue_up(seen, np.inf)
        self.steps += 1
        for _ in range(self._backups):
            if not self._queue:
                break
            self._sweep(heapq.heappop(self._queue)[1])

    def _sweep(self, seen: int) -> None:
        """Value every step into a seen cell, and queue the cells that this makes worth more."""
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
        """Return all that changes in training, as arrays."""
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
