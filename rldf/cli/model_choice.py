"""What the defaults of `--models` and `--grammar` stand for is settled and told here."""

from typing import TYPE_CHECKING, Annotated

import typer

from rldf.cli import output
from rldf.models.auto import AUTO

if TYPE_CHECKING:
    from rldf.models.auto import Choice

SetGrammar = Annotated[
    str | None,
    typer.Option(help="Grammar of the sentences: a name or a YAML file. Default: the model set's."),
]
"""The option `--grammar` of commands that begin with an image."""

NAMED = "it was named"
"""Why a model set was taken that a person typed."""


def settle(models: str) -> "Choice":
    """Settle what `auto` stands for."""
    from rldf.models.auto import Choice
    from rldf.models.model_sets import auto_choice

    return auto_choice() if models == AUTO else Choice(models, NAMED)


def grammar_of(grammar: str | None, models: str) -> str:
    """Settle which grammar is meant."""
    from rldf.models.model_sets import load_model_set

    return load_model_set(models).file.grammar if grammar is None else grammar


def tell(choice: "Choice") -> None:
    """Say on stderr which model set is taken, once nothing speaks against the command any more."""
    if choice.why != NAMED:
        output.note(str(choice))
