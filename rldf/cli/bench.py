"""`rldf bench`: many searches under one budget, compared."""

import os
import sys
from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rldf.cli import output
from rldf.cli.endpoint import BaseUrl, models_at
from rldf.cli.model_choice import settle, tell
from rldf.models.auto import AUTO

if TYPE_CHECKING:
    from rldf.experiments.bench.prepare import Bench
    from rldf.experiments.bench.records import Records
    from rldf.io.workdir import ResultFolder

app = typer.Typer(help="Compare agents and rewards over many searches.", no_args_is_help=True)

_LEARNING = "random,q,sarsa,expected-sarsa,dyna-q"
_AGENTS = f"{_LEARNING},gradient,planner"


@app.command()
def table3(
    images: Annotated[
        Path | None,
        typer.Option(
            help="Folder of images to find, class by class in turns. Default: drawn ones."
        ),
    ] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Most images to find.")] = 10,
    seeds: Annotated[int, typer.Option(min=1, help="Searches for each image and setting.")] = 10,
    agents: Annotated[
        str | None,
        typer.Option(help="Search agents, separated by commas. Default: all that fit."),
    ] = None,
    rewards: Annotated[str, typer.Option(help="Rewards, separated by commas.")] = (
        "multi,partial,clip"
    ),
    epsilons: Annotated[
        str, typer.Option(help="Exploration rates, separated by commas.")
    ] = "0.01,0.1",
    renders: Annotated[
        int | None,
        typer.Option(
            help="Budget of unique images of a search. Default: 200; no bound with --episodes."
        ),
    ] = None,
    episodes: Annotated[
        int | None,
        typer.Option(
            help="Show learning curves over this many episodes, each of which ends at the goal."
        ),
    ] = None,
    steps: Annotated[int, typer.Option(help="Maximum number of steps of an episode.")] = 200,
    gain: Annotated[
        bool,
        typer.Option(
            "--gain",
            help="Let q, sarsa and expected-sarsa learn from changes of the reward; see search.",
        ),
    ] = False,
    dynamic_seeds: Annotated[
        bool,
        typer.Option(
            "--dynamic-seeds", help="Use a fresh image seed at every step (ablation); slow."
        ),
    ] = False,
    grammar: Annotated[str, typer.Option(help="Whose sentences: a name or a YAML file.")] = "base",
    models: Annotated[str, typer.Option(help="Model set: a name or a YAML file.")] = AUTO,
    base_url: BaseUrl = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Default: one a core, and 1 in large worlds.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder; the same command goes on with it.")
    ] = None,
    as_json: output.JsonFlag = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Repeat the paper's Table 3: every agent, reward and ε, over many images and seeds."""
    from rldf.io.workdir import ResultFolder
    from rldf.runs.naming import new_out

    silent, choice = quiet or as_json, settle(models)
    with output.busy("reading the images", quiet=silent):
        from rldf.experiments.bench.prepare import prepare
        from rldf.runs.config import SearchConfig, budget_of

        stop = "budget" if episodes is None else "episodes"
        bounds = budget_of(stop, renders, episodes, steps)
        fitting = _AGENTS if episodes is None else _LEARNING
        bench = prepare(
            agents=_listed(fitting if agents is None else agents),
            rewards=_listed(rewards),
            epsilons=_listed(epsilons),
            images=images,
            count=count,
            n_seeds=seeds,
            budget=SearchConfig(
                image="", grammar=grammar, models=models_at(choice.name, base_url),
                renders=bounds["renders"], episodes=bounds["episodes"], steps=steps, stop=stop,
                options={"gain": gain}, dynamic_seeds=dynamic_seeds,
                agent="q",  # each run names its own
            ),
            warn=output.warn,
        )  # fmt: skip
    tell(choice)
    for warning in bench.warnings:
        output.warn(warning)
    if not bench.is_small and (processes or 1) > 1:
        from rldf.errors import UsageError

        raise UsageError(
            f"--processes {processes}: grammar {grammar} has {bench.grammar.n_states:,} cells, too "
            "many to draw them all before; leave --processes out"
            if not dynamic_seeds
            else f"--processes {processes}: with --dynamic-seeds nothing can be drawn before; "
            "leave --processes out"
        )
    out = out or new_out(Path("bench"), "table3", datetime.now())
    folder = ResultFolder(out, bench.config)
    with folder.filling():
        results = _run(bench, folder, processes, quiet=silent)
        folder.finish({**results, "warnings": bench.warnings})
    document = {"out": str(out), **results, "warnings": bench.warnings}
    output.result(document, _told(document, bounds["renders"]), as_json=as_json)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (word.strip() for word in text.split(","))))


def _run(
    bench: "Bench", folder: "ResultFolder", processes: int | None, *, quiet: bool
) -> dict[str, Any]:
    from rldf.experiments.bench.episodes import curves
    from rldf.experiments.bench.page import write_results
    from rldf.experiments.bench.records import Records
    from rldf.experiments.bench.starts import by_start
    from rldf.experiments.bench.table3 import table

    records = Records(folder.path / "runs.jsonl")
    done = {outcome.trial for outcome in records.outcomes}
    left = [group for group in bench.plan.groups() if not done.issuperset(group)]
    if left:
        _run_left(bench, left, records, processes, quiet=quiet)
    order = {trial: i for i, trial in enumerate(chain.from_iterable(bench.plan.groups()))}
    outcomes = sorted(records.outcomes, key=lambda outcome: order[outcome.trial])
    rows = table(outcomes)
    with output.busy("drawing the plots", quiet=quiet):
        command = ["rldf", *sys.argv[1:]]
        write_results(folder.path, rows, outcomes, bench.config, command, bench.warnings)
    starts = by_start(outcomes)
    if bench.budget.stop != "episodes":
        return {"rows": rows, "starts": starts}
    return {"rows": rows, "episodes": curves(outcomes, bench.budget.steps), "starts": starts}


def _run_left(
    bench: "Bench",
    left: Sequence[Any],
    records: "Records",
    processes: int | None,
    *,
    quiet: bool,
) -> None:
    from rich.progress import Progress

    from rldf.experiments.bench.pool import run_groups

    console = output.console()
    with Progress(console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        drawing = bar.add_task("drawing the world", total=bench.grammar.n_states)
        bar.update(drawing, visible=bench.is_small)
        world = bench.world(lambda drawn: bar.update(drawing, completed=drawn))
        running = bar.add_task("searching", total=len(left))
        usual = (os.cpu_count() or 1) if bench.is_small else 1
        many = min(processes or usual, len(left))
        for outcomes in run_groups(left, world, bench.budget, many):
            records.add(outcomes)
            bar.advance(running)


def _told(document: dict[str, Any], renders: int) -> list[str]:
    from rldf.experiments.bench.page import shown_rows

    doubts = [f"doubt: {warning}" for warning in document["warnings"]]
    table = output.table(shown_rows(document["rows"], renders))
    if "episodes" in document:
        from rldf.experiments.bench.episodes import shown_curves

        table = [*table, "", *output.table(shown_curves(document["episodes"]))]
    return [*table, *doubts, f"look at {document['out']}/table3.html"]
