"""The planner: look at every axis value once, then see what a model of the reward hopes for.

A world is as large as the product of its axes; what must be learned of it is their sum. So nothing
here grows with the number of states: not the model, not the search in it, not a checkpoint.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from rldf.agents.checkpoint import Arrays, SavedAgent
from rldf.agents.cover import latin_cover
from rldf.agents.factored import Posterior, Prior, fit
from rldf.agents.options import AgentOptions
from rldf.agents.protocol import Transition
from rldf.agents.tables import Tables, best_cells
from rldf.grammar.encoding import Encoding, fits
from rldf.gridworld import Gridworld

_SPREAD = 0.5  # of the draws, below the posterior's own: chosen on simulated worlds of three sizes
_NARROWEST = 64  # a beam: wide enough not to lose the best cells where pairs of axes matter


_MOST_LOOKS = 60  # of the cover; on longer axes neighbours speak for the values between


class PlannerOptions(AgentOptions):
    """Options of the planner."""

    batch: int = Field(4, ge=1, description="Number of cells that are proposed and drawn together.")
    warm_start: bool = Field(
        False, description="Begin with the cell that is read in the input image."
    )

    def keywords(self) -> dict[str, Any]:
        """Return the keyword arguments of the agent's constructor; the search names the cell."""
        return {"batch": self.batch}


class Planner(SavedAgent):
    """Thompson sampling in a Bayesian linear model of the reward over axis values.

    First a cover of the axis values, then batches: for each cell of a batch a function is drawn
    from what is believed of the reward, and the cell that it likes best among those never seen is
    proposed. Cells that may well be the best are seen, in proportion to how likely that is; no
    rate of exploration is needed. The draws have half the spread of the posterior: with its whole
    one, at least one of many axes goes astray in nearly every draw. The moves between are known.

    See W. Thompson, 1933, doi:10.1093/biomet/25.3-4.285; S. Agrawal and N. Goyal, "Thompson
    sampling for contextual bandits with linear payoffs", arXiv:1209.3352; K. Kandasamy et al., on
    batches, arXiv:1705.09236; O. Chapelle and L. Li, "An empirical evaluation of Thompson
    sampling", 2011, on the spread ("posterior reshaping"). The paper has no such agent: this one is
    ours.
    """

    Options: ClassVar[type[AgentOptions]] = PlannerOptions

    def __init__(
        self,
        world: Gridworld,
        *,
        rng: np.random.Generator,
        batch: int = 4,
        first: Encoding | None = None,
    ) -> None:
        """Make an agent that has seen nothing.

        Args:
            world: the grid.
            rng: the agent's own generator, for the cover and for the functions drawn; loading a
                checkpoint sets its state.
            batch: how many cells are proposed together, 1 or more: what the device draws at once.
            first: (n_axes,) a cell to see before the cover, such as a reading of the input image;
                None for none.

        Raises:
            ValueError: the batch is below 1, or the first cell is not on the grid.
        """
        if batch < 1:
            raise ValueError(f"batch {batch}: give 1 or more")
        if first is not None and not fits(first, world.shape):
            raise ValueError(f"first {first}: not a cell of a grid of shape {world.shape}")
        super().__init__(world, rng)
        self._batch, self._prior = batch, Prior(shape=world.shape)
        looks = latin_cover(world.shape, rng)[:_MOST_LOOKS]
        looks = [*dict.fromkeys(map(world.canonical, looks))]
        self._conditions = world.conditions
        cover = [cell for cell in looks if cell != first]
        self._cover = cover if first is None else [first, *cover]
        self._wanted: list[Encoding] = []
        self._rewards: dict[Encoding, float] = {}

    def begin_episode(self, state: Encoding) -> None:
        """Go on: what was seen is as true from another start."""

    def propose(self, state: Encoding, mask: NDArray[np.int8]) -> tuple[Encoding, ...]:
        """Name what is left of the batch, or the next one.

        Args:
            state: (n_axes,) where the walk is; it decides nothing.
            mask: (n_actions,) int8, likewise.

        Returns:
            One to `batch` cells, (n_axes,) each, in the order in which they were chosen.
        """
        if not self._wanted:
            self._wanted, self._cover = self._cover[: self._batch], self._cover[self._batch :]
        if not self._wanted:
            belief = self.belief()
            for _ in range(self._batch):
                self._wanted.append(self._best_unseen(belief.draw(self._rng, _SPREAD)))
        return tuple(self._wanted)

    def update(self, transition: Transition) -> None:
        """Learn the reward of a cell.

        Args:
            transition: the step to that cell; its reward alone counts.
        """
        self._rewards[transition.next_state] = transition.reward
        if self._wanted and self._wanted[0] == transition.next_state:
            del self._wanted[0]

    def belief(self) -> Posterior:
        """Return what is believed of the reward.

        Returns:
            The model, in units of what was seen: mean 0, variance 1.

        Raises:
            ValueError: nothing was seen.
        """
        if not self._rewards:
            raise ValueError("nothing was seen, so nothing is believed: see a cell first")
        cells = np.array(list(self._rewards), dtype=np.int64)
        return fit(self._prior, cells, np.array(list(self._rewards.values()), dtype=np.float64))

    def state_dict(self) -> dict[str, NDArray[np.generic]]:
        """Return all that changes as the agent walks, as arrays."""
        lists = {"cover": self._cover, "wanted": self._wanted, "cells": list(self._rewards)}
        axes = len(self._prior.shape)
        rewards = np.array(list(self._rewards.values()), dtype=np.float64)
        return (
            super().state_dict()
            | {name: np.array(c, dtype=np.int64).reshape(-1, axes) for name, c in lists.items()}
            | {"rewards": rewards}
        )

    def load_state_dict(self, arrays: Arrays) -> None:
        """Load the arrays of `state_dict`."""
        names = ("cover", "wanted", "cells")
        cover, wanted, cells = ([*map(tuple, arrays[name].tolist())] for name in names)
        rewards = dict(zip(cells, arrays["rewards"].tolist(), strict=True))
        super().load_state_dict(arrays)
        self._cover, self._wanted, self._rewards = cover, wanted, rewards

    def _best_unseen(self, hope: Tables) -> Encoding:
        """Find the cell that a function likes best, of those neither seen nor in the batch."""
        known = {*self._rewards, *self._wanted}
        width = max(_NARROWEST, len(known) + 1)
        cells = best_cells(hope, width, self._conditions)
        return next((cell for cell in cells if cell not in known), cells[0])
