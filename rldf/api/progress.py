"""How a long call tells how far it is: by a function of yours, by bars, or not at all."""

import contextlib
from collections.abc import Callable, Iterator

from rldf.io.text import plain

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""


@contextlib.contextmanager
def told(progress: Progress | bool) -> Iterator[Progress]:
    """Give the function to call: yours, one that draws bars (True), or one that does nothing."""
    if callable(progress):
        yield progress
    elif progress:
        with _bars() as show:
            yield show
    else:
        yield lambda what, done, of: None


@contextlib.contextmanager
def _bars() -> Iterator[Progress]:
    """Draw one bar a task on stderr, or in the cell of a notebook."""
    from rich import progress as rich
    from rich.console import Console
    from rich.markup import escape

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as view:
        tasks: dict[str, rich.TaskID] = {}

        def show(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = view.add_task(escape(plain(what)), total=of or None)
            view.update(tasks[what], completed=done, total=of or None)

        yield show
