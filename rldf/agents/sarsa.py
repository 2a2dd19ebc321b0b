"""SARSA, which learns the value of the steps that it takes, exploration included."""

import numpy as np
from numpy.typing import NDArray

from rldf.agents import checkpoint
from rldf.agents.base import TabularAgent
from rldf.agents.protocol import Transition
from rldf.agents.updates import sarsa_target
from rldf.grammar.encoding import Encoding


class Sarsa(TabularAgent):
    """Q(s, a) += alpha (r + gamma Q(s', a') - Q(s, a)), with a' the action taken next in s'.

    See arXiv:2311.15648, Algorithm 1; Sutton & Barto, "Reinforcement Learning", eq. 6.7.
    """

    _pending: int | None = None  # a', chosen by the last update, until the next one

    def begin_episode(self, state: Encoding) -> None:
        """Start a new walk, and drop the step planned in the last one."""
        self._pending = None

    def select_action(self, state: Encoding, mask: NDArray[np.int8]) -> int:
        """Take the step that the last update chose and learned from; else choose one.

        Args:
            state: (n_axes,) where the walk is.
            mask: (n_actions,) int8, 1 where an action is legal, at least one.

        Returns:
            A legal action, in `[0, n_actions)`.
        """
        return super().select_action(state, mask) if self._pending is None else self._pending

    def update(self, transition: Transition) -> None:
        """Choose the next step, and learn from this one by the rule above.

        Args:
            transition: the step; its discount is gamma times `continues`.
        """
        q_t, discount_t = self._row(transition.next_state), self._discount(transition)
        a_t = super().select_action(transition.next_state, transition.next_mask)
        target = sarsa_target(transition.reward, discount_t, q_t, a_t)
        self._learn(transition, target)
        self._pending = a_t

    def state_dict(self) -> dict[str, NDArray[np.generic]]:
        """Return all that changes in training, as arrays."""
        pending = [] if self._pending is None else [self._pending]
        return super().state_dict() | {"pending_action": np.array(pending, dtype=np.int64)}

    def load_state_dict(self, arrays: checkpoint.Arrays) -> None:
        """Load the arrays of `state_dict`."""
        pending = [int(action) for action in arrays["pending_action"]]
        super().load_state_dict(arrays)
        self._pending = pending[0] if pending else None
