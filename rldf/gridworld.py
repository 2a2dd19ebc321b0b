"""The grid that an agent walks on: one axis for each property of an image.

Encoding:
    A state is a point of the grid, a tuple with one label index for each axis; axis `i` has
    `shape[i]` values, `0` to `shape[i] - 1`.
Actions:
    Action `2 * i` is one step down axis `i`, action `2 * i + 1` is one step up. A move off the
    grid leaves the state as it is, and the action mask marks it as illegal.
Conditions:
    An axis may depend on another one (a colour on a noun that has colours). While its condition is
    not met it stands at 0 and cannot be moved, so that every state has a sentence of its own.
Start:
    A uniformly random state.
Reward, End:
    None here: the grid knows no image and no goal.
Source:
    A. Marathe, "Reinforcement Learning from Diffusion Feedback: Q* for Image Search",
    arXiv:2311.15648, the MDP. The paper is silent on the edges; staying put is our choice.
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rldf.grammar.encoding import Encoding


def _is_index(value: object, size: int) -> bool:
    return isinstance(value, int | np.integer) and 0 <= int(value) < size


Conditions = Mapping[int, tuple[int, frozenset[int]]]
"""By number of an axis: the axis that it depends on, and the values that it needs there."""


def controls_first(n_axes: int, conditions: Conditions) -> list[int]:
    """Order axes so that each comes after the one that it depends on, else as they are."""

    def depth(axis: int) -> int:
        return 1 + depth(conditions[axis][0]) if axis in conditions else 0

    return sorted(range(n_axes), key=depth)


@dataclass(frozen=True, slots=True)
class Gridworld:
    """A grid with one axis for each property of an image, and the moves on it.

    Attributes:
        shape: the number of values of each axis, each at least 1.
        conditions: the axes that depend on another one. If that one depends on a third, 0 is not
            among the values that are needed there.
    """

    shape: tuple[int, ...]
    conditions: Conditions = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a grid without axes, and an axis without values."""
        sizes_fit = all(isinstance(n, int | np.integer) and n > 0 for n in self.shape)
        if not (self.shape and sizes_fit):
            raise ValueError(f"shape {self.shape!r}: give 1 axis or more, each of 1 value or more")
        # numpy integers would overflow in the product of a large grid
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))

    @property
    def n_states(self) -> int:
        """The number of points, those off their conditions included: exact past 64 bits."""
        return math.prod(self.shape)

    def canonical(self, state: Encoding) -> Encoding:
        """Set the axes whose condition is not met to 0.

        Returns:
            (n_axes,) the state with the same sentence.
        """
        met = {axis: self._is_met(axis, state) for axis in self.conditions}
        if all(met.values()):
            return state
        return tuple(x if met.get(axis, True) else 0 for axis, x in enumerate(state))

    def _is_met(self, axis: int, state: Encoding) -> bool:
        """Follow the conditions of an axis."""
        while axis in self.conditions:
            axis, needed = self.conditions[axis]
            if state[axis] not in needed:
                return False
        return True

    @property
    def n_actions(self) -> int:
        """The number of actions: one step down and one step up each axis."""
        return 2 * len(self.shape)

    def move(self, state: Encoding, action: int) -> Encoding:
        """Take one step along one axis; at the edge, stay.

        Args:
            state: (n_axes,) a state of the grid.
            action: in `[0, n_actions)`.

        Returns:
            (n_axes,) the next state: `state` itself where the step would leave the grid.

        Raises:
            ValueError: the state or the action is not one of this grid.
        """
        self._check_state(state)
        axis, step = self.axis_and_step(action)
        moved = state[axis] + step
        if not 0 <= moved < self.shape[axis]:
            return state
        return self.canonical((*state[:axis], moved, *state[axis + 1 :]))

    def axis_and_step(self, action: int) -> tuple[int, int]:
        """Split an action into the axis it moves along and its direction."""
        if not _is_index(action, self.n_actions):
            raise ValueError(f"action {action!r}: this grid has actions 0 to {self.n_actions - 1}")
        axis, up = divmod(int(action), 2)
        return axis, 2 * up - 1

    def action_mask(self, state: Encoding) -> NDArray[np.int8]:
        """Mark the actions that stay on the grid.

        Args:
            state: (n_axes,) a state of the grid.

        Returns:
            (n_actions,) 1 where the action is legal, else 0: the form of Gymnasium's masks.

        Raises:
            ValueError: the state is not one of this grid.
        """
        self._check_state(state)
        legal = [(x > 0, x < n - 1) for x, n in zip(state, self.shape, strict=True)]
        for axis in self.conditions:
            if not self._is_met(axis, state):
                legal[axis] = (False, False)
        return np.array(legal, dtype=np.int8).ravel()

    def neighbours(self, state: Encoding) -> tuple[Encoding, ...]:
        """List the states that one legal action leads to."""
        legal = np.flatnonzero(self.action_mask(state))
        return tuple(self.move(state, int(action)) for action in legal)

    def path(self, a: Encoding, b: Encoding) -> tuple[int, ...]:
        """Give a shortest walk of legal actions between two states, of at least one action.

        Args:
            a: (n_axes,) where it starts.
            b: (n_axes,) where it ends; if that is `a`, the walk leaves it and comes back.

        Returns:
            The actions, one axis after another, the first axis first; those with a condition last.

        Raises:
            ValueError: a state is not one of this grid, or `a` is `b` and has no neighbour.
        """
        self._check_state(b)
        b = self.canonical(b)
        if a == b:
            away = np.flatnonzero(self.action_mask(a))
            if not away.size:
                raise ValueError(f"state {a!r}: no action is legal, so no walk comes back to it")
            return int(away[0]), int(away[0]) ^ 1
        self._check_state(a)
        order = controls_first(len(a), self.conditions)
        actions: list[int] = []
        for axis in order:
            steps = b[axis] - a[axis]
            actions += [2 * axis + int(steps > 0)] * abs(steps)
            # where the walk changes what others depend on, they may start again from 0
            a = self.canonical((*a[:axis], b[axis], *a[axis + 1 :]))
        return tuple(actions)

    def distance(self, a: Encoding, b: Encoding) -> int:
        """Count the fewest steps between two states, the L1 distance.

        See arXiv:2311.15648, Table 3 (its columns D_T, D_max and D_min).
        """
        self._check_state(a)
        self._check_state(b)
        return sum(abs(x - y) for x, y in zip(self.canonical(a), self.canonical(b), strict=True))

    def index(self, state: Encoding) -> int:
        """Number a state, in row-major order: the last axis varies fastest."""
        self._check_state(state)
        number = 0
        for x, n in zip(state, self.shape, strict=True):
            number = number * n + int(x)
        return number

    def state(self, index: int) -> Encoding:
        """Return the state with a number, the inverse of `index`.

        Returns:
            (n_axes,) the state.
        """
        if not _is_index(index, self.n_states):
            raise ValueError(f"index {index!r}: this grid has states 0 to {self.n_states - 1}")
        rest, reverse = int(index), []
        for n in reversed(self.shape):
            rest, x = divmod(rest, n)
            reverse.append(x)
        return tuple(reversed(reverse))

    def states(self) -> Iterator[Encoding]:
        """Walk over all states, in the order of their numbers."""
        return itertools.product(*map(range, self.shape))

    def random_state(self, rng: np.random.Generator) -> Encoding:
        """Draw a point, each with the same probability, and give its state.

        Returns:
            (n_axes,) the state.
        """
        return self.canonical(tuple(int(rng.integers(n)) for n in self.shape))

    def _check_state(self, state: Encoding) -> None:
        if len(state) != len(self.shape) or not all(map(_is_index, state, self.shape)):
            raise ValueError(f"state {state!r}: not a point of a grid of shape {self.shape}")
