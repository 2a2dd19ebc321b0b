"""Simulated searches: no image is generated, and the reward is a sum over axes.

The reward of a cell is the sum of table_i[r_i] over the axes i, with r_i the value read on axis i,
and optionally of table_ij[r_i, r_j] over neighbouring axes i and j. Each r_i is a wrong value with
probability `misread`, also at the goal, and is the same at every visit, as with a fixed image seed.
Environment, search loop and agents are those of real searches.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rldf import seeding as seeds
from rldf.agents.options import make_agent
from rldf.grammar.encoding import Encoding
from rldf.grammar.grammar import Axis, Grammar, Slot, Value
from rldf.gridworld import Gridworld
from rldf.interfaces import ImageGenerator, Json
from rldf.runs.config import SearchConfig
from rldf.runs.env import EncodingGridEnv
from rldf.runs.loop import SearchState, walk
from rldf.runs.records import Step

SHAPES = {
    480: (2, 10, 3, 8),
    4_320: (2, 30, 3, 24),
    43_200: (2, 30, 3, 24, 10),
    2_073_600: (2, 30, 3, 24, 8, 10, 6),
}
"""Shapes of simulated grids by their number of states; the first has that of grammar base."""

KINDS = ("multi", "clip")
"""Kinds of reward: "multi" of noun and scene, as the paper's first reward; "clip" of all axes."""

_NOUN, _SCENE = 1, 3  # numbers of the axes that the paper's multi reward depends on


class Simulated(ImageGenerator):
    """A grid with a goal and a reward for each cell; it acts as generator and as reward.

    A generated image is one pixel, with the cell's sentence in its `info`.
    """

    @property
    def identity(self) -> Mapping[str, Json]:
        """No settings: only the sentence decides the image."""
        return {}

    def __init__(
        self, shape: tuple[int, ...], kind: str, seed: int, misread: float = 0.1, pairs: float = 0.0
    ) -> None:
        """Make a grid with a random goal.

        Args:
            shape: number of values of each axis.
            kind: one of KINDS.
            seed: seed of the goal, the rewards and the misreadings.
            misread: probability that an axis of a cell is read as another value.
            pairs: share of the reward's variance that pairs of neighbouring axes explain.
        """
        rng = np.random.default_rng(seed)
        self.grid, self._seed, self._misread = Gridworld(shape), seed, misread
        self.goal = self.grid.random_state(rng)
        self._tables = _multi(shape, self.goal) if kind == "multi" else _clip(shape, self.goal, rng)
        self._pairs = self._interactions(rng, pairs) if pairs else {}
        self.pays = cache(self._pays)

    def generate(self, sentences: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        """Return a one-pixel image for each sentence, with the sentence in its `info`."""
        images = [Image.new("RGB", (1, 1)) for _ in sentences]
        for image, sentence in zip(images, sentences, strict=True):
            image.info["sentence"] = sentence
        return images

    def __call__(self, images: Sequence[Image.Image]) -> NDArray[np.float64]:
        """Return the reward of the cell that each image's sentence names.

        Returns:
            (n,) rewards.
        """
        cells = (tuple(map(int, image.info["sentence"].split())) for image in images)
        return np.array([self.pays(cell) for cell in cells])

    def environment(self, *, stop_at_goal: bool = True) -> EncodingGridEnv:
        """Make the environment that an agent searches in."""
        return EncodingGridEnv(
            grammar=_numbers(self.grid.shape),
            generator=self,
            reward=self,
            goal=self.goal,
            stop_at_goal=stop_at_goal,
        )

    def _interactions(
        self, rng: np.random.Generator, part: float
    ) -> dict[tuple[int, int], NDArray[np.float64]]:
        """Make random tables for pairs of neighbouring axes that explain `part` of the variance."""
        shape = self.grid.shape
        tables = {
            (a, a + 1): rng.standard_normal((shape[a], shape[a + 1])) for a in range(len(shape) - 1)
        }
        own = sum(float(table.var()) for table in self._tables)
        size = np.sqrt(part / (1 - part) * own / len(tables))
        for (a, b), table in tables.items():
            table *= size
            table[self.goal[a], self.goal[b]] = abs(table).max()  # the goal has the highest entry
        return tables

    def _pays(self, cell: Encoding) -> float:
        rng = np.random.default_rng([self._seed, *cell])
        read = [
            (value + 1 + int(rng.integers(size - 1))) % size
            if rng.random() < self._misread
            else value
            for value, size in zip(cell, self.grid.shape, strict=True)
        ]
        alone = sum(table[value] for table, value in zip(self._tables, read, strict=True))
        return float(alone + sum(table[read[a], read[b]] for (a, b), table in self._pairs.items()))


def search_in(
    world: Simulated, settings: SearchConfig, *, stop_at_goal: bool = True
) -> Iterator[Step]:
    """Search a simulated grid as `rldf search` does; yields each step."""
    environment = world.environment(stop_at_goal=stop_at_goal)
    environment.reset(seed=seeds.derive(settings.seed, "start") % 2**31)
    agent = make_agent(
        settings.agent,
        world.grid,
        seeds.rng(settings.seed, "agent"),
        settings.options,
    )
    yield from walk(environment, agent, settings, SearchState())


def renders_to_goal(world: Simulated, settings: SearchConfig) -> int | None:
    """Count the unique images until a search reaches the goal.

    Returns:
        The number of unique images, counting the whole batch that holds the goal; None if it was
        not reached.
    """
    reached = (step.renders for step in search_in(world, settings) if step.terminal)
    return next(reached, None)


def _multi(shape: tuple[int, ...], goal: Encoding) -> list[NDArray[np.float64]]:
    tables = [np.zeros(size) for size in shape]
    tables[_NOUN][goal[_NOUN]] = 1.0
    tables[_SCENE][:] = -1.0
    tables[_SCENE][goal[_SCENE]] = 1.0
    return tables


def _clip(
    shape: tuple[int, ...], goal: Encoding, rng: np.random.Generator
) -> list[NDArray[np.float64]]:
    """Make a table w (0.5 exp(-5 d / (n - 1)) + 0.2 u) for each axis, w at the goal's value.

    d is the distance to the goal's value, n the size of the axis, u random from 0 to 1 for each
    value, and w random from 0.5 to 1.5 for each axis.
    """
    tables = []
    for size, right in zip(shape, goal, strict=True):
        apart = np.abs(np.arange(size) - right) / max(size - 1, 1)
        table = 0.5 * np.exp(-apart / 0.2) + 0.2 * rng.random(size)
        table[right] = 1.0
        tables.append(rng.uniform(0.5, 1.5) * table)
    return tables


@cache
def _numbers(shape: tuple[int, ...]) -> Grammar:
    """Make a grammar whose sentence for a cell is the list of the cell's numbers."""
    axes = tuple(
        Axis(
            symbol=f"Axis{number}",
            reads="attribute",
            rank=1,
            values=tuple(Value(name=str(i), forms={"": str(i)}) for i in range(size)),
        )
        for number, size in enumerate(shape)
    )
    slots = tuple(Slot(axis=number, forms={}, agrees=None) for number in range(len(shape)))
    return Grammar(
        name="simulated", description="", productions={}, axes=axes, slots=slots, people=()
    )
