"""The live views of a search and of a clone, on stderr; silent where stderr is no terminal."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from rldf.cli import output

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress, TaskID
    from rich.table import Table

    from rldf.runs.config import Search
    from rldf.runs.records import Step


class LiveSearch:
    """Shows where a search stands while it runs."""

    def __init__(self, task: "Search", steps: Sequence["Step"], *, quiet: bool) -> None:
        """Make the view."""
        from rich.live import Live

        from rldf.runs.records import best_step

        console = output.console()
        self._task = task
        self._best = best_step(steps, task.environment.goal) if steps else None
        self._first_renders: int | None = None
        self._begun = time.monotonic()
        shown = console.is_terminal and not quiet
        self._live = Live(console=console, refresh_per_second=8, transient=True) if shown else None

    def __enter__(self) -> Self:
        """Start to show."""
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the view away."""
        if self._live:
            self._live.stop()

    def show(self, step: "Step") -> None:
        """Show a step."""
        from rldf.runs.records import best_step

        met = (self._best, step) if self._best else (step,)
        self._best = best_step(met, self._task.environment.goal)
        if self._first_renders is None:
            self._first_renders = step.renders - step.new
        if self._live:
            self._live.update(self._view(step, self._best))

    def _view(self, step: "Step", best: "Step") -> "Table":
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        settings = self._task.settings
        seconds = time.monotonic() - self._begun
        speed = (step.renders - (self._first_renders or 0)) / max(seconds, 1e-6)
        view = Table.grid(padding=(0, 2))
        pace = f"{speed:.1f} images/s"
        if speed:
            pace += f"   at most {(settings.renders - step.renders) / speed:.0f} s left"
        rows: list[tuple[str, RenderableType]] = [
            ("renders", ProgressBar(settings.renders, step.renders, width=36)),
            ("", f"{step.renders} of {settings.renders}   {pace}"),
            ("episode", f"{step.episode} of {settings.episodes}   step {step.step}"),
            ("reward", f"{step.reward:.3f}   best {best.reward:.3f}"),
            ("distance", "no goal known" if step.distance is None else str(step.distance)),
            ("now", Text(step.sentence)),
            ("best", Text(best.sentence, style="bold green")),
        ]
        for name, value in rows:
            view.add_row(Text(name, style="dim"), value)
        return view


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
