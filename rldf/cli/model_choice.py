"""The option `--models`: what `auto` stands for is settled here, and told."""

from typing import TYPE_CHECKING

from rldf.cli import output

if TYPE_CHECKING:
    from rldf.models.auto import Choice

AUTO = "auto"
"""The default of `--models` everywhere."""

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


def tell(choice: "Choice") -> None:
    """Say on stderr which model set is taken, once nothing speaks against the command any more.

    Args:
        choice: what `settle` gave; one that a person named is not told.
    """
    if choice.why != NAMED:
        output.note(str(choice))
