"""How a long call shows its progress: with your function, with bars, or not at all."""

import contextlib
from collections.abc import Callable, Iterator

from rldf.io.text import plain

Progress = Callable[[str, int, int], None]
"""Called with the name of the stage, the number of items done, and their total."""


@contextlib.contextmanager
def told(progress: Progress | bool) -> Iterator[Progress]:
    """Yield the function to call: the given one, one that shows bars (True), or an empty one."""
    if callable(progress):
        yield progress
    elif progress:
        with _bars() as show:
            yield show
    else:
        yield lambda what, done, of: None


@contextlib.contextmanager
def _bars() -> Iterator[Progress]:
    """Yield a function that shows one bar for each stage, on stderr or in a notebook cell."""
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
