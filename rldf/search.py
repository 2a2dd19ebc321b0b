"""One search: an agent walks the grid until its budget is spent or the goal is found.

    photo -> Encoder -> goal          cell -> sentence -> image -> reward -> agent -> next cell

`prepare` loads what the settings name, `walk` is the algorithm, `search` writes down what it does.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from PIL.Image import Image

from rldf import seeds
from rldf.agents.options import check_options, make_agent
from rldf.agents.protocol import Agent, Transition
from rldf.encoding import Encoding
from rldf.environment import EncodingGridEnv
from rldf.errors import RunError, UsageError
from rldf.files import write_json
from rldf.generators.cached import CachedGenerator
from rldf.grammar import Grammar, load_grammar
from rldf.images import read_image
from rldf.models.model_sets import load_model_set
from rldf.perception.encoder import Encoder, Reading
from rldf.perception.photographs import photograph_hint
from rldf.places import cache_folder
from rldf.rewards.context import RewardContext
from rldf.rewards.files import build_reward, load_reward_file, resolved
from rldf.runs import RunFolder, Step, best_step

Ended = Literal["goal", "renders", "episodes"]
_CHECKPOINT_STEPS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the user asked for; everything here decides the run.

    Attributes:
        image: path of the input image.
        grammar: name or path.
        models: model set, name or path.
        reward: name or path.
        agent: a name of the catalogue.
        renders: budget of unique renders.
        episodes: most episodes.
        steps: most steps of an episode.
        epsilon: rate of exploration, see `rldf.agents.options`.
        alpha: learning rate, likewise.
        gamma: discount.
        seed: seeds the agent and its starts.
        image_seed: seed of every image.
        stop_at_goal: whether the search ends at the goal.
        dynamic_seeds: draw every step with another seed.
    """

    image: str
    grammar: str = "base"
    models: str = "pocket"
    reward: str = "multi"
    agent: str = "q"
    renders: int = 200
    episodes: int = 50
    steps: int = 200
    epsilon: str = "0.1"
    alpha: str = "0.5"
    gamma: float = 0.9
    seed: int = 0
    image_seed: int = 0
    stop_at_goal: bool = True
    dynamic_seeds: bool = False

    def __post_init__(self) -> None:
        """Refuse budgets that allow nothing.

        Raises:
            UsageError: a number is out of range.
        """
        for name in ("renders", "episodes", "steps"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name} {getattr(self, name)}: give 1 or more")
        if not 0 <= self.image_seed < 2**seeds.SEED_BITS:
            raise UsageError(
                f"--image-seed {self.image_seed}: give 0 or more, below 2^{seeds.SEED_BITS}"
            )
        check_options(self.agent, alpha=self.alpha, epsilon=self.epsilon, gamma=self.gamma)


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
    reading: Reading
    environment: EncodingGridEnv
    agent: Agent
    config: dict[str, Any]
    hints: tuple[str, ...]


@dataclass(slots=True)
class Place:
    """Where a walk stands; with the agent's file it is all that resuming needs.

    Attributes:
        steps: steps taken in all.
        episode: number of the current episode, from 1.
        step: steps taken in it.
        state: the current cell.
        seconds: time spent.
        source: state of the environment's random source.
        ended: why the walk is over, None while it goes on.
    """

    steps: int = 0
    episode: int = 0
    step: int = 0
    state: Encoding = ()
    seconds: float = 0.0
    source: dict[str, Any] = field(default_factory=dict)
    ended: Ended | None = None


def prepare(settings: Settings) -> Task:
    """Load and check everything; nothing is written.

    Args:
        settings: what the user asked for.

    Returns:
        The task.

    Raises:
        UsageError: if anything in the settings is wrong.
        NoGoalError: if the reward needs a goal and the image shows none.
        ModelMissingError: if a model is not there.
    """
    grammar = load_grammar(settings.grammar)
    reward_file = load_reward_file(settings.reward)
    models = load_model_set(settings.models)
    image = read_image(Path(settings.image))
    encoder = Encoder(grammar, models)
    reading = encoder.read(image)
    context = RewardContext(image=image, reading=reading, encoder=encoder, readers=models)
    environment = EncodingGridEnv(
        grammar=grammar,
        generator=CachedGenerator(models.generator, cache_folder()),
        reward=build_reward(reward_file, context),
        goal=reading.encoding,
        image_seed=settings.image_seed,
        stop_at_goal=settings.stop_at_goal,
        dynamic_seeds=settings.dynamic_seeds,
    )
    agent = make_agent(
        settings.agent,
        environment.world,
        seeds.rng(settings.seed, "agent"),
        alpha=settings.alpha,
        epsilon=settings.epsilon,
        gamma=settings.gamma,
    )
    config = asdict(settings) | {
        "image": Path(settings.image).name,  # its pixels decide, not where it lies
        "image_sha256": hashlib.sha256(image.tobytes()).hexdigest(),
        "grammar_sha256": _digest(grammar),
        "grammar_values": {axis.symbol: [v.name for v in axis.values] for axis in grammar.axes},
        "reward_file": resolved(reward_file),
        "model_set": models.identity(),
    }
    return Task(
        settings=settings,
        image=image,
        reading=reading,
        environment=environment,
        agent=agent,
        config=config,
        hints=photograph_hint(models.file, reading),
    )


def _digest(grammar: Grammar) -> str:
    """Sum up all that a grammar says: texts, labels, bins, agreement, productions, people."""
    text = json.dumps(asdict(grammar), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def walk(
    environment: EncodingGridEnv, agent: Agent, settings: Settings, place: Place
) -> Iterator[Step]:
    """Walk until the goal, the budget or the episodes end it (paper, Algorithm 1).

    Args:
        environment: the world.
        agent: who walks.
        settings: the budgets.
        place: where the walk stands; kept up to date.

    Yields:
        Every step, after the agent has learned from it.
    """
    world = environment.world
    while place.ended is None:
        if place.step == 0:
            environment.reset()
            place.episode += 1
            agent.begin_episode(environment.state)
        state = environment.state
        action = agent.select_action(state, world.action_mask(state))
        _, reward, terminated, _, information = environment.step(action)
        agent.update(
            Transition(
                state=state,
                action=action,
                reward=reward,
                continues=0.0 if terminated else 1.0,
                next_state=environment.state,
                next_mask=information["action_mask"],
            )
        )
        _advance(place, environment, settings, terminated=terminated)
        yield _step(place, environment, action, reward, information, terminated=terminated)


def _advance(
    place: Place, environment: EncodingGridEnv, settings: Settings, *, terminated: bool
) -> None:
    place.steps += 1
    place.step += 1
    place.state = environment.state
    if terminated:
        place.ended = "goal"
    elif environment.renders >= settings.renders:
        place.ended = "renders"
    elif place.step == settings.steps and place.episode == settings.episodes:
        place.ended = "episodes"
    elif place.step == settings.steps:
        place.step = 0


def _step(
    place: Place,
    environment: EncodingGridEnv,
    action: int,
    reward: float,
    information: dict[str, Any],
    *,
    terminated: bool,
) -> Step:
    known = environment.goal is not None
    return Step(
        step=place.steps,
        episode=place.episode,
        encoding=place.state,
        sentence=information["sentence"],
        action=action,
        reward=reward,
        distance=information["distance"] if known else None,
        new=environment.drew,
        renders=environment.renders,
        terminal=terminated,
        seed=information["image_seed"],
    )


def search(task: Task, run: RunFolder, watch: Callable[[Step], None]) -> dict[str, Any]:
    """Run a task to its end and write down every step.

    Args:
        task: what `prepare` made.
        run: its folder, new or resumed.
        watch: called with every step.

    Returns:
        The result, as JSON can say it.
    """
    run.save_input(task.image)
    place = _stand(task, run)
    before, begun = place.seconds, time.monotonic()
    try:
        for step in walk(task.environment, task.agent, task.settings, place):
            if step.new:
                run.save_image(step.encoding, task.environment.image(), step.seed)
            run.append(step)
            place.seconds = before + time.monotonic() - begun
            if place.steps % _CHECKPOINT_STEPS == 0 or place.ended:
                _checkpoint(task, run, place)
            watch(step)
    except KeyboardInterrupt:
        run.finish("interrupted", None)
        raise
    result = summarise(task, run, place)
    run.finish("done", result)
    return result


def summarise(task: Task, run: RunFolder, place: Place) -> dict[str, Any]:
    """Sum up a search.

    Args:
        task: the task.
        run: its folder.
        place: where it ended.

    Returns:
        The result, as JSON can say it.
    """
    steps = run.steps()
    goal = task.environment.goal
    best = best_step(steps, goal)
    reached = None if goal is None else any(step.encoding == goal for step in steps)
    sentence = task.reading.sentence
    return {
        "goal": None if goal is None else {"encoding": list(goal), "sentence": sentence},
        "goal_reached": reached,
        "renders": task.environment.renders,
        "steps": place.steps,
        "episodes": place.episode,
        "ended": place.ended,
        "best": {
            "encoding": list(best.encoding),
            "sentence": best.sentence,
            "reward": best.reward,
            "image": str(run.image_path(best.encoding, best.seed)),
        },
        "seconds": round(place.seconds, 2),
        "run": str(run.path),
    }


def _stand(task: Task, run: RunFolder) -> Place:
    """Stand where the run was last written down, or at its beginning."""
    environment = task.environment
    environment.reset(seed=seeds.derive(task.settings.seed, "start") % 2**31)
    file = run.path / "checkpoint.json"
    if not file.exists():
        run.truncate(0)
        return Place()
    try:
        saved = json.loads(file.read_text(encoding="utf-8"))
        task.agent.load(run.path / saved.pop("agent"))
        place = Place(**saved | {"state": tuple(saved["state"])})
    except (ValueError, TypeError, KeyError) as error:
        raise RunError(f"{file} is damaged ({error}): start again with another --out") from None
    run.truncate(place.steps)
    for step in run.steps():
        environment.remember(step.encoding, step.seed, step.reward)
    environment.return_to(place.state)
    environment.np_random.bit_generator.state = place.source
    return place


def _checkpoint(task: Task, run: RunFolder, place: Place) -> None:
    """Write the agent, then the file that names it, then drop older agents."""
    agent = f"agent-{place.steps}.npz"
    task.agent.save(run.path / agent)
    place.source = dict(task.environment.np_random.bit_generator.state)
    write_json(run.path / "checkpoint.json", asdict(place) | {"agent": agent})
    for old in run.path.glob("agent-*.npz"):
        if old.name != agent:
            old.unlink()
