"""What the defaults of `--models` and `--grammar` stand for is settled and told here."""

from typing import TYPE_CHECKING, Annotated

import typer

from rldf.cli import output
from rldf.models.auto import AUTO

if TYPE_CHECKING:
    from rldf.models.auto import Choice

SetGrammar = Annotated[
    str | None,
    typer.Option(help="Whose sentences: a name or a YAML file. Default: the model set's."),
]
"""The option `--grammar` of commands that begin with an image."""

NAMED = "it was named"
"""Why a model set was taken that a person typed."""


def settle(models: str) -> "Choice":
    """Settle what `auto` stands for.

    Args:
        models: what a person typed for --models, or its default.

    Returns:
        The name or path of a model set, and why that one.
    """
    from rldf.models.auto import Choice
    from rldf.models.model_sets import auto_choice

    return auto_choice() if models == AUTO else Choice(models, NAMED)


def grammar_of(grammar: str | None, models: str) -> str:
    """Settle which grammar is meant.

    Args:
        grammar: what a person typed for --grammar, if anything.
        models: the model set, by name or path.

    Returns:
        A grammar, by name or path: the model set's own where none was typed.
    """
    from rldf.models.model_sets import load_model_set

    return load_model_set(models).file.grammar if grammar is None else grammar


def tell(choice: "Choice") -> None:
    """Say on stderr which model set is taken, once nothing speaks against the command any more.

    Args:
        choice: what `settle` gave; one that a person named is not told.
    """
    if choice.why != NAMED:
        output.note(str(choice))
