"""The worlds that a bench searches: small ones drawn whole and kept as tables, large ones live.

Where a world is small, every cell is drawn and looked at once. Then all that a search needs is
known: what each cell pays for each goal and reward, and with it the exact optimum. Such tables go
to any number of processes. A large world is drawn as it is walked, with one memory for all runs.
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
"""Cells up to which a world is drawn whole."""

_BATCH = 8


class World(Protocol):
    """What a run of a bench needs to know."""

    def environment(self, goal: int, reward: str, *, stop_at_goal: bool = False) -> EncodingGridEnv:
        """Make the environment of one run: the goal by number, the reward by name."""

    def gains(self, goal: int, environment: EncodingGridEnv) -> tuple[bool, bool]:
        """Return whether the current cell's image shares an object, and the scene, with a goal."""

    def optimum(self, goal: int, reward: str) -> float | None:
        """Return the most that any cell pays, None where that is not known."""


def gains(drawn: SceneContents, goal: SceneContents) -> tuple[bool, bool]:
    """Return what an image shares with a goal: fine and coarse semantics (paper, Table 3)."""
    nouns = {thing.value for thing in drawn.objects} & {thing.value for thing in goal.objects}
    return bool(nouns), drawn.scene is not None and drawn.scene == goal.scene


class _Tickets(ImageGenerator):
    """Stands for generator and reward where all images were drawn and paid before.

    An image is a ticket with the sentence on it, and is paid from a table.
    """

    @property
    def identity(self) -> Mapping[str, Json]:
        """Nothing decides the pixels but the sentence."""
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
    """A world whose every cell was drawn and looked at; only numbers are left of it.

    Attributes:
        grammar: its cells.
        goals: the encodings of the goals.
        pays: what the cells pay, by number of the goal and name of the reward: (n_states,).
        shared: (n_goals, n_states, 2) whether a cell's image shares an object, and the scene.
    """

    grammar: Grammar
    goals: tuple[Encoding, ...]
    pays: Mapping[tuple[int, str], NDArray[np.float64]]
    shared: NDArray[np.bool_]

    def environment(self, goal: int, reward: str, *, stop_at_goal: bool = False) -> EncodingGridEnv:
        """Make the environment of one run."""
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
        """Return what the current cell's image shares with a goal."""
        fine, coarse = self.shared[goal, environment.world.index(environment.state)]
        return bool(fine), bool(coarse)

    def optimum(self, goal: int, reward: str) -> float:
        """Return the most that any cell pays."""
        return float(self.pays[goal, reward].max())


def draw_whole(
    grammar: Grammar,
    generator: ImageGenerator,
    readers: VisionModels,
    goals: Sequence[Goal],
    rewards: Sequence[str],
    watch: Callable[[int], None],
) -> WholeWorld:
    """Draw every cell of a small world with image seed 0, and look at it."""
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
    """A world that is drawn as it is walked."""

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
        """Make a world; nothing is drawn yet."""
        self._dynamic = dynamic_seeds
        self._grammar, self._generator, self._goals = grammar, generator, tuple(goals)
        self._encoder = Encoder(grammar, readers)
        self._rewards: dict[tuple[int, str], Reward] = {
            (number, reward): build_reward(load_reward_file(reward), goal.context)
            for number, goal in enumerate(goals)
            for reward in rewards
        }

    def environment(self, goal: int, reward: str, *, stop_at_goal: bool = False) -> EncodingGridEnv:
        """Make the environment of one run."""
        return EncodingGridEnv(
            grammar=self._grammar,
            generator=self._generator,
            reward=self._rewards[goal, reward],
            goal=self._goals[goal].encoding,
            stop_at_goal=stop_at_goal,
            dynamic_seeds=self._dynamic,
        )

    def gains(self, goal: int, environment: EncodingGridEnv) -> tuple[bool, bool]:
        """Return what the current cell's image shares with a goal."""
        seen = self._encoder.detect([environment.image()])[0]
        return gains(seen, self._goals[goal].context.seen)

    def optimum(self, goal: int, reward: str) -> None:
        """Return the most that any cell pays: not known here."""
