"""What a search needs: the user's settings, checked, and everything they name, loaded."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from PIL.Image import Image

from rldf import seeding as seeds
from rldf.agents.options import check_options, make_agent, takes
from rldf.agents.protocol import Agent
from rldf.errors import NoGoalError, UsageError
from rldf.generators.cached import CachedGenerator
from rldf.grammar.encoding import Encoding
from rldf.grammar.grammar import Grammar, load_grammar
from rldf.grammar.subset import frozen, walked_axes
from rldf.interfaces import Reward
from rldf.io.images import read_image
from rldf.io.paths import cache_folder
from rldf.models.auto import AUTO
from rldf.models.model_sets import ModelSet, auto_choice, load_model_set
from rldf.perception.encoder import Encoder
from rldf.perception.reading import ImageReading
from rldf.rewards.context import RewardContext
from rldf.rewards.files import RewardFile, build_reward, load_reward_file, resolved
from rldf.rewards.realism import PenaliseUnrealistic, realism_floor
from rldf.search.env import EncodingGridEnv


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the user asked for; everything here decides the run.

    Attributes:
        image: path of the input image.
        grammar: name or path.
        axes: the axes to walk, separated by commas; the others stay at what the encoder reads in
            the input image. None for all.
        models: model set, name or path.
        reward: name or path.
        agent: a name of the catalogue.
        renders: budget of unique renders.
        episodes: most episodes.
        steps: most steps of an episode.
        epsilon: rate of exploration, see `rldf.agents.options`.
        alpha: learning rate, likewise.
        gamma: discount.
        optimism: added to every initial action value.
        gain: pay a step what it gains over the last cell, for agents that learn by steps.
        step_size: cells that a gradient step goes along the steepest axis.
        momentum: the part of the last gradient step that is taken again.
        batch: how many cells a planner proposes together.
        warm_start: let a planner see first what the encoder reads in the input image.
        seed: seeds the agent and its starts.
        image_seed: seed of every image.
        image_seeds: how many seeds a cell's reward is averaged over, from `image_seed` on.
        stop_at_goal: whether the search ends at the goal.
        dynamic_seeds: draw every step with another seed.
        penalise_unrealistic: pay a penalty for pictures that the readers do not agree on.
    """

    image: str
    grammar: str = "base"
    axes: str | None = None
    models: str = AUTO
    reward: str = "multi"
    agent: str = "planner"
    renders: int = 200
    episodes: int = 50
    steps: int = 200
    epsilon: str = "0.1"
    alpha: str = "0.5"
    gamma: float = 0.9
    optimism: float = 0.0
    gain: bool = False
    step_size: float = 1.0
    momentum: float = 0.5
    batch: int = 4
    warm_start: bool = False
    seed: int = 0
    image_seed: int = 0
    image_seeds: int = 1
    stop_at_goal: bool = True
    dynamic_seeds: bool = False
    penalise_unrealistic: bool = False

    def __post_init__(self) -> None:
        """Refuse budgets that allow nothing.

        Raises:
            UsageError: a number is out of range, or two options do not fit together.
        """
        for name in ("renders", "episodes", "steps", "image_seeds"):
            if getattr(self, name) < 1:
                option = name.replace("_", "-")
                raise UsageError(f"--{option} {getattr(self, name)}: give 1 or more")
        limit = 2**seeds.SEED_BITS - self.image_seeds
        if not 0 <= self.image_seed <= limit:
            raise UsageError(f"--image-seed {self.image_seed}: give 0 or more, at most {limit}")
        if self.dynamic_seeds and self.image_seeds > 1:
            raise UsageError("--dynamic-seeds draws with one seed a step: leave --image-seeds out")
        check_options(self.agent, alpha=self.alpha, epsilon=self.epsilon, **self.rates())
        if self.gain and not takes(self.agent, "alpha"):
            raise UsageError(
                f"--gain: {self.agent} has no use for it; q, sarsa and expected-sarsa have"
            )
        if self.warm_start and not takes(self.agent, "first"):
            raise UsageError(f"--warm-start: {self.agent} has no use for it, --agent planner has")
        self._check_budget()

    def rates(self) -> dict[str, Any]:
        """Give the agent's options that are plain numbers.

        Returns:
            Keywords of `make_agent`.
        """
        names = ("gamma", "optimism", "step_size", "momentum", "batch")
        return {name: getattr(self, name) for name in names}

    def _check_budget(self) -> None:
        cells = self.batch if takes(self.agent, "batch") else 1
        if self.renders < cells * self.image_seeds:
            raise UsageError(
                f"--renders {self.renders} is less than one batch, {cells} x {self.image_seeds} "
                "renders: give more, or a smaller --batch or --image-seeds"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A search that is ready to start.

    Attributes:
        settings: what the user asked for.
        image: the input image, RGB.
        reading: what is seen in it.
        environment: the world to walk.
        agent: who walks.
        config: everything that decides the run, resolved.
        hints: sentences for the user.
    """

    settings: Settings
    image: Image
    reading: ImageReading
    environment: EncodingGridEnv
    agent: Agent
    config: dict[str, Any]
    hints: tuple[str, ...]


def prepare(settings: Settings, models: ModelSet | None = None) -> Task:
    """Load and check everything; nothing is written.

    Args:
        settings: what the user asked for.
        models: the model set that the settings name, where it is there already.

    Returns:
        The task.

    Raises:
        UsageError: if anything in the settings is wrong.
        NoGoalError: if the reward needs a goal and the image shows none.
        ModelMissingError: if a model is not there.
    """
    if settings.models == AUTO:
        settings = replace(settings, models=auto_choice().name)
    words = load_grammar(settings.grammar)
    walked = walked_axes(words, settings.axes)
    reward_file = load_reward_file(settings.reward)
    models = models or load_model_set(settings.models)
    image = read_image(Path(settings.image))
    encoder = Encoder(words, models, models.file)
    reading = encoder.encode(image)
    grammar = frozen(words, walked, reading.nearest)
    goal = None if reading.encoding is None else grammar.encode(words.decode(reading.encoding))
    context = RewardContext(image=image, reading=reading, encoder=encoder, readers=models)
    environment = EncodingGridEnv(
        grammar=grammar,
        generator=CachedGenerator(models.generator, cache_folder()),
        reward=_reward(settings, reward_file, context, models),
        goal=goal,
        image_seed=settings.image_seed,
        image_seeds=settings.image_seeds,
        stop_at_goal=settings.stop_at_goal,
        dynamic_seeds=settings.dynamic_seeds,
    )
    agent = make_agent(
        settings.agent,
        environment.world,
        seeds.rng(settings.seed, "agent"),
        alpha=settings.alpha,
        epsilon=settings.epsilon,
        first=_first(settings, goal, reading),
        **settings.rates(),
    )
    config = asdict(settings) | {
        "image": Path(settings.image).name,  # its pixels decide, not where it lies
        "axes": None if settings.axes is None else ",".join(walked),
        "image_sha256": hashlib.sha256(image.tobytes()).hexdigest(),
        "grammar_sha256": grammar.digest(),
        "grammar_values": {axis.symbol: [v.name for v in axis.values] for axis in grammar.axes},
        "reward_file": resolved(reward_file),
        "model_set": models.identity(),
        "drawn_as": dict(models.generator.identity),  # with what the device decided
        "unrealistic_below": models.file.min_clip_similarity
        if settings.penalise_unrealistic
        else None,
    }
    return Task(
        settings=settings,
        image=image,
        reading=reading,
        environment=environment,
        agent=agent,
        config=config,
        hints=(*reading.record.warnings, *_held(reading, grammar, walked)),
    )


def _reward(
    settings: Settings, file: RewardFile, context: RewardContext, models: ModelSet
) -> Reward:
    """Make what pays."""
    reward = build_reward(file, context)
    if not settings.penalise_unrealistic:
        return reward
    return PenaliseUnrealistic(reward, context, realism_floor(models.file))


def _held(reading: ImageReading, grammar: Grammar, walked: Sequence[str]) -> list[str]:
    """Tell which axes are held where nothing was read."""
    return [
        f"{axis.symbol} is held at '{axis.values[0].name}', since nothing was read: name it in "
        "--axes to walk it"
        for axis in grammar.axes
        if axis.symbol in reading.unknown and axis.symbol not in walked
    ]


def _first(settings: Settings, goal: Encoding | None, reading: ImageReading) -> Encoding | None:
    """Give the cell that a warm start sees first."""
    if settings.warm_start and goal is None:
        raise NoGoalError(f"{reading.lack(settings.grammar)}: leave --warm-start out")
    return goal if settings.warm_start else None
