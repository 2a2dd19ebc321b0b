"""One search: an agent walks the grid until its budget is spent or the goal is found.

    photo -> Encoder -> goal          cell -> sentence -> image -> reward -> agent -> next cell

`walk` is the algorithm, `search` writes down what it does.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from rldf import seeds
from rldf.agents.protocol import Agent, Transition
from rldf.encoding import Encoding
from rldf.environment import EncodingGridEnv
from rldf.errors import RunError
from rldf.files import write_json
from rldf.run_records import Step, best_step
from rldf.runs import RunFolder
from rldf.search_task import Settings, Task

Ended = Literal["goal", "renders", "episodes"]
_CHECKPOINT_STEPS = 20


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
