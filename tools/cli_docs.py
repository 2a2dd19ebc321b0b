"""Write docs/cli.md from the program itself; with --check, only tell whether it is stale."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main
from typer.testing import CliRunner

from rldf.cli.main import app

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cli.md"
INTRODUCTION = """\
# Command-line reference

Written by `make docs` from the program's own help; a test compares the two.

Results go to stdout (with `--json`, one JSON document and nothing else), progress and warnings to
stderr. Exit codes: 0 done, 1 failed, 2 wrong usage or bad input, 3 a model or weight is not there,
130 interrupted. `RLDF_DEBUG=1` shows the traceback of an error, `RLDF_CACHE` names the folder of
the image cache.
"""


def commands() -> Iterator[tuple[str, ...]]:
    """List every command and group of commands.

    Yields:
        The words after `rldf`: () for the program itself, then depth first.
    """
    due: list[tuple[tuple[str, ...], Any]] = [((), typer.main.get_command(app))]
    while due:
        words, command = due.pop()
        yield words
        children = getattr(command, "commands", {})
        due += [((*words, name), children[name]) for name in sorted(children, reverse=True)]


def help_of(words: tuple[str, ...]) -> str:
    """Get the help text of a command.

    Args:
        words: what follows `rldf`.

    Returns:
        The help, at most 100 characters wide, without colours.
    """
    # A fixed width and shell: the page must not depend on whose terminal writes it.
    result = CliRunner().invoke(
        app, [*words, "--help"], prog_name="rldf", terminal_width=100, env={"NO_COLOR": "1"}
    )
    if result.exit_code:
        raise RuntimeError(f"rldf {' '.join(words)} --help: {result.output}")
    return "\n".join(line.rstrip() for line in result.stdout.strip().splitlines())


def page() -> str:
    """Compose the page.

    Returns:
        Markdown.
    """
    sections = [
        f"## `{' '.join(('rldf', *words))}`\n\n```text\n{help_of(words)}\n```\n"
        for words in commands()
    ]
    return "\n".join([INTRODUCTION, *sections])


def main() -> None:
    """Write the page, or check it."""
    if sys.argv[1:] == ["--check"]:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
            sys.exit(f"docs/{PAGE.name} is stale: type 'make docs'")
        return
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
