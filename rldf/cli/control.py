"""`rldf control`: vary one axis of a search result, and read the images back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rldf.cli import output
from rldf.cli.endpoint import BaseUrl
from rldf.cli.search_result import GrammarOption, ModelsOption, RunArgument, open_found, words

if TYPE_CHECKING:
    from rldf.experiments.applications.control import ControlResult, Rate


def control(
    run: RunArgument,
    axis: Annotated[str, typer.Option(help="The axis to vary, such as Weather.")],
    values: Annotated[
        str | None, typer.Option(help="Its values, such as rain,snow. Default: all.")
    ] = None,
    n: Annotated[int, typer.Option("-n", help="Images of each value.")] = 4,
    grammar: GrammarOption = None,
    models: ModelsOption = None,
    base_url: BaseUrl = None,
    seed: Annotated[int, typer.Option(help="Seed of the images.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder. Default: ./controlled/<run>-<axis>.")
    ] = None,
    as_json: output.JsonFlag = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Vary one axis of a search result, and measure whether the images follow."""
    from rldf.experiments.applications.control import Control
    from rldf.experiments.applications.control import control as control_

    found, model_set = open_found(run, grammar, models, base_url)
    asked = Control(found=found, models=model_set, axis=axis, values=words(values), n=n, seed=seed)
    place = out or Path("controlled", f"{found.run.resolve().name}-{axis}")
    total = n * len(asked.rows)
    with output.bars(quiet=quiet or as_json) as show:
        result = control_(asked, place, lambda done: show("drawing", done, total))
    output.result(result.document(), _told(result), as_json=as_json)


def _told(result: "ControlResult") -> list[str]:
    figures = result.figures
    head = (result.asked.axis, "hits", "rate", "95 % interval", "mean number read")
    rows = [_row(row.value, row.rate, row.mean_number) for row in figures.rows]
    lines = output.table([head, *rows, _row("all", figures.rate, None)])
    if not figures.counts:
        lines = [line.removesuffix(head[-1]).rstrip() for line in lines]
    else:
        said = "none, nothing changes" if figures.spearman is None else str(figures.spearman)
        lines.append(f"rank correlation of what was asked for and read: {said}")
    return [*lines, f"read by {figures.read_by}; look at {result.grid}"]


def _row(name: str, rate: "Rate", number: float | None) -> tuple[str, ...]:
    low, high = rate.interval
    shown = "" if number is None else f"{number:.2f}"
    return (
        name,
        f"{rate.hits} of {rate.of}",
        f"{rate.share:.2f}",
        f"{low:.2f} to {high:.2f}",
        shown,
    )
