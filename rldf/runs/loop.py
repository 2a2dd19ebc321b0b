"""One search: an agent walks the grid until its budget is spent or the goal is found.

    photo -> Encoder -> goal          cells -> sentences -> images -> rewards -> agent -> cells

`walk` is the algorithm, `search` writes down what it does.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import FiniteFloat, NonNegativeInt, TypeAdapter, ValidationError

from rldf import seeding as seeds
from rldf.agents.base import TabularAgent
from rldf.agents.protocol import Agent, Transition
from rldf.errors import RunError, UsageError
from rldf.grammar.encoding import Encoding
from rldf.io.files import parse_json, read_file, write_json
from rldf.io.text import one_line
from rldf.io.yaml import problems_of
from rldf.models.model_sets import real_models
from rldf.perception.reading import axes_document
from rldf.runs.config import Search, SearchConfig
from rldf.runs.env import EncodingGridEnv
from rldf.runs.folder import RunFolder
from rldf.runs.greedy import roll_out, value_map
from rldf.runs.naming import new_out, refuse_foreign_run
from rldf.runs.records import VALUES, Step, best_step

Ended = Literal["goal", "renders", "episodes"]
_CHECKPOINT_STEPS = 20


@dataclass(slots=True)
class SearchState:
    """Where a walk stands; with the agent's file it is all that resuming needs.

    Attributes:
        steps: steps taken in all.
        episode: number of the current episode, from 1.
        step: steps taken in it.
        state: the current cell.
        renders: unique images spent.
        seconds: time spent.
        source: state of the environment's random source.
        paid: what the current cell pays, None at the start of an episode, which is not seen.
        ended: why the walk is over, None while it goes on.
    """

    steps: NonNegativeInt = 0
    episode: NonNegativeInt = 0
    step: NonNegativeInt = 0
    state: Encoding = ()
    renders: NonNegativeInt = 0
    seconds: FiniteFloat = 0.0
    source: dict[str, Any] = field(default_factory=dict)
    paid: FiniteFloat | None = None
    ended: Ended | None = None


_STATE = TypeAdapter(SearchState)


def walk(
    environment: EncodingGridEnv, agent: Agent, settings: SearchConfig, place: SearchState
) -> Iterator[Step]:
    """Walk until the goal, the budget or the episodes end it (paper, Algorithm 1).

    The agent names the cells that it wants to see. They are drawn together, and the walk goes to
    the first one by legal moves, past cells that are neither drawn nor known to be the goal.
    """
    world = environment.world
    while place.ended is None:
        if place.step == 0:
            environment.reset()
            place.episode += 1
            place.paid = None
            agent.begin_episode(environment.state)
        wanted = agent.propose(environment.state, world.action_mask(environment.state))
        environment.draw_ahead(wanted, settings.renders)
        action, moves = environment.approach(wanted[0])
        state = environment.state
        _, reward, terminated, _, information = environment.step(action)
        agent.update(
            Transition(
                state=state,
                action=action,
                reward=_objective(reward, place, settings, ends=terminated),
                continues=0.0 if terminated else 1.0,
                next_state=environment.state,
                next_mask=information["action_mask"],
            )
        )
        place.paid = reward
        _advance(place, environment, settings, terminated=terminated)
        made = _step(place, environment, action, moves, reward, information)
        yield replace(made, terminal=terminated)


def _objective(reward: float, place: SearchState, settings: SearchConfig, *, ends: bool) -> float:
    """Return what the agent learns from: the reward, its change, or at an end its value for ever.

    Rewards add up for as long as an agent stays where they are high, changes only to how much
    better its last cell is than its first. An episode that ends at the goal (stop "episodes")
    counts as one that stays there: r / (1 - gamma). Otherwise walking to and fro beside the goal
    would be worth more than reaching it, and an agent would learn to avoid it.
    """
    if settings.options.get("gain", False):
        return 0.0 if place.paid is None else reward - place.paid
    if ends and settings.stop == "episodes":
        return reward / (1.0 - float(settings.options.get("gamma", 0.0)))
    return reward


def _advance(
    place: SearchState, environment: EncodingGridEnv, settings: SearchConfig, *, terminated: bool
) -> None:
    place.steps += 1
    place.step += 1
    place.state, place.renders = environment.state, environment.renders
    if terminated and settings.stop == "goal" and environment.state == environment.goal:
        place.ended = "goal"
    elif environment.ahead:
        return  # what was drawn together is seen before anything else ends
    elif environment.renders + environment.cell_renders > settings.renders:
        place.ended = "renders"
    elif terminated or place.step >= settings.steps:
        if place.episode == settings.episodes:
            place.ended = "episodes"
        else:
            place.step = 0


def _step(
    place: SearchState,
    environment: EncodingGridEnv,
    action: int,
    moves: int,
    reward: float,
    information: dict[str, Any],
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
        renders=place.renders,
        terminal=False,
        seed=information["image_seed"],
        moves=moves,
    )


def check_out(out: Path | None, *, resume: bool) -> None:
    """Refuse a run folder that cannot be used, before anything is loaded."""
    if out is not None:
        refuse_foreign_run(out)
    elif resume:
        raise RunError("--resume needs --out with the folder of the run to go on with")


def open_run(
    task: Search,
    out: Path | None,
    *,
    resume: bool,
    command: Sequence[str],
    model_choice: str | None,
) -> RunFolder:
    """Make the run folder of a search, or resume the run in it, and hold its lock."""
    check_out(out, resume=resume)
    if resume and out is not None:
        return RunFolder.resume(out, task.config)
    return RunFolder.create(
        out or new_out(Path("runs"), task.config["image"], datetime.now()),
        task.config,
        command,
        task.settings.seed,
        model_choice=model_choice,
        reading=task.reading.record,
    )


def search(task: Search, run: RunFolder, watch: Callable[[Step], None]) -> dict[str, Any]:
    """Run a task to its end and write down every step."""
    run.save_input(task.image)
    place = _restore(task, run)
    before, begun, saved = place.seconds, time.monotonic(), place.steps
    try:
        for step in walk(task.environment, task.agent, task.settings, place):
            if step.new:
                run.save_image(step.encoding, task.environment.image(), step.seed)
            run.append(step)
            place.seconds = before + time.monotonic() - begun
            due = place.steps - saved >= _CHECKPOINT_STEPS and not task.environment.ahead
            if due or place.ended:
                _checkpoint(task, run, place)
                saved = place.steps
            watch(step)
    except KeyboardInterrupt:
        run.finish("interrupted", None)
        raise
    result = summarise(task, run, place)
    if isinstance(task.agent, TabularAgent) and task.settings.rollouts:
        policy = roll_out(task.environment, task.agent, task.settings)
        result["greedy"] = policy.document(task.environment.grammar)
        if values := value_map(task.environment, task.agent, task.settings, run.steps()):
            write_json(run.path / VALUES, asdict(values))
    run.finish("done", result)
    return result


def summarise(task: Search, run: RunFolder, place: SearchState) -> dict[str, Any]:
    """Sum up a search."""
    steps = run.steps()
    goal = task.environment.goal
    best = best_step(steps, goal)
    reached = None if goal is None else any(step.encoding == goal for step in steps)
    sentence = task.reading.sentence
    return {
        "goal": None if goal is None else {"encoding": list(goal), "sentence": sentence},
        "goal_reached": reached,
        "renders": place.renders,
        "steps": place.steps,
        "episodes": place.episode,
        "steps_per_episode": list(Counter(step.episode for step in steps).values()),
        "ended": place.ended,
        "best": {
            "encoding": list(best.encoding),
            "sentence": best.sentence,
            "reward": best.reward,
            "image": str(run.image_path(best.encoding, best.seed)),
        },
        "seconds": round(place.seconds, 2),
        "run": str(run.path),
        "medium": task.reading.record.medium,
        "words": task.reading.record.words,
        "axes": axes_document(task.reading.record),
        "doubtful": task.reading.record.doubtful,
        "warnings": list(task.hints),
        "better_models": real_models() if task.reading.by_words else None,
    }


def _restore(task: Search, run: RunFolder) -> SearchState:
    """Restore the state of the last checkpoint, or of the beginning."""
    environment = task.environment
    environment.reset(seed=seeds.derive(task.settings.seed, "start") % 2**31)
    file = run.path / "checkpoint.json"
    if not file.exists():
        run.truncate(0)
        return SearchState()
    try:
        place, agent = _read_state(read_file(file))
        environment.return_to(place.state)
        environment.np_random.bit_generator.state = place.source
    except (UsageError, OSError, ValueError, TypeError, LookupError, ArithmeticError) as error:
        raise RunError(
            f"{file} is damaged ({one_line(error)}): start again with another --out"
        ) from None
    task.agent.load(run.path / agent)
    run.truncate(place.steps)
    for step in run.steps():
        ends = step.terminal and step.encoding != environment.goal
        environment.remember(step.encoding, step.seed, step.reward, ends=ends)
    return place


def _read_state(data: bytes) -> tuple[SearchState, str]:
    """Read a checkpoint: where the walk stands, and the name of the agent's file beside it."""
    saved = parse_json(data)
    agent = saved.pop("agent") if isinstance(saved, dict) else None
    if not isinstance(agent, str) or not re.fullmatch(r"agent-\d+\.npz", agent):
        raise ValueError("it names no file of an agent")
    try:
        return _STATE.validate_python(saved), agent
    except ValidationError as error:
        raise ValueError("; ".join(problems_of(error))) from None


def _checkpoint(task: Search, run: RunFolder, place: SearchState) -> None:
    """Write the agent, then the file that names it, then drop older agents.

    Between batches only, so that a resumed run draws and scores the same images together again.
    """
    agent = f"agent-{place.steps}.npz"
    task.agent.save(run.path / agent)
    place.source = dict(task.environment.np_random.bit_generator.state)
    write_json(run.path / "checkpoint.json", asdict(place) | {"agent": agent})
    for old in run.path.glob("agent-*.npz"):
        if old.name != agent:
            old.unlink()
