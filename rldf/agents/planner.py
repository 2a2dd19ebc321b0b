"""The planner: visit every axis value once, then the cells that a model of the reward rates best.

The number of states is the product of the axis sizes, but the model has only one number per axis
value (and per pair of values). So model, search and checkpoint do not grow with the number of
states.
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

_SPREAD = 0.5  # of the sampled functions; chosen on simulated worlds of three sizes
_NARROWEST = 64  # beam width: wide enough to keep the best cells where pairs of axes matter


_MOST_LOOKS = 60  # cells of the cover; on longer axes the model interpolates between values


class PlannerOptions(AgentOptions):
    """The options of the planner."""

    batch: int = Field(4, ge=1, description="Number of cells whose images are generated together.")
    warm_start: bool = Field(
        False, description="Visit first the cell that the vision models read in the input image."
    )

    def keywords(self) -> dict[str, Any]:
        """Return the keyword arguments of the agent's constructor; the search adds `first`."""
        return {"batch": self.batch}


class Planner(SavedAgent):
    """Thompson sampling in a Bayesian linear model of the reward over axis values.

    The agent first visits a cover of the axis values, then batches. For each cell of a batch it
    samples a reward function from the posterior, and proposes the cell where this function is
    highest among the cells never visited. So a cell is proposed with the probability that it is
    the best one, and no exploration rate is needed. The samples have half the spread of the
    posterior: with the full spread nearly every sample is far off on at least one of many axes.

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
        """Make an agent that has learned nothing.

        Args:
            world: the grid.
            rng: random generator of the agent alone, for the cover and the sampled functions;
                loading a checkpoint sets its state.
            batch: how many cells are proposed together, 1 or more; their images are generated in
                one batch.
            first: (n_axes,) a cell to visit before the cover, such as the cell that the vision
                models read in the input image, or None.

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
        """Do nothing: what was learned does not depend on the start."""

    def propose(self, state: Encoding, mask: NDArray[np.int8]) -> tuple[Encoding, ...]:
        """Propose the cells of the batch that were not visited yet, or a new batch.

        Args:
            state: (n_axes,) the current state of the walk; it is not used.
            mask: (n_actions,) int8, the legal actions; it is not used.

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
        """Store the reward of the next state.

        Args:
            transition: the step; of it `next_state` and `reward` are used.
        """
        self._rewards[transition.next_state] = transition.reward
        if self._wanted and self._wanted[0] == transition.next_state:
            del self._wanted[0]

    def belief(self) -> Posterior:
        """Return the posterior of the reward function.

        Returns:
            The model of the standardised rewards, which have mean 0 and variance 1.

        Raises:
            ValueError: no reward is known yet.
        """
        if not self._rewards:
            raise ValueError("belief: no reward is known yet: call update first")
        cells = np.array(list(self._rewards), dtype=np.int64)
        return fit(self._prior, cells, np.array(list(self._rewards.values()), dtype=np.float64))

    def state_dict(self) -> dict[str, NDArray[np.generic]]:
        """Return everything that changes as the agent walks, as arrays."""
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
        """Find the cell where a function is highest, of those neither visited nor in the batch."""
        known = {*self._rewards, *self._wanted}
        width = max(_NARROWEST, len(known) + 1)
        cells = best_cells(hope, width, self._conditions)
        return next((cell for cell in cells if cell not in known), cells[0])
