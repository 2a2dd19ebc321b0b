"""The noisy diffusion gradient, the paper's second method.

See arXiv:2311.15648, "noisy diffusion gradient": the encoding itself is optimised along gradients
computed on it; no more is said. Our reading is the stochastic gradient by finite differences of
J. Kiefer and J. Wolfowitz, 1952, doi:10.1214/aoms/1177729392, with the momentum of B. Polyak, 1964,
doi:10.1016/0041-5553(64)90137-5. The noise is that of the images: what they show beside the
sentence, and what is misread in them.
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
        (n_axes,) the reward gained for each cell walked up the axis: the central difference, at an
        edge the one-sided one, 0 on an axis of one value.
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

    v' = momentum v + step_size g / max|g|, and x' = x + v', held between the edges; where all
    slopes are 0 there is no direction, and g / max|g| is 0. The division makes the step as long in
    a reward of any unit.

    Returns:
        (n_axes,) the new point and (n_axes,) the new velocity.
    """
    steepest = float(np.abs(slopes).max())
    direction = slopes / steepest if steepest > 0 else np.zeros_like(slopes)
    velocity = momentum * velocity + step_size * direction
    return np.clip(point + velocity, 0.0, np.array(shape) - 1.0), velocity


class GradientOptions(AgentOptions):
    """Options of the noisy gradient."""

    step_size: float = Field(
        1.0, gt=0, description="Length of a step along the steepest axis, in cells."
    )
    momentum: float = Field(
        0.5, ge=0, lt=1, description="Fraction of the last step that is added to the next one."
    )


class NoisyGradient(SavedAgent):
    """Sees a cell and its neighbours, drawn together, then moves up the slope.

    It stops on a plateau, which has no slope, follows noise where the signal is weak, and its
    momentum carries it past the goal: the failures that the paper names. A new episode starts anew.
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
            rng: the agent's own generator, of which nothing is drawn; its checkpoints hold it.
            step_size: above 0, how many cells a step goes along the steepest axis.
            momentum: in [0, 1), the part of the last step that is taken again.

        Raises:
            ValueError: an option is out of range.
        """
        if not (0 < step_size < np.inf and 0 <= momentum < 1):
            raise ValueError(f"step_size {step_size}, momentum {momentum}: give above 0, in [0, 1)")
        super().__init__(world, rng)
        self._shape, self._step_size, self._momentum = world.shape, step_size, momentum
        self._canonical = world.canonical
        self.point = np.zeros(len(world.shape))
        self._velocity = np.zeros(len(world.shape))
        self._wanted: list[Encoding] = []
        self._rewards: dict[Encoding, float] = {}

    def begin_episode(self, state: Encoding) -> None:
        """Start anew."""
        self._start_from(np.array(state, dtype=np.float64), np.zeros(len(self._shape)))

    def propose(self, state: Encoding, mask: NDArray[np.int8]) -> tuple[Encoding, ...]:
        """Name the cell at the point and its neighbours, less what was seen since the last move.

        Args:
            state: (n_axes,) where the walk is; it decides nothing.
            mask: (n_actions,) int8, likewise.

        Returns:
            At least one cell, (n_axes,) each.
        """
        return tuple(self._wanted)

    def update(self, transition: Transition) -> None:
        """Learn the reward of a cell; once all neighbours are known, move.

        Args:
            transition: the step to that cell; its reward alone counts.
        """
        self._rewards[transition.next_state] = transition.reward
        self._wanted = [cell for cell in self._wanted if cell != transition.next_state]
        if not self._wanted:
            canonical = self._canonical  # cells off a condition pay what their state pays
            rewards = {cell: self._rewards[canonical(cell)] for cell in self._cross()}
            slopes = finite_differences(rewards, self._cell(), self._shape)
            rates = {"step_size": self._step_size, "momentum": self._momentum}
            self._start_from(*ascend(self.point, self._velocity, slopes, self._shape, **rates))

    def state_dict(self) -> dict[str, NDArray[np.generic]]:
        """Return all that changes as the agent walks, as arrays."""
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
        """List the cell at the point and its neighbours."""
        cell = self._cell()
        around = (
            _at(cell, axis, value)
            for axis, size in enumerate(self._shape)
            for value in (cell[axis] - 1, cell[axis] + 1)
            if 0 <= value < size
        )
        return [cell, *around]

    def _cell(self) -> Encoding:
        """Project the point to the grid: the nearest cell."""
        return tuple(int(x) for x in np.rint(self.point))


def _at(cell: Encoding, axis: int, value: int) -> Encoding:
    return (*cell[:axis], value, *cell[axis + 1 :])
