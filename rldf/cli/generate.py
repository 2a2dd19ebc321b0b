"""`rldf generate`: many images of a search result."""

from pathlib import Path
from typing import Annotated

import typer

from rldf.cli import output
from rldf.cli.endpoint import BaseUrl
from rldf.cli.search_result import GrammarOption, ModelsOption, RunArgument, open_found, words
from rldf.io.text import counted


def generate(
    run: RunArgument,
    n: Annotated[int, typer.Option("-n", help="Number of images.")] = 16,
    vary: Annotated[
        str | None, typer.Option(help="Axes to vary, such as Weather,Time.", metavar="AXES")
    ] = None,
    grammar: GrammarOption = None,
    models: ModelsOption = None,
    base_url: BaseUrl = None,
    seed: Annotated[int, typer.Option(help="Seed of the images and of the varied values.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder. Default: ./generated/<run>.")] = None,
    as_json: output.JsonFlag = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Generate images of a search result with many seeds; the same command resumes."""
    from rldf.experiments.applications.generate import Generation
    from rldf.experiments.applications.generate import generate as generate_

    found, model_set = open_found(run, grammar, models, base_url)
    asked = Generation(found=found, models=model_set, n=n, vary=words(vary) or (), seed=seed)
    place = out or Path("generated", found.run.resolve().name)
    with output.bars(quiet=quiet or as_json) as show:
        result = generate_(asked, place, lambda done: show("drawing", done, n))
    lines = [
        f"{counted(n, 'image')} of '{found.sentence}'" + (f", {vary} varied" if vary else ""),
        f"look at {result.sheet}",
    ]
    output.result(result.document(), lines, as_json=as_json)
