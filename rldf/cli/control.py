"""`rldf control`: vary one axis of a search result, and read the images back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from rldf.cli import output
from rldf.cli.endpoint import BaseUrl
from rldf.cli.search_result import GrammarOption, ModelsOption, RunArgument, open_found, words


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
    output.result(result, _told(result), as_json=as_json)


def _told(result: Mapping[str, Any]) -> list[str]:
    head = (result["axis"], "hits", "rate", "95 % interval", "mean number read")
    rows = [_row(row["value"], row) for row in result["rows"]]
    lines = output.table([head, *rows, _row("all", result)])
    if "mean_number" not in result["rows"][0]:
        lines = [line.removesuffix(head[-1]).rstrip() for line in lines]
    if "spearman" in result:
        said = "none, nothing changes" if result["spearman"] is None else str(result["spearman"])
        lines.append(f"rank correlation of what was asked for and read: {said}")
    return [*lines, f"read by {result['read_by']}; look at {result['grid']}"]


def _row(name: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    interval = f"{row['ci_low']:.2f} to {row['ci_high']:.2f}"
    number = f"{row['mean_number']:.2f}" if "mean_number" in row else ""
    return (name, f"{row['hits']} of {row['of']}", f"{row['rate']:.2f}", interval, number)
