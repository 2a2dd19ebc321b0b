"""One search: an agent walks the grid until its renders are spent or the goal is found.

    photo -> Encoder -> goal          cells -> sentences -> images -> rewards -> agent -> cells

`walk` is the algorithm; `search` runs it and writes every step to the run folder.
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
    """The state of a walk; a search is resumed from it and from the checkpoint of the agent.

    Attributes:
        steps: steps taken in all.
        episode: number of the current episode, from 1.
        step: steps taken in the current episode.
        state: the current cell.
        renders: unique images spent.
        seconds: time spent.
        source: state of the environment's random generator.
        paid: reward of the current cell; None at the first cell of an episode, which has no image.
        ended: why the walk ended; None while it goes on.
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
    """Walk until the goal, the renders or the episodes end the search (paper, Algorithm 1).

    The agent proposes cells. Their images are generated together, and the walk goes to the first
    one by legal moves; the cells that it passes are neither rendered nor compared with the goal.
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
    """Return the number that the agent learns from: r, its change, or r / (1 - gamma) at an end.

    With the option `gain` it is the change r - r' from the cell before, so that the sum over a
    walk is the gain from its first cell to its last. With stop "episodes" the last step of an
    episode counts as staying there for ever: r / (1 - gamma). Otherwise the return of walking to
    and fro beside the goal would exceed that of reaching it, and an agent would avoid the goal.
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
        return  # cells rendered together are all visited before a limit ends the walk
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
    """Refuse, before anything is loaded, a run folder that cannot be used."""
    if out is not None:
        refuse_foreign_run(out)
    elif resume:
        raise RunError("--resume: the run folder is missing: add --out with the folder of the run")


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
    """Run a search to its end, and write every step to its run folder."""
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
    """Return the result of a search so far, as JSON for `run.json`."""
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
    """Load the last checkpoint, or return the state at the beginning if there is none."""
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
    """Parse `checkpoint.json`: the state of the walk, and the name of the agent's file."""
    saved = parse_json(data)
    agent = saved.pop("agent") if isinstance(saved, dict) else None
    if not isinstance(agent, str) or not re.fullmatch(r"agent-\d+\.npz", agent):
        raise ValueError("it does not name the file of the saved agent")
    try:
        return _STATE.validate_python(saved), agent
    except ValidationError as error:
        raise ValueError("; ".join(problems_of(error))) from None


def _checkpoint(task: Search, run: RunFolder, place: SearchState) -> None:
    """Write the agent's file, then `checkpoint.json`, which names it; then remove older agents.

    This is done between batches only, so that a resumed run generates and scores the same images
    in one batch again.
    """
    agent = f"agent-{place.steps}.npz"
    task.agent.save(run.path / agent)
    place.source = dict(task.environment.np_random.bit_generator.state)
    write_json(run.path / "checkpoint.json", asdict(place) | {"agent": agent})
    for old in run.path.glob("agent-*.npz"):
        if old.name != agent:
            old.unlink()
