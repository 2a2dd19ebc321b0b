"""The worlds that a bench searches: a grid of cells, with goals and rewards.

For a grammar with few cells, the image of every cell is generated and read before the first run.
The world is then a table of rewards by goal, reward and cell, so the highest reward is known, and
any number of processes can use it. For a grammar with many cells, images are generated when a run
visits their cells, and all runs share the cache.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rldf.experiments.bench.goals import Goal
from rldf.grammar.contents import SceneContents
from rldf.grammar.encoding import Encoding
from rldf.grammar.grammar import Grammar
from rldf.gridworld import Gridworld
from rldf.interfaces import ImageGenerator, Json, Reward, VisionModels
from rldf.perception.encoder import Encoder
from rldf.rewards.files import build_reward, load_reward_file
from rldf.runs.env import EncodingGridEnv

WHOLE = 5_000
"""Largest number of cells whose images are all generated before the first run."""

_BATCH = 8


class World(Protocol):
    """What a run of a bench needs: environments, semantics of images, and the optimum."""

    def environment(self, goal: int, reward: str, *, stop_at_goal: bool = False) -> EncodingGridEnv:
        """Make the environment of one run: the goal by number, the reward by name."""

    def gains(self, goal: int, environment: EncodingGridEnv) -> tuple[bool, bool]:
        """Return whether the cell's image shows an object of the goal, and whether its scene."""

    def optimum(self, goal: int, reward: str) -> float | None:
        """Return the highest reward of any cell, None if not all cells are known."""


def gains(drawn: SceneContents, goal: SceneContents) -> tuple[bool, bool]:
    """Return whether an image shares an object (fine), and the scene (coarse), with a goal.

    These are the fine and coarse semantics of Table 3 of the paper.
    """
    nouns = {thing.value for thing in drawn.objects} & {thing.value for thing in goal.objects}
    return bool(nouns), drawn.scene is not None and drawn.scene == goal.scene


class _Tickets(ImageGenerator):
    """Generator and reward of a world whose rewards are all in a table.

    A generated image is one pixel, with the sentence in its `info`; the table maps the sentence to
    the reward.
    """

    @property
    def identity(self) -> Mapping[str, Json]:
        """No settings: only the sentence decides the image."""
        return {}

    def __init__(self, pays: Mapping[str, float]) -> None:
        self._pays = pays

    def generate(self, sentences: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        tickets = [Image.new("RGB", (1, 1)) for _ in sentences]
        for ticket, sentence in zip(tickets, sentences, strict=True):
            ticket.info["sentence"] = sentence
        return tickets

    def __call__(self, images: Sequence[Image.Image]) -> NDArray[np.float64]:
        return np.array([self._pays[image.info["sentence"]] for image in images])


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeWorld:
    """A world as a table: the image of every cell was generated and read before.

    Attributes:
        grammar: the grammar whose cells are searched.
        goals: the encodings of the goals.
        pays: (n_states,) rewards of the cells, by number of the goal and name of the reward.
        shared: (n_goals, n_states, 2) whether the cell's image shares an object, and the scene,
            with the goal's image.
    """

    grammar: Grammar
    goals: tuple[Encoding, ...]
    pays: Mapping[tuple[int, str], NDArray[np.float64]]
    shared: NDArray[np.bool_]

    def environment(self, goal: int, reward: str, *, stop_at_goal: bool = False) -> EncodingGridEnv:
        """Make the environment of one run: the goal by number, the reward by name."""
        cells = Gridworld(self.grammar.shape).states()
        paid = map(float, self.pays[goal, reward])
        tickets = _Tickets(dict(zip(map(self.grammar.derive, cells), paid, strict=True)))
        return EncodingGridEnv(
            grammar=self.grammar,
            generator=tickets,
            reward=tickets,
            goal=self.goals[goal],
            stop_at_goal=stop_at_goal,
        )

    def gains(self, goal: int, environment: EncodingGridEnv) -> tuple[bool, bool]:
        """Return whether the cell's image shows an object of the goal, and whether its scene."""
        fine, coarse = self.shared[goal, environment.world.index(environment.state)]
        return bool(fine), bool(coarse)

    def optimum(self, goal: int, reward: str) -> float:
        """Return the highest reward of any cell."""
        return float(self.pays[goal, reward].max())


def draw_whole(
    grammar: Grammar,
    generator: ImageGenerator,
    readers: VisionModels,
    goals: Sequence[Goal],
    rewards: Sequence[str],
    watch: Callable[[int], None],
) -> WholeWorld:
    """Generate and read the image of every cell, with image seed 0, and compute all rewards.

    `watch` is called with the number of images generated.
    """
    sentences = [grammar.derive(cell) for cell in Gridworld(grammar.shape).states()]
    images: list[Image.Image] = []
    for i in range(0, len(sentences), _BATCH):
        batch = sentences[i : i + _BATCH]
        images += generator.generate(batch, [0] * len(batch))
        watch(len(images))
    seen = Encoder(grammar, readers).detect(images)
    pays = {
        (number, reward): build_reward(load_reward_file(reward), goal.context)(images)
        for number, goal in enumerate(goals)
        for reward in rewards
    }
    shared = [[gains(drawn, goal.context.seen) for drawn in seen] for goal in goals]
    return WholeWorld(
        grammar=grammar,
        goals=tuple(goal.encoding for goal in goals),
        pays=pays,
        shared=np.array(shared, dtype=np.bool_),
    )


class LiveWorld:
    """A world whose images are generated when a run visits their cells."""

    def __init__(
        self,
        grammar: Grammar,
        generator: ImageGenerator,
        readers: VisionModels,
        goals: Sequence[Goal],
        rewards: Sequence[str],
        *,
        dynamic_seeds: bool = False,
    ) -> None:
        """Make a world; no image is generated yet."""
        self._dynamic = dynamic_seeds
        self._grammar, self._generator, self._goals = grammar, generator, tuple(goals)
        self._encoder = Encoder(grammar, readers)
        self._rewards: dict[tuple[int, str], Reward] = {
            (number, reward): build_reward(load_reward_file(reward), goal.context)
            for number, goal in enumerate(goals)
            for reward in rewards
        }

    def environment(self, goal: int, reward: str, *, stop_at_goal: bool = False) -> EncodingGridEnv:
        """Make the environment of one run: the goal by number, the reward by name."""
        return EncodingGridEnv(
            grammar=self._grammar,
            generator=self._generator,
            reward=self._rewards[goal, reward],
            goal=self._goals[goal].encoding,
            stop_at_goal=stop_at_goal,
            dynamic_seeds=self._dynamic,
        )

    def gains(self, goal: int, environment: EncodingGridEnv) -> tuple[bool, bool]:
        """Return whether the cell's image shows an object of the goal, and whether its scene."""
        seen = self._encoder.detect([environment.image()])[0]
        return gains(seen, self._goals[goal].context.seen)

    def optimum(self, goal: int, reward: str) -> None:
        """Return None: the highest reward of any cell is not known."""
