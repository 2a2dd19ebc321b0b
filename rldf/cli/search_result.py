"""Arguments and loading shared by the commands that render a search result."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rldf.cli import output
from rldf.cli.endpoint import models_at

if TYPE_CHECKING:
    from rldf.models.model_set import ModelSet
    from rldf.runs.result import RunResult

RunArgument = Annotated[
    str, typer.Argument(help="Folder of a search, or - for search --json.", metavar="RUN")
]
GrammarOption = Annotated[
    str | None,
    typer.Option("--grammar", help="A larger grammar with the same sentence. Default: the run's."),
]
ModelsOption = Annotated[
    str | None,
    typer.Option(
        "--models", help="Model set that renders: a name or a YAML file. Default: the run's own."
    ),
]


def open_found(
    run: str, grammar: str | None, models: str | None, base_url: str | None
) -> "tuple[RunResult, ModelSet]":
    """Read the result of a run, and show warnings about rendering it."""
    from rldf.dataset.user_classes import document_path
    from rldf.experiments.applications.common import generator_models, hints
    from rldf.models.api_sets import without_address
    from rldf.runs.result import in_words_of, read_result

    path = document_path(sys.stdin.read(), "run") if run == "-" else Path(run)
    found = in_words_of(read_result(path), grammar)
    if models is None and base_url is not None:  # of the run's API, wherever that was
        models = without_address(found.models)
    models = models and models_at(models, base_url)
    model_set = generator_models(found, models)
    for hint in hints(found, model_set, models):
        output.warn(hint)
    return found, model_set


def words(text: str | None) -> tuple[str, ...] | None:
    """Split what was typed with commas between."""
    return None if text is None else tuple(word.strip() for word in text.split(","))
