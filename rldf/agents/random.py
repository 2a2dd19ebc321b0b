"""The baseline that learns nothing."""

import numpy as np
from numpy.typing import NDArray

from rldf.agents.base import WalkingAgent
from rldf.agents.policies import uniform
from rldf.agents.protocol import Transition, World
from rldf.grammar.encoding import Encoding


class RandomAgent(WalkingAgent):
    """Takes every legal step with the same probability.

    See arXiv:2311.15648, Algorithm 1, random selection.
    """

    def __init__(self, world: World, *, rng: np.random.Generator) -> None:
        """Make an agent.

        Args:
            world: the world that it walks in; its checkpoints name the size.
            rng: the agent's own generator; loading a checkpoint sets its state.
        """
        super().__init__(world, rng)

    def select_action(self, state: Encoding, mask: NDArray[np.int8]) -> int:
        """Draw a step.

        Args:
            state: (n_axes,) where the walk is.
            mask: (n_actions,) int8, 1 where an action is legal, at least one.

        Returns:
            A legal action, each with the same probability.
        """
        return uniform(mask, self._rng)

    def greedy_action(self, state: Encoding, mask: NDArray[np.int8]) -> int:
        """Draw a step, since there are no action values; this advances the random generator.

        Args:
            state: (n_axes,) where the walk is.
            mask: (n_actions,) int8, 1 where an action is legal, at least one.

        Returns:
            A legal action, each with the same probability.
        """
        return self.select_action(state, mask)

    def update(self, transition: Transition) -> None:
        """Learn nothing."""
