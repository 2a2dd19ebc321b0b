"""`rldf --show-completion [SHELL]` and `--install-completion [SHELL]`, for any shell by its name.

These options replace typer's, which detect the running shell and ignore a shell name after them.
"""

import subprocess
import sys
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from rldf.errors import RldfError, UsageError
from rldf.io.text import one_line

SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")
_OPTIONS = ("--show-completion", "--install-completion")


class WithCompletion(TyperGroup):
    """The group of all commands; a shell's name may follow the options of completion."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Run an option of completion and exit; pass all other words on.

        Args:
            ctx: the context of the command.
            args: the words after `rldf`.

        Returns:
            The words that typer has not parsed.

        Raises:
            UsageError: the named shell has no completion, or the running shell is not known.
        """
        option, _, name = args[0].partition("=") if args else ("", "", "")
        if option in _OPTIONS:
            _answer(option, [name] if name else args[1:])
        return super().parse_args(ctx, args)


def _answer(option: str, words: list[str]) -> NoReturn:
    from typer._completion_shared import get_completion_script, install

    known = ", ".join(SHELLS)
    if len(words) > 1:
        raise UsageError(f"{option} {' '.join(words)}: name one shell: {known}")
    shell = words[0].lower() if words else _running()
    if shell not in SHELLS:
        given = shell or "the running shell could not be detected"
        raise UsageError(f"{option}: {given}: type {option} with one of {known}")
    if option == "--install-completion":
        try:
            _, path = install(shell=shell, prog_name="rldf")
        except (OSError, subprocess.SubprocessError) as error:
            raise RldfError(
                f"{option} {shell}: {one_line(error)}; type --show-completion {shell} and put what "
                "it prints into a file that the shell loads at its start"
            ) from None
        typer.echo(f"{shell} completion is installed in {path}; it works in a new terminal")
    else:
        typer.echo(
            get_completion_script(prog_name="rldf", complete_var="_RLDF_COMPLETE", shell=shell)
        )
    sys.exit(0)


def _running() -> str:
    """Return the name of the shell that runs this program, "" if it cannot be detected."""
    from typer._completion_shared import _get_shell_name

    try:
        return _get_shell_name() or ""
    except (OSError, RuntimeError):  # on a system that typer does not know
        return ""
