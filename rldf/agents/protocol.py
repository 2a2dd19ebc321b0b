"""What an agent is, what it sees of the world, and what it learns from.

An agent sees numbers only: states, masks and rewards, never an image, a sentence or a goal.
Actions are integers in `[0, n_actions)`; a mask is an int8 array, 1 where an action is legal.

An agent proposes the states that it wants to visit next. The search generates the images of those
that have none yet, all together; walks to the first proposed state by legal moves, without images
of the states between; and calls `update` with the reward of that state. Then the search calls
`propose` again. This serves every agent: a walker (the tabular agents, the random agent) proposes
one neighbour and so visits each cell on its way; a planner proposes a batch of states anywhere on
the grid. The images of all proposed states count as renders, so an agent proposes a state again
until it was visited, before it proposes others.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rldf.grammar.encoding import Encoding


class World(Protocol):
    """What an agent knows of a world: its size, the numbers of its states, and its transitions."""

    @property
    def n_states(self) -> int:
        """The number of states."""

    @property
    def n_actions(self) -> int:
        """The number of actions."""

    def index(self, state: Encoding) -> int:
        """Number a state.

        Args:
            state: (n_axes,) a state of the world.

        Returns:
            The number of the state in `[0, n_states)`, a different one for each state.
        """

    def move(self, state: Encoding, action: int) -> Encoding:
        """Return the state that an action leads to; agents know transitions but not rewards.

        Args:
            state: (n_axes,) the state before the action.
            action: in `[0, n_actions)`.

        Returns:
            (n_axes,) the next state; `state` where the action is not legal.
        """


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Transition:
    """One step of a walk and its reward.

    Attributes:
        state: (n_axes,) the state before the last move, a neighbour of the next state.
        action: the action of the last move.
        reward: the reward of the next state, finite.
        continues: 0.0 where the step ended the episode in a terminal state, else 1.0; the
            effective discount of the step is the agent's discount times this.
        next_state: (n_axes,) the state after the step.
        next_mask: (n_actions,) int8, the legal actions of the next state, at least one.
    """

    state: Encoding
    action: int
    reward: float
    continues: float
    next_state: Encoding
    next_mask: NDArray[np.int8]

    def __post_init__(self) -> None:
        """Refuse a reward that is not finite, and `continues` outside [0, 1]."""
        if not math.isfinite(self.reward):
            raise ValueError(f"reward {self.reward!r}: give a finite number")
        if not 0.0 <= self.continues <= 1.0:
            raise ValueError(f"continues {self.continues!r}: give a number in [0, 1]")


class Agent(Protocol):
    """An agent: it proposes states to visit, and learns from their rewards."""

    def begin_episode(self, state: Encoding) -> None:
        """Prepare for a new episode, to whose first state no action led.

        Args:
            state: (n_axes,) the first state of an episode.
        """

    def propose(self, state: Encoding, mask: NDArray[np.int8]) -> Sequence[Encoding]:
        """Propose the states to visit next.

        Args:
            state: (n_axes,) the current state of the walk.
            mask: (n_actions,) int8, 1 where an action is legal; at least one is.

        Returns:
            At least one state, in the order of the visits. The search visits the first one and
            calls `propose` again; the agent then repeats the others until they are visited.
        """

    def update(self, transition: Transition) -> None:
        """Learn from the first of the proposed states, which the walk has reached.

        Args:
            transition: the step that led to that state, and its reward.
        """

    def save(self, path: Path) -> None:
        """Write a checkpoint from which `load` continues.

        Args:
            path: the npz file; it is replaced only once the new one is complete.

        Raises:
            OSError: the file cannot be written.
        """

    def load(self, path: Path) -> None:
        """Load a file of `save`; the agent then acts and learns as the saved agent would.

        Args:
            path: the file.

        Raises:
            RunError: the file is damaged, or is of another agent class or size of world; the
                agent is unchanged.
        """


class Walker(Agent, Protocol):
    """An agent that visits cell by cell: it proposes the neighbour to which its action leads."""

    def select_action(self, state: Encoding, mask: NDArray[np.int8]) -> int:
        """Choose an action to take, exploring as the agent does.

        Args:
            state: (n_axes,) the current state of the walk.
            mask: (n_actions,) int8, 1 where an action is legal; at least one is.

        Returns:
            A legal action, in `[0, n_actions)`.
        """

    def greedy_action(self, state: Encoding, mask: NDArray[np.int8]) -> int:
        """Choose the action that is best by what was learned.

        Args:
            state: (n_axes,) the current state of the walk.
            mask: (n_actions,) int8, 1 where an action is legal; at least one is.

        Returns:
            A legal action, in `[0, n_actions)`.
        """
