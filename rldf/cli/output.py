"""Print results, notes, warnings, errors and progress.

Results go to stdout: text for people, or with `--json` one document and nothing else. Progress,
warnings and errors go to stderr. Text from outside,
such as a file name, is printed without control characters.
"""

import contextlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rldf.io.text import plain

if TYPE_CHECKING:
    from rich.console import Console

JsonFlag = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]


def result(document: object, lines: Sequence[str], *, as_json: bool) -> None:
    """Print the result of a command on stdout: `document` with --json, `lines` without."""
    if as_json:
        # ASCII alone: every terminal and pipe accepts it, and it holds no escape sequence.
        typer.echo(json.dumps(document, indent=2, allow_nan=False))
        return
    for line in lines:
        typer.echo(plain(line))


def note(message: str) -> None:
    """Print a line on stderr that is not part of the result."""
    typer.echo(plain(message), err=True)


def warn(message: str) -> None:
    """Print a warning on stderr."""
    note(f"warning: {message}")


class _Warnings(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        warn(record.getMessage())


@contextlib.contextmanager
def log_as_warnings() -> Iterator[None]:
    """Print what rldf logs as warnings, whatever libraries do to the root logger."""
    log, handler = logging.getLogger("rldf"), _Warnings()
    log.addHandler(handler)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.propagate = True


def fail(message: str) -> None:
    """Print on stderr the error that ends the program."""
    note(f"error: {message}")


def console() -> "Console":
    """Return a console on stderr for progress."""
    from rich.console import Console

    return Console(stderr=True)


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return each row as one line of text, with aligned columns."""
    shown = [[plain(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return [
        "  ".join(cell.ljust(n) for cell, n in zip(row, widths, strict=True)).rstrip()
        for row in shown
    ]


@contextlib.contextmanager
def busy(what: str, *, quiet: bool) -> Iterator[None]:
    """Show `what` is being done while the block runs; only on a terminal."""
    shown = console()
    if quiet or not shown.is_terminal:
        yield
        return
    with shown.status(what):
        yield


@contextlib.contextmanager
def bars(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function (stage, done, total) that shows a bar for each stage on a terminal."""
    shown = console()
    if quiet or not shown.is_terminal:
        yield lambda what, done, of: None
        return
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeRemainingColumn(), console=shown, transient=True) as view:
        tasks: dict[str, Any] = {}

        def show(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = view.add_task(escape(plain(what)), total=of)
            view.update(tasks[what], completed=done)

        yield show
