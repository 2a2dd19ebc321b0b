"""Simulated worlds: no image is drawn, rewards are sums over axes, read with mistakes.

Every cell is read once and for all, as with a fixed image seed; each of its axes is misread, as
another value, with a probability of `misread`. The goal is no exception. The search in them is the
program's own: its environment, its walk, its agents.
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
"""Worlds by their number of states; the first is of the size of grammar base."""

KINDS = ("multi", "clip")
"""The reward: noun and scene alone, as the paper's first reward, or every axis."""

_NOUN, _SCENE = 1, 3  # the axes that the paper's multi reward sees


class Simulated(ImageGenerator):
    """A world with a goal, and what its cells pay; it is its own generator and reward.

    An image is one pixel with the cell's sentence on it.
    """

    @property
    def identity(self) -> Mapping[str, Json]:
        """Nothing decides the pixels but the sentence."""
        return {}

    def __init__(
        self, shape: tuple[int, ...], kind: str, seed: int, misread: float = 0.1, pairs: float = 0.0
    ) -> None:
        """Make a world."""
        rng = np.random.default_rng(seed)
        self.grid, self._seed, self._misread = Gridworld(shape), seed, misread
        self.goal = self.grid.random_state(rng)
        self._tables = _multi(shape, self.goal) if kind == "multi" else _clip(shape, self.goal, rng)
        self._pairs = self._interactions(rng, pairs) if pairs else {}
        self.pays = cache(self._pays)

    def generate(self, sentences: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        """Draw nothing, but keep the sentences."""
        images = [Image.new("RGB", (1, 1)) for _ in sentences]
        for image, sentence in zip(images, sentences, strict=True):
            image.info["sentence"] = sentence
        return images

    def __call__(self, images: Sequence[Image.Image]) -> NDArray[np.float64]:
        """Pay for images.

        Returns:
            (n,) rewards.
        """
        cells = (tuple(map(int, image.info["sentence"].split())) for image in images)
        return np.array([self.pays(cell) for cell in cells])

    def environment(self, *, stop_at_goal: bool = True) -> EncodingGridEnv:
        """Make a world to walk in."""
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
        """Draw tables for neighbouring axes that explain `part` of the variance."""
        shape = self.grid.shape
        tables = {
            (a, a + 1): rng.standard_normal((shape[a], shape[a + 1])) for a in range(len(shape) - 1)
        }
        own = sum(float(table.var()) for table in self._tables)
        size = np.sqrt(part / (1 - part) * own / len(tables))
        for (a, b), table in tables.items():
            table *= size
            table[self.goal[a], self.goal[b]] = abs(table).max()  # the goal fits together best
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
    """Search a simulated world as the program does."""
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
    """Count what is drawn until the goal is seen.

    Returns:
        Unique images, those of the goal's whole batch included; None if the goal was not seen.
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
    """Semantic locality with scatter: values near the goal's pay more, others pay by chance."""
    tables = []
    for size, right in zip(shape, goal, strict=True):
        apart = np.abs(np.arange(size) - right) / max(size - 1, 1)
        table = 0.5 * np.exp(-apart / 0.2) + 0.2 * rng.random(size)
        table[right] = 1.0
        tables.append(rng.uniform(0.5, 1.5) * table)
    return tables


@cache
def _numbers(shape: tuple[int, ...]) -> Grammar:
    """Make a grammar whose sentences are the numbers of the values."""
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
