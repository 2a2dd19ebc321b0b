"""What a search needs: the user's settings, checked, and everything they name, loaded."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from PIL.Image import Image

from rldf import seeding as seeds
from rldf.agents.base import TabularAgent
from rldf.agents.options import make_agent, read_options
from rldf.agents.protocol import Agent
from rldf.errors import NoGoalError, UsageError
from rldf.generators.cached import CachedGenerator
from rldf.grammar.encoding import Encoding
from rldf.grammar.grammar import Grammar, load_grammar
from rldf.grammar.subset import frozen, walked_axes
from rldf.interfaces import Reward
from rldf.io.images import read_image, to_rgb
from rldf.io.paths import cache_folder
from rldf.models.auto import AUTO
from rldf.models.model_sets import ModelSet, auto_choice, load_model_set
from rldf.perception.encoder import Encoder, grammar_for
from rldf.perception.reading import ImageReading
from rldf.registry import find
from rldf.rewards.context import RewardContext
from rldf.rewards.files import RewardFile, build_reward, load_reward_file, resolved
from rldf.rewards.realism import PenaliseUnrealistic, realism, realism_floor
from rldf.runs.env import EncodingGridEnv
from rldf.runs.greedy import value_axes

STOPS = ("goal", "budget", "episodes")
"""What may end a search, see `SearchConfig.stop`."""

ROLLOUTS = 20
"""Starts of the greedy policy where none are asked for."""


def budget_of(
    stop: str, renders: int | None, episodes: int | None, steps: int, image_seeds: int = 1
) -> dict[str, int]:
    """Complete the bounds of a search: None is 200 renders and 50 episodes.

    With stop "episodes" the number of episodes has to be given, and None is as many renders as
    they can spend.
    """
    if stop == "episodes" and episodes is None:
        raise UsageError("--stop episodes: add --episodes with their number, such as 20")
    episodes = 50 if episodes is None else episodes
    if renders is None:
        renders = episodes * steps * image_seeds if stop == "episodes" else 200
    return {"renders": renders, "episodes": episodes}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchConfig:
    """What the user asked for; everything here decides the run.

    Attributes:
        image: path of the input image.
        grammar: name or path; "auto" for the model set's own, which may depend on the image.
        axes: the axes to walk, separated by commas; the others stay at what the encoder reads in
            the input image. None for all.
        models: model set, name or path.
        reward: name or path.
        agent: a name of the catalogue.
        renders: budget of unique images.
        episodes: most episodes.
        steps: most steps of an episode.
        options: the agent's options by name, see its class; those left out have their defaults.
        seed: seeds the agent and its starts.
        image_seed: seed of every image.
        image_seeds: how many seeds a cell's reward is averaged over, from `image_seed` on.
        stop: when the search ends. "goal": the first time that the goal is reached; "budget": when
            the renders are spent, also after the goal; "episodes": after `episodes` episodes, each
            of which ends at the goal and starts at a new random cell. Episodes and renders bound
            every search.
        dynamic_seeds: draw every step with another seed.
        rollouts: starts from which the greedy policy is shown at the end, 0 for none; None is 20
            for agents with a table of action values, else 0.
        value_axes: the two axes of the value map, separated by a comma; None for the longest two.
        penalise_unrealistic: whether images that the vision models do not agree on are rewarded
            with -1.
        end_unrealistic: whether such images end the episode.
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
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    image_seed: int = 0
    image_seeds: int = 1
    stop: str = "goal"
    dynamic_seeds: bool = False
    rollouts: int | None = None
    value_axes: str | None = None
    penalise_unrealistic: bool = False
    end_unrealistic: bool = False

    def __post_init__(self) -> None:
        """Refuse budgets that allow nothing."""
        for name in ("renders", "episodes", "steps", "image_seeds"):
            if getattr(self, name) < 1:
                option = name.replace("_", "-")
                raise UsageError(f"--{option} {getattr(self, name)}: give 1 or more")
        limit = 2**seeds.SEED_BITS - self.image_seeds
        if not 0 <= self.image_seed <= limit:
            raise UsageError(f"--image-seed {self.image_seed}: give 0 or more, at most {limit}")
        if self.dynamic_seeds and self.image_seeds > 1:
            raise UsageError("--dynamic-seeds draws with one seed a step: leave --image-seeds out")
        if self.stop not in STOPS:
            raise UsageError(f"--stop {self.stop}: give {', '.join(STOPS)}")
        self._check_stop()
        given = read_options(self.agent, self.options).model_dump()
        object.__setattr__(self, "options", given)
        self._check_budget()

    def _check_stop(self) -> None:
        kind = find("agents", self.agent)
        if self.stop == "episodes" and not hasattr(kind, "select_action"):
            raise UsageError(
                f"--stop episodes: agent {self.agent} learns nothing from repeated episodes; use "
                "--stop goal or budget, or --agent q, sarsa, expected-sarsa, dyna-q or random"
            )
        if self.rollouts is None:
            has_values = issubclass(kind, TabularAgent)
            object.__setattr__(self, "rollouts", ROLLOUTS if has_values else 0)
        elif self.rollouts < 0:
            raise UsageError(f"--rollouts {self.rollouts}: give 0 or more")
        if (self.rollouts or self.value_axes) and not issubclass(kind, TabularAgent):
            option = "--rollouts" if self.rollouts else "--value-axes"
            raise UsageError(
                f"{option}: agent {self.agent} has no action values; use --agent q, sarsa, "
                "expected-sarsa or dyna-q"
            )

    @classmethod
    def of(cls, **given: Any) -> Self:
        """Make a configuration from its fields and the agent's options in one list of keywords."""
        own = {name: value for name, value in given.items() if name in cls.__dataclass_fields__}
        options = {name: value for name, value in given.items() if name not in own}
        return cls(**own | {"options": {**own.get("options", {}), **options}})

    def _check_budget(self) -> None:
        cells = self.options.get("batch", 1)
        if self.renders < cells * self.image_seeds:
            raise UsageError(
                f"--renders {self.renders} is less than one batch, {cells} x {self.image_seeds} "
                "renders: give more, or a smaller --batch or --image-seeds"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search that is ready to start.

    Attributes:
        settings: what the user asked for.
        image: the input image, RGB.
        reading: what is seen in it.
        environment: the world to walk.
        agent: the agent.
        config: everything that decides the run, resolved.
        hints: sentences for the user.
    """

    settings: SearchConfig
    image: Image
    reading: ImageReading
    environment: EncodingGridEnv
    agent: Agent
    config: dict[str, Any]
    hints: tuple[str, ...]


def build_search(
    settings: SearchConfig, models: ModelSet | None = None, image: Image | None = None
) -> Search:
    """Load and check everything; nothing is written."""
    if settings.models == AUTO:
        settings = replace(settings, models=auto_choice().name)
    models = models or load_model_set(settings.models)
    reward_file = load_reward_file(settings.reward)
    image = read_image(Path(settings.image)) if image is None else to_rgb(image)
    if settings.grammar == AUTO:
        settings = replace(settings, grammar=grammar_for(image, models, models.file))
    words = load_grammar(settings.grammar)
    walked = walked_axes(words, settings.axes)
    encoder = Encoder(words, models, models.file)
    reading = encoder.encode(image)
    grammar = frozen(words, walked, reading.nearest)
    nearest = grammar.encode(words.decode(reading.nearest))
    goal = None if reading.encoding is None else nearest
    context = RewardContext(image=image, reading=reading, encoder=encoder, readers=models)
    if settings.stop == "episodes" and goal is None:
        raise NoGoalError(
            f"{reading.lack(settings.grammar)}: no episode can end at the goal; leave --stop "
            "episodes out"
        )
    value_axes(grammar, settings.value_axes)  # refuses what is wrong in it
    environment = EncodingGridEnv(
        grammar=grammar,
        generator=CachedGenerator(models.generator, cache_folder()),
        reward=_reward(settings, reward_file, context, models),
        goal=goal,
        image_seed=settings.image_seed,
        image_seeds=settings.image_seeds,
        stop_at_goal=settings.stop != "budget",
        is_terminal=_terminal(settings, context, models),
        dynamic_seeds=settings.dynamic_seeds,
    )
    agent = make_agent(
        settings.agent,
        environment.world,
        seeds.rng(settings.seed, "agent"),
        settings.options,
        first=_first(settings, reading, nearest),
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
        if settings.penalise_unrealistic or settings.end_unrealistic
        else None,
    }
    if reading.by_words:
        config["photographs"] = models.part_identity("photographs")
    return Search(
        settings=settings,
        image=image,
        reading=reading,
        environment=environment,
        agent=agent,
        config=config,
        hints=(*reading.record.warnings, *_held(reading, grammar, walked)),
    )


def _reward(
    settings: SearchConfig, file: RewardFile, context: RewardContext, models: ModelSet
) -> Reward:
    """Make the reward."""
    reward = build_reward(file, context)
    if not settings.penalise_unrealistic:
        return reward
    return PenaliseUnrealistic(reward, context, realism_floor(models.file))


def _terminal(
    settings: SearchConfig, context: RewardContext, models: ModelSet
) -> Callable[[Sequence[Image]], list[bool]] | None:
    """Return the test for images that end an episode, None where no image does."""
    if not settings.end_unrealistic:
        return None
    return partial(_unrealistic, context, realism_floor(models.file))


def _unrealistic(context: RewardContext, floor: float, images: Sequence[Image]) -> list[bool]:
    return [realism(image, context) < floor for image in images]


def _held(reading: ImageReading, grammar: Grammar, walked: Sequence[str]) -> list[str]:
    """Tell which axes are held where nothing was read."""
    return [
        f"{axis.symbol} is held at '{axis.values[0].name}', since nothing was read: name it in "
        "--axes to walk it"
        for axis in grammar.axes
        if axis.symbol in reading.unknown and axis.symbol not in walked
    ]


def _first(settings: SearchConfig, reading: ImageReading, nearest: Encoding) -> Encoding | None:
    """Return the cell that a warm start sees first; one that goes by words has such a start too."""
    if reading.by_words:
        return nearest if "warm_start" in settings.options else None
    if not settings.options.get("warm_start", False):
        return None
    if reading.encoding is None:
        raise NoGoalError(f"{reading.lack(settings.grammar)}: leave --warm-start out")
    return nearest
