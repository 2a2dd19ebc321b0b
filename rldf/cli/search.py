"""`rldf search`: find the sentence that redraws an image."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rldf.cli import output
from rldf.cli.endpoint import BaseUrl, models_at
from rldf.cli.model_choice import SetGrammar, grammar_of, settle, tell
from rldf.models.auto import AUTO
from rldf.perception.reading import DOUBTFUL

if TYPE_CHECKING:
    from rldf.models.auto import Choice
    from rldf.search.config import Settings, Task
    from rldf.search.run_folder import RunFolder


_AGENTS = (
    "Who searches: planner, q, sarsa, expected-sarsa, dyna-q, gradient or random (docs/agents.md)."
)


def search(
    image: Annotated[str, typer.Argument(help="The image to find again.")],
    reward: Annotated[
        str, typer.Option(help="What pays: multi, partial, clip, combined, or a YAML file.")
    ] = "multi",
    agent: Annotated[str, typer.Option(help=_AGENTS)] = "planner",
    grammar: SetGrammar = None,
    axes: Annotated[
        str | None,
        typer.Option(help="Walk these axes only, such as Noun,Scene; hold the others as read."),
    ] = None,
    models: Annotated[str, typer.Option(help="What draws and sees: a name or a YAML file.")] = AUTO,
    base_url: BaseUrl = None,
    renders: Annotated[int, typer.Option(help="Budget of unique renders.")] = 200,
    episodes: Annotated[int, typer.Option(help="Most episodes.")] = 50,
    steps: Annotated[int, typer.Option(help="Most steps of an episode.")] = 200,
    epsilon: Annotated[
        str, typer.Option(help="Rate of exploration: a number or START:END:STEPS.")
    ] = "0.1",
    alpha: Annotated[
        str, typer.Option(help="Learning rate: a number or visits:OMEGA (Robbins-Monro).")
    ] = "0.5",
    gamma: Annotated[float, typer.Option(help="Discount of later rewards.")] = 0.9,
    optimism: Annotated[
        float, typer.Option(help="Added to every first action value: high ones make it explore.")
    ] = 0.0,
    gain: Annotated[
        bool, typer.Option("--gain", help="q, sarsa: pay a step its gain over the last cell.")
    ] = False,
    step_size: Annotated[
        float, typer.Option(help="gradient: cells a step goes along the steepest axis.")
    ] = 1.0,
    momentum: Annotated[
        float, typer.Option(help="gradient: part of the last step that is taken again.")
    ] = 0.5,
    batch: Annotated[int, typer.Option(help="planner: cells that are drawn together.")] = 4,
    warm_start: Annotated[
        bool, typer.Option("--warm-start", help="planner: see first what the encoder reads.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the agent and its starts.")] = 0,
    image_seed: Annotated[int, typer.Option(help="Seed of every image.")] = 0,
    image_seeds: Annotated[
        int, typer.Option(help="Draw each cell with this many seeds, and pay the mean.")
    ] = 1,
    go_on: Annotated[bool, typer.Option("--continue", help="Go on past the goal.")] = False,
    dynamic_seeds: Annotated[
        bool, typer.Option("--dynamic-seeds", help="Draw every step anew, to see why not.")
    ] = False,
    penalise_unrealistic: Annotated[
        bool,
        typer.Option("--penalise-unrealistic", help="Pay -1 for pictures that look like nothing."),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Run folder. Default: ./runs/<image>-<time>.")
    ] = (None),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    as_json: output.JsonFlag = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Find the sentence that makes the generator draw pictures of the same thing."""
    from rldf.errors import RunError
    from rldf.search.config import Settings

    choice = settle(models)
    drawn_by = models_at(choice.name, base_url)
    settings = Settings(
        image=image, grammar=grammar_of(grammar, drawn_by), axes=axes, models=drawn_by,
        reward=reward, agent=agent, renders=renders, episodes=episodes, steps=steps,
        epsilon=epsilon, alpha=alpha, gamma=gamma,
        optimism=optimism, gain=gain, step_size=step_size, momentum=momentum, batch=batch,
        warm_start=warm_start, seed=seed, image_seed=image_seed, image_seeds=image_seeds,
        stop_at_goal=not go_on, dynamic_seeds=dynamic_seeds,
        penalise_unrealistic=penalise_unrealistic,
    )  # fmt: skip
    if resume and out is None:
        raise RunError("--resume needs --out with the folder of the run to go on with")
    result = run_search(settings, out, choice, resume=resume, quiet=quiet or as_json)
    output.result(result, _told(result), as_json=as_json)


def run_search(
    settings: "Settings", out: Path | None, choice: "Choice", *, resume: bool, quiet: bool
) -> dict[str, Any]:
    """Prepare, search and report.

    Args:
        settings: what to search.
        out: the run folder, None for a new one under ./runs.
        choice: which model set was taken, and why.
        resume: whether to go on with the run that is there.
        quiet: whether to show no progress.

    Returns:
        The result, as JSON can say it.
    """
    from rldf.search.run_folder import RunFolder
    from rldf.search.run_naming import new_out, refuse_foreign_run, resume_command

    if out is not None:
        refuse_foreign_run(out)  # before models are loaded
    with output.busy("loading the models", quiet=quiet):
        from rldf.search.config import prepare

        task = prepare(settings)
    for hint in task.hints:
        output.warn(hint)
    command = ["rldf", *sys.argv[1:]]
    if out is None:
        out = new_out(Path("runs"), Path(settings.image).name, datetime.now())
    if resume:
        run = RunFolder.resume(out, task.config)
    else:
        run = RunFolder.create(
            out, task.config, command, settings.seed,
            model_choice=choice.why, reading=task.reading.record,
        )  # fmt: skip
    with run:
        tell(choice)
        try:
            return _watched(task, run, quiet=quiet)
        except KeyboardInterrupt:
            output.note(f"stopped; go on with: {resume_command(command, out)}")
            raise


def _watched(task: "Task", run: "RunFolder", *, quiet: bool) -> dict[str, Any]:
    from rldf.cli.live import LiveSearch
    from rldf.report import write_report
    from rldf.search.loop import search as search_

    with LiveSearch(task, run.steps(), quiet=quiet) as live:
        result = search_(task, run, live.show)
    with output.busy("writing the report", quiet=quiet):
        goal = task.environment.goal
        write_report(run, goal)
    return result


def _told(result: dict[str, Any]) -> list[str]:
    goal, best = result["goal"], result["best"]
    found = {True: "found", False: "not found", None: "not known"}[result["goal_reached"]]
    if result["doubtful"] and goal:
        found += f" ({DOUBTFUL})"
    doubts = [f"doubt           {warning}" for warning in result["warnings"]]
    return [
        f"input reads as  {goal['sentence'] if goal else 'no sentence: not every axis was read'}",
        *doubts,
        f"best sentence   {best['sentence']}  (reward {best['reward']:.3f})",
        f"goal {found} after {result['renders']} unique renders, {result['steps']} steps, "
        f"{result['episodes']} episodes, {result['seconds']:.0f} s",
        f"look at         {result['run']}/report.html",
    ]
