"""The noisy diffusion gradient, the paper's second method.

See arXiv:2311.15648, "noisy diffusion gradient": the paper says only that the encoding itself is
optimised along gradients computed on it. This module uses the stochastic gradient by finite
differences of J. Kiefer and J. Wolfowitz, 1952, doi:10.1214/aoms/1177729392, with the momentum of
B. Polyak, 1964, doi:10.1016/0041-5553(64)90137-5. The noise comes from the images: they show more
than the sentence says, and the vision models misread some of them.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rldf.agents.checkpoint import Arrays, SavedAgent
from rldf.agents.options import AgentOptions
from rldf.agents.protocol import Transition
from rldf.grammar.encoding import Encoding
from rldf.gridworld import Gridworld


def finite_differences(
    rewards: dict[Encoding, float], cell: Encoding, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Estimate the slope of the reward along each axis.

    Returns:
        (n_axes,) the change of the reward per cell upwards along each axis: the central difference
        inside the grid, the one-sided difference at an edge, 0 on an axis of one value.
    """
    slopes = np.zeros(len(shape))
    for axis, size in enumerate(shape):
        low, high = max(cell[axis] - 1, 0), min(cell[axis] + 1, size - 1)
        if high > low:
            rise = rewards[_at(cell, axis, high)] - rewards[_at(cell, axis, low)]
            slopes[axis] = rise / (high - low)
    return slopes


def ascend(
    point: NDArray[np.float64],
    velocity: NDArray[np.float64],
    slopes: NDArray[np.float64],
    shape: tuple[int, ...],
    *,
    step_size: float,
    momentum: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Take one step up the slope, and stay on the grid.

    v' = momentum v + step_size g / max|g|, and x' = x + v' clipped to the grid, with g the slopes.
    Where all slopes are 0, g / max|g| counts as 0. The division makes the length of a step
    independent of the unit of the reward.

    Returns:
        (n_axes,) the new point and (n_axes,) the new velocity.
    """
    steepest = float(np.abs(slopes).max())
    direction = slopes / steepest if steepest > 0 else np.zeros_like(slopes)
    velocity = momentum * velocity + step_size * direction
    return np.clip(point + velocity, 0.0, np.array(shape) - 1.0), velocity


class GradientOptions(AgentOptions):
    """The options of the noisy gradient."""

    step_size: float = Field(
        1.0, gt=0, description="Length of a step along the steepest axis, in cells."
    )
    momentum: float = Field(
        0.5, ge=0, lt=1, description="Fraction of the last step that is added to the next one."
    )


class NoisyGradient(SavedAgent):
    """An agent that renders a cell and its neighbours together, then moves up the slope.

    The paper names its failures: the agent stops on a plateau, which has no slope, follows noise
    where the signal is weak, and its momentum carries it past the goal. A new episode starts at the
    first state without momentum.
    """

    Options: ClassVar[type[AgentOptions]] = GradientOptions

    def __init__(
        self,
        world: Gridworld,
        *,
        rng: np.random.Generator,
        step_size: float = 1.0,
        momentum: float = 0.5,
    ) -> None:
        """Make an agent.

        Args:
            world: the grid.
            rng: random generator of the agent alone; it is saved in checkpoints but never used.
            step_size: above 0, how many cells a step goes along the steepest axis.
            momentum: in [0, 1), the fraction of the last step that is added to the next one.

        Raises:
            ValueError: an option is out of range.
        """
        if not (0 < step_size < np.inf and 0 <= momentum < 1):
            raise ValueError(
                f"step_size {step_size}, momentum {momentum}: give a step_size above 0 and a "
                "momentum in [0, 1)"
            )
        super().__init__(world, rng)
        self._shape, self._step_size, self._momentum = world.shape, step_size, momentum
        self._canonical = world.canonical
        self.point = np.zeros(len(world.shape))
        self._velocity = np.zeros(len(world.shape))
        self._wanted: list[Encoding] = []
        self._rewards: dict[Encoding, float] = {}

    def begin_episode(self, state: Encoding) -> None:
        """Move the point to the first state, and forget velocity and known rewards."""
        self._start_from(np.array(state, dtype=np.float64), np.zeros(len(self._shape)))

    def propose(self, state: Encoding, mask: NDArray[np.int8]) -> tuple[Encoding, ...]:
        """Propose the agent's cell and its neighbours, except those visited since the last move.

        Args:
            state: (n_axes,) the current state of the walk; it is not used.
            mask: (n_actions,) int8, the legal actions; it is not used.

        Returns:
            At least one cell, (n_axes,) each.
        """
        return tuple(self._wanted)

    def update(self, transition: Transition) -> None:
        """Store the reward of the next state; once all neighbours have a reward, move the point.

        Args:
            transition: the step; of it `next_state` and `reward` are used.
        """
        self._rewards[transition.next_state] = transition.reward
        self._wanted = [cell for cell in self._wanted if cell != transition.next_state]
        if not self._wanted:
            canonical = self._canonical  # an axis whose condition is not met changes no reward
            rewards = {cell: self._rewards[canonical(cell)] for cell in self._cross()}
            slopes = finite_differences(rewards, self._cell(), self._shape)
            rates = {"step_size": self._step_size, "momentum": self._momentum}
            self._start_from(*ascend(self.point, self._velocity, slopes, self._shape, **rates))

    def state_dict(self) -> dict[str, NDArray[np.generic]]:
        """Return everything that changes as the agent walks, as arrays."""
        axes = len(self._shape)
        return super().state_dict() | {
            "point": self.point.copy(),
            "velocity": self._velocity.copy(),
            "wanted": np.array(self._wanted, dtype=np.int64).reshape(-1, axes),
            "known": np.array(list(self._rewards), dtype=np.int64).reshape(-1, axes),
            "rewards": np.array(list(self._rewards.values()), dtype=np.float64),
        }

    def load_state_dict(self, arrays: Arrays) -> None:
        """Load the arrays of `state_dict`."""
        point, velocity = (arrays[name].astype(np.float64) for name in ("point", "velocity"))
        wanted, known = ([*map(tuple, arrays[name].tolist())] for name in ("wanted", "known"))
        rewards = dict(zip(known, arrays["rewards"].tolist(), strict=True))
        super().load_state_dict(arrays)
        self.point, self._velocity = point, velocity
        self._wanted, self._rewards = wanted, rewards

    def _start_from(self, point: NDArray[np.float64], velocity: NDArray[np.float64]) -> None:
        self.point, self._velocity, self._rewards = point, velocity, {}
        self._wanted = [*dict.fromkeys(map(self._canonical, self._cross()))]

    def _cross(self) -> list[Encoding]:
        """List the agent's cell, then the cells one step away along each axis."""
        cell = self._cell()
        around = (
            _at(cell, axis, value)
            for axis, size in enumerate(self._shape)
            for value in (cell[axis] - 1, cell[axis] + 1)
            if 0 <= value < size
        )
        return [cell, *around]

    def _cell(self) -> Encoding:
        """Return the cell nearest to the point."""
        return tuple(int(x) for x in np.rint(self.point))


def _at(cell: Encoding, axis: int, value: int) -> Encoding:
    return (*cell[:axis], value, *cell[axis + 1 :])
