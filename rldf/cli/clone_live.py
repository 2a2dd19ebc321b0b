"""The progress bar of a clone, over all processes; silent where there is no terminal."""

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rldf.cli import output

if TYPE_CHECKING:
    from rldf.dataset.build import Progress

_PAUSE = 0.5  # s between two looks at the folder


class CloneBar:
    """Shows how many images are there while they are drawn."""

    def __init__(self, progress: "Progress", planned: int, *, quiet: bool) -> None:
        """Make the bar.

        Args:
            progress: counts the images that are there.
            planned: how many there will be.
            quiet: whether to show nothing.
        """
        from rich import progress as rich_progress

        console = output.console()
        self._progress = progress
        self._bar: rich_progress.Progress | None = None
        if console.is_terminal and not quiet:
            self._bar = rich_progress.Progress(
                rich_progress.TextColumn("drawing"),
                rich_progress.BarColumn(),
                rich_progress.MofNCompleteColumn(),
                rich_progress.TimeRemainingColumn(),
                console=console,
                transient=True,
            )
            self._task = self._bar.add_task("drawing", total=planned)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        """Start to show.

        Returns:
            This bar.
        """
        if self._bar:
            self._bar.start()
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar away.

        Args:
            kind: unused.
            error: unused.
            trace: unused.
        """
        self._ended.set()
        if self._bar:
            self._thread.join()
            self._bar.stop()

    def _watch(self) -> None:
        while self._bar and not self._ended.is_set():
            try:
                self._bar.update(self._task, completed=self._progress.count())
            except OSError:  # the work itself tells of a folder that went away
                return
            self._ended.wait(_PAUSE)
