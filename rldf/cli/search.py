"""`rldf search`: find the sentence that redraws an image."""

import sys
from functools import cache
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from rldf.cli import output
from rldf.cli.endpoint import BaseUrl, models_at
from rldf.cli.live import LiveSearch
from rldf.cli.model_choice import SetGrammar, settle, tell
from rldf.io.text import counted
from rldf.models.auto import AUTO
from rldf.perception.reading import DOUBTFUL
from rldf.registry import CATALOG

_AGENTS = "Search agent: " + ", ".join(CATALOG["agents"]) + " (docs/agents.md)."
_GIVEN = "rldf.agent_options"


class SearchCommand(TyperCommand):
    """The command with the agents' own options; they are listed only when they are needed."""

    def get_params(self, ctx: Any) -> list[Any]:
        """List the command's parameters, then each option of the agents once, then --help."""
        *own, last = super().get_params(ctx)
        return [*own, *_agent_parameters(), last]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line; what is given of the agents' options goes into the context."""
        from rldf.agents.options import all_options

        rest = super().parse_args(ctx, args)
        given = {option.name: ctx.params.pop(option.name, None) for option in all_options()}
        ctx.meta[_GIVEN] = {name: value for name, value in given.items() if value is not None}
        return rest


@cache
def _agent_parameters() -> list[Any]:
    """Make the command's parameters from the options of the agents."""
    from rldf.agents.options import all_options

    def given(**options: Any) -> None: ...

    parameters = []
    for option in all_options():
        kind = bool if option.is_flag else str
        default = "" if option.is_flag else f"  [default: {option.default}]"
        text = f"[{', '.join(option.agents)}] {option.help}{default}"
        said = typer.Option(option.flag, help=text, show_default=False)
        shown = Annotated[kind | None, said]  # type: ignore[valid-type]
        parameters.append(
            Parameter(option.name, Parameter.KEYWORD_ONLY, default=None, annotation=shown)
        )
    given.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    given.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    app = typer.Typer(add_completion=False)
    app.command()(given)
    return list(typer.main.get_command(app).params)


def search(
    context: typer.Context,
    image: Annotated[str, typer.Argument(help="Input image.")],
    reward: Annotated[
        str,
        typer.Option(help="Reward to maximise: multi, partial, clip, combined, or a YAML file."),
    ] = "multi",
    agent: Annotated[str, typer.Option(help=_AGENTS)] = "planner",
    grammar: SetGrammar = None,
    axes: Annotated[
        str | None,
        typer.Option(
            help="Search these axes only, such as Noun,Scene; keep the others as read in the image."
        ),
    ] = None,
    models: Annotated[str, typer.Option(help="Model set: a name or a YAML file.")] = AUTO,
    base_url: BaseUrl = None,
    renders: Annotated[
        int | None,
        typer.Option(help="Budget of unique images. Default: 200; no bound with --stop episodes."),
    ] = None,
    episodes: Annotated[
        int | None, typer.Option(help="Maximum number of episodes. Default: 50.")
    ] = None,
    steps: Annotated[int, typer.Option(help="Maximum number of steps of an episode.")] = 200,
    seed: Annotated[int, typer.Option(help="Seed of the agent and its start positions.")] = 0,
    image_seed: Annotated[int, typer.Option(help="Seed of every image.")] = 0,
    image_seeds: Annotated[
        int,
        typer.Option(
            help="Images per cell, each with a seed of its own; the reward is their mean."
        ),
    ] = 1,
    stop: Annotated[
        str | None,
        typer.Option(
            help="What ends the search: goal (reached once), budget (of images, also after the "
            "goal) or episodes (each ends at the goal). Default: goal."
        ),
    ] = None,
    go_on: Annotated[
        bool, typer.Option("--continue", help="Continue after the goal; same as --stop budget.")
    ] = False,
    rollouts: Annotated[
        int | None,
        typer.Option(
            help="Starts from which the greedy policy is shown at the end. Default: 20 for agents "
            "with action values."
        ),
    ] = None,
    value_axes: Annotated[
        str | None,
        typer.Option(help="Two axes for the value map in the report. Default: the longest two."),
    ] = None,
    dynamic_seeds: Annotated[
        bool,
        typer.Option(
            "--dynamic-seeds",
            help="Use a fresh image seed at every step (ablation; rewards stop being comparable).",
        ),
    ] = False,
    penalise_unrealistic: Annotated[
        bool,
        typer.Option("--penalise-unrealistic", help="Reward -1 for unrealistic images."),
    ] = False,
    end_unrealistic: Annotated[
        bool, typer.Option("--end-unrealistic", help="End the episode at an unrealistic image.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Run folder. Default: ./runs/<image>-<time>.")
    ] = (None),
    resume: Annotated[bool, typer.Option("--resume", help="Resume the run in --out.")] = False,
    as_json: output.JsonFlag = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Find the sentence whose images match the input image."""
    from rldf.errors import UsageError
    from rldf.runs.config import SearchConfig, budget_of
    from rldf.runs.naming import resume_command

    if go_on and stop not in (None, "budget"):
        raise UsageError(f"--continue is --stop budget: leave one of --continue and --stop {stop}")
    rule = "budget" if go_on else stop or "goal"
    choice = settle(models)
    drawn_by = models_at(choice.name, base_url)
    settings = SearchConfig(
        image=image, grammar=grammar or AUTO, axes=axes, models=drawn_by,
        reward=reward, agent=agent, steps=steps, stop=rule,
        **budget_of(rule, renders, episodes, steps, image_seeds),
        options=context.meta[_GIVEN],
        seed=seed, image_seed=image_seed, image_seeds=image_seeds,
        rollouts=rollouts, value_axes=value_axes,
        dynamic_seeds=dynamic_seeds,
        penalise_unrealistic=penalise_unrealistic, end_unrealistic=end_unrealistic,
    )  # fmt: skip
    quiet = quiet or as_json
    with output.busy("loading the models", quiet=quiet):
        from rldf.report import write_report
        from rldf.runs.config import build_search
        from rldf.runs.loop import check_out, open_run
        from rldf.runs.loop import search as search_

        check_out(out, resume=resume)
        task = build_search(settings)
    for hint in task.hints:
        output.warn(hint)
    command = ["rldf", *sys.argv[1:]]
    with open_run(task, out, resume=resume, command=command, model_choice=choice.why) as run:
        tell(choice)
        try:
            with LiveSearch(task, run.steps(), quiet=quiet) as live:
                result = search_(task, run, live.show)
        except KeyboardInterrupt:
            output.note(f"stopped; go on with: {resume_command(command, run.path)}")
            raise
        with output.busy("writing the report", quiet=quiet):
            write_report(run, task.environment.goal)
    output.result(result, _told(result), as_json=as_json)


def _told(result: dict[str, Any]) -> list[str]:
    goal, best, medium = result["goal"], result["best"], result["medium"]
    if medium == "photograph":
        read = result["words"]
    else:
        read = goal["sentence"] if goal else "no sentence: not every axis was read"
    found = {True: "found", False: "not found", None: "not known"}[result["goal_reached"]]
    if result["doubtful"] and goal:
        found += f" ({DOUBTFUL})"
    if medium == "photograph" and not goal:
        found += " (only these words are)"
    doubts = [f"doubt           {warning}" for warning in result["warnings"]]
    return [
        *([f"input is        a {medium}"] if medium else []),
        f"input reads as  {read}",
        *doubts,
        f"best sentence   {best['sentence']}  (reward {best['reward']:.3f})",
        f"goal {found} after {counted(result['renders'], 'unique render')}, "
        f"{counted(result['steps'], 'step')}, {counted(result['episodes'], 'episode')}, "
        f"{result['seconds']:.0f} s",
        *_learned(result),
        f"look at         {result['run']}/report.html",
        *([f"real photos     {result['better_models']}"] if result["better_models"] else []),
    ]


def _learned(result: dict[str, Any]) -> list[str]:
    """Describe the episodes and the greedy policy, where there is something to say."""
    lines, counts = [], result["steps_per_episode"]
    if len(counts) > 1:
        lines.append(f"steps/episode   {' '.join(map(str, counts))}")
    greedy = result.get("greedy")
    if not greedy:
        return lines
    starts, reached = greedy["starts"], greedy["reached"]
    if reached is None:
        lines.append(
            f"greedy policy   {counted(starts, 'start')}; whether it succeeds is not known: no goal"
        )
    else:
        low, high = greedy["success_ci"]
        mean = f", {greedy['steps_mean']:.1f} steps on average" if reached else ""
        lines.append(
            f"greedy policy   reaches the goal from {reached} of {counted(starts, 'start')} "
            f"({greedy['success_rate']:.0%}, 95 % interval {low:.0%} to {high:.0%}){mean}"
        )
    shown = next((r for r in greedy["rollouts"] if r["ended"] == "goal"), greedy["rollouts"][0])
    total = "not known" if shown["return"] is None else f"{shown['return']:.3f}"
    lines.append(f"greedy path     return {total}, ended by {shown['ended']}:")
    return [*lines, *(f"                {sentence}" for sentence in shown["sentences"])]
