"""The baseline that learns nothing."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rldf.agents import checkpoint
from rldf.agents.policies import uniform
from rldf.agents.protocol import Transition, World
from rldf.encoding import Encoding


class RandomAgent:
    """Takes every legal step with the same probability.

    See arXiv:2311.15648, Algorithm 1, random selection.
    """

    def __init__(self, world: World, *, rng: np.random.Generator) -> None:
        """Make an agent.

        Args:
            world: the size of the world, which its checkpoints name.
            rng: the agent's own generator; loading a checkpoint sets its state.
        """
        self._world, self._rng = world, rng

    def begin_episode(self, state: Encoding) -> None:
        """Start a new walk.

        Args:
            state: (n_axes,) where it starts.
        """

    def select_action(self, state: Encoding, mask: NDArray[np.int8]) -> int:
        """Draw a step.

        Args:
            state: (n_axes,) the current state.
            mask: (n_actions,) its legal actions.

        Returns:
            A legal action.

        Raises:
            ValueError: no action is legal.
        """
        return uniform(mask, self._rng)

    def greedy_action(self, state: Encoding, mask: NDArray[np.int8]) -> int:
        """Draw a step: an agent without values has no better one, and a draw moves its generator.

        Args:
            state: (n_axes,) a state.
            mask: (n_actions,) its legal actions.

        Returns:
            A legal action.

        Raises:
            ValueError: no action is legal.
        """
        return self.select_action(state, mask)

    def update(self, transition: Transition) -> None:
        """Learn nothing.

        Args:
            transition: the step and what came of it.
        """

    def state_dict(self) -> dict[str, NDArray[np.generic]]:
        """Give all that changes as the agent walks, as arrays.

        Returns:
            JSON text by name: `agent` (), its class and world, and `rng` (), the state of its
            generator.
        """
        rng = checkpoint.text(self._rng.bit_generator.state)
        return {"agent": checkpoint.identity(self, self._world), "rng": rng}

    def load_state_dict(self, arrays: checkpoint.Arrays) -> None:
        """Go on from the arrays of `state_dict`.

        Args:
            arrays: those of a random agent in a world of the same size.

        Raises:
            KeyError: an array is missing.
            TypeError: the arrays do not describe an agent.
            ValueError: they are those of another agent, of another world or generator.
        """
        checkpoint.check_identity(arrays, self, self._world)
        self._rng.bit_generator.state = checkpoint.record(arrays, "rng")

    def save(self, path: Path) -> None:
        """Write a checkpoint.

        Args:
            path: the npz file to make or to replace; its folder must exist.
        """
        checkpoint.write(path, self.state_dict())

    def load(self, path: Path) -> None:
        """Go on from a checkpoint, to the same actions.

        Args:
            path: the npz file of `save`.

        Raises:
            RunError: the file is missing or damaged, or not one of such an agent.
        """
        with checkpoint.reading(path) as arrays:
            self.load_state_dict(arrays)
