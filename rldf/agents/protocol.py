"""What an agent is, what it sees of the world, and what it learns from.

An agent sees numbers only: states, masks and rewards, never an image, a sentence or a goal.
Actions are integers in `[0, n_actions)`; a mask is an int8 array, 1 where an action is legal.

An agent names the states that it wants to see next, and the search does the rest: it draws those
that were never drawn, all together, walks to the first one by legal moves without a look at what
lies between, and tells the agent what it paid. Then the agent is asked again. So one contract
serves all: a walker (the tabular agents, chance) names a neighbour and sees each cell it passes, a
planner names a batch of states anywhere on the grid. What was named is drawn and paid for, so an
agent names a state again until it was seen, before it names others.
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
    """All that an agent needs to know of a world: how large it is, and how states are numbered."""

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
            Its number in `[0, n_states)`, a different one for each state.
        """

    def move(self, state: Encoding, action: int) -> Encoding:
        """Take one step: transitions are known, what they pay is not.

        Args:
            state: (n_axes,) where the step begins.
            action: in `[0, n_actions)`.

        Returns:
            (n_axes,) the state that it leads to; the same one where the action is not legal.
        """


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Transition:
    """One step of a walk, and what came of it.

    Attributes:
        state: (n_axes,) the state before the last move, a neighbour of the next state.
        action: that move.
        reward: what the next state paid, finite.
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
        """Refuse numbers that would spoil every value learned after them."""
        if not math.isfinite(self.reward):
            raise ValueError(f"reward {self.reward!r}: give a finite number")
        if not 0.0 <= self.continues <= 1.0:
            raise ValueError(f"continues {self.continues!r}: give a number in [0, 1]")


class Agent(Protocol):
    """Says what is worth seeing, and learns from what was seen."""

    def begin_episode(self, state: Encoding) -> None:
        """Learn that the walk goes on from a state which no move led to.

        Args:
            state: (n_axes,) the first state of an episode.
        """

    def propose(self, state: Encoding, mask: NDArray[np.int8]) -> Sequence[Encoding]:
        """Name the states to see next.

        Args:
            state: (n_axes,) where the walk is.
            mask: (n_actions,) int8, 1 where an action is legal, at least one.

        Returns:
            At least one state, in the order in which to go there. The first is seen before the
            agent is asked again; the others are named again until they are seen.
        """

    def update(self, transition: Transition) -> None:
        """Learn from the first of the proposed states, which was seen.

        Args:
            transition: the step that led to it, and its reward.
        """

    def save(self, path: Path) -> None:
        """Write all that the agent needs to go on.

        Args:
            path: the file, npz; it appears whole or not at all.

        Raises:
            OSError: it cannot be written.
        """

    def load(self, path: Path) -> None:
        """Load a file of `save`; from there on actions and values are those of the saved agent.

        Args:
            path: the file.

        Raises:
            RunError: the file is damaged, or of another agent or world; the agent is unchanged.
        """


class Walker(Agent, Protocol):
    """An agent that goes cell by cell, and sees each: it proposes where its next action leads."""

    def select_action(self, state: Encoding, mask: NDArray[np.int8]) -> int:
        """Choose an action to take, exploring as the agent does.

        Args:
            state: (n_axes,) where the walk is.
            mask: (n_actions,) int8, 1 where an action is legal, at least one.

        Returns:
            A legal action, in `[0, n_actions)`.
        """

    def greedy_action(self, state: Encoding, mask: NDArray[np.int8]) -> int:
        """Choose the action that is best by what was learned.

        Args:
            state: (n_axes,) where the walk is.
            mask: (n_actions,) int8, 1 where an action is legal, at least one.

        Returns:
            A legal action, in `[0, n_actions)`.
        """
