"""Find the model set and the grammar that the defaults of `--models` and `--grammar` mean."""

from typing import TYPE_CHECKING, Annotated

import typer

from rldf.cli import output
from rldf.models.auto import AUTO

if TYPE_CHECKING:
    from rldf.models.auto import Choice

SetGrammar = Annotated[
    str | None,
    typer.Option(
        help="Grammar of the sentences: a name or a YAML file. Default: the model set's grammar."
    ),
]
"""The option `--grammar` of commands that take an image."""

NAMED = "it was named"
"""The reason of a choice when the user named the model set."""


def settle(models: str) -> "Choice":
    """Return the model set that the user named, or the one that "auto" chooses."""
    from rldf.models.auto import Choice
    from rldf.models.model_sets import auto_choice

    return auto_choice() if models == AUTO else Choice(models, NAMED)


def grammar_of(grammar: str | None, models: str) -> str:
    """Return the grammar that the user named, or by default that of the model set."""
    from rldf.models.model_sets import load_model_set

    return load_model_set(models).file.grammar if grammar is None else grammar


def tell(choice: "Choice") -> None:
    """Print on stderr which model set "auto" chose; call it when all checks have passed."""
    if choice.why != NAMED:
        output.note(str(choice))
