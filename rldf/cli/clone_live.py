"""Runs the commands that draw clones: progress on the terminal, a clean exit, the result."""

import contextlib
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from rldf.cli import output
from rldf.cli.clone_words import estimate_lines, result_document, result_lines
from rldf.cli.model_choice import tell
from rldf.dataset.api import CloneJob
from rldf.dataset.sharding import this_worker
from rldf.models.auto import Choice

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneCommand:
    """The parts of a command line that decide what is shown and printed."""

    choice: Choice
    dry_run: bool
    as_json: bool
    quiet: bool

    def run(self, prepare: Callable[..., CloneJob]) -> None:
        """Plan a clone, then estimate or draw it, and print the result."""
        worker = this_worker()
        with CloneView(quiet=self.quiet or not worker.is_main) as view:
            job = prepare(worker=worker, progress=view)
            if self.dry_run:
                view("drawing a few images", 0, 0)
                document = job.estimate()
                lines = estimate_lines(document)
            else:
                with exit_cleanly(job.out, quiet=not worker.is_main):
                    result = job.draw(self._naming_models(view, worker.is_main))
                document = result_document(result)
                lines = result_lines(document, result.folder)
        if worker.is_main:
            if self.dry_run:
                tell(self.choice)
            output.result(document, lines, as_json=self.as_json)

    def _naming_models(self, view: "CloneView", is_main: bool) -> Callable[[str, int, int], None]:
        """Name the chosen models once before the first image, when all checks have passed."""
        named = not is_main

        def progress(stage: str, done: int, total: int) -> None:
            nonlocal named
            if stage == "images" and not named:
                named = True
                view.close()
                tell(self.choice)
            view(stage, done, total)

        return progress


class CloneView:
    """Shows the stages of a clone on a terminal: one line, with a bar if a total is known."""

    def __init__(self, *, quiet: bool) -> None:
        """Show nothing yet; quiet shows nothing at all."""
        self._shown = output.console().is_terminal and not quiet
        self._stage = ""
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> "CloneView":
        """Return the view."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what is shown."""
        self.close()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show how far a stage is."""
        if not self._shown:
            return
        if stage != self._stage:
            self.close()
            self._open(stage, total)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done)

    def close(self) -> None:
        """Remove what is shown."""
        if self._bar is not None:
            self._bar.stop()
        self._stage, self._bar = "", None

    def _open(self, stage: str, total: int) -> None:
        from rich import progress

        columns: list[progress.ProgressColumn] = [
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
        ]
        if total:
            columns += [progress.MofNCompleteColumn(), progress.TimeRemainingColumn()]
        self._stage = stage
        self._bar = progress.Progress(*columns, console=output.console(), transient=True)
        label = "drawing" if stage == "images" else stage
        self._task = self._bar.add_task(label, total=total or None)
        self._bar.start()


@contextlib.contextmanager
def exit_cleanly(root: Path, *, quiet: bool = False) -> Iterator[None]:
    """On Ctrl-C and SIGTERM, keep what is finished and print the command that continues.

    A batch that is being drawn is lost; whatever has its final name is whole.
    """

    def terminate(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # launchers send it more than once
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        if not quiet:
            command = shlex.join(["rldf", *sys.argv[1:]])
            output.note(f"stopped; {root} keeps what is done; go on with: {command}")
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
