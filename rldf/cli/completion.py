"""`rldf --show-completion [SHELL]` and `--install-completion [SHELL]`, for any shell by its name.

typer's own options ask which shell runs them, and take no name: a word behind them is ignored, so
that whoever asks for another shell gets the script of this one.
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
    """The group of all commands; the options of completion may be followed by a shell's name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Answer the options of completion, and leave all else alone.

        Args:
            ctx: the context.
            args: the words after `rldf`.

        Returns:
            What is left of them.

        Raises:
            UsageError: no completion is known for the shell, or which shell it is is not known.
        """
        option, _, name = args[0].partition("=") if args else ("", "", "")
        if option in _OPTIONS:
            _answer(option, [name] if name else args[1:])
        return super().parse_args(ctx, args)


def _answer(option: str, words: list[str]) -> NoReturn:
    from typer._completion_shared import get_completion_script, install

    known = ", ".join(SHELLS)
    if len(words) > 1:
        raise UsageError(f"{option} {' '.join(words)}: type one shell of {known}")
    shell = words[0].lower() if words else _running()
    if shell not in SHELLS:
        given = shell or "which shell this is cannot be told"
        raise UsageError(f"{option}: {given}: type {option} with one of {known}")
    if option == "--install-completion":
        try:
            _, path = install(shell=shell, prog_name="rldf")
        except (OSError, subprocess.SubprocessError) as error:
            raise RldfError(
                f"{option} {shell}: {one_line(error)}; type --show-completion {shell} and put what "
                "it prints where that shell reads it"
            ) from None
        typer.echo(f"{shell} completion is installed in {path}; it works in a new terminal")
    else:
        typer.echo(
            get_completion_script(prog_name="rldf", complete_var="_RLDF_COMPLETE", shell=shell)
        )
    sys.exit(0)


def _running() -> str:
    """Name the shell that runs this program, "" where that cannot be told."""
    from typer._completion_shared import _get_shell_name

    try:
        return _get_shell_name() or ""
    except (OSError, RuntimeError):  # of a system on which nobody has tried it
        return ""
