"""Searches that other work needs: silent, each in a run folder that says when it is done."""

from pathlib import Path
from typing import Any

from rldf.search.config import Search
from rldf.search.loop import search
from rldf.search.run_folder import RunFolder, load_run
from rldf.search.run_naming import RUN


def search_in(path: Path, task: Search) -> dict[str, Any]:
    """Search, or go on with a search that was begun, or read what a finished one found.

    Args:
        path: the run folder; the caller sees to it that a finished run in it is of this task.
        task: the search, not begun yet.

    Returns:
        The result, as `rldf.search.loop.search` gives it.

    Raises:
        RunError: the folder holds something else, or another process has it.
    """
    there = (path / RUN).exists()
    if there and (result := load_run(path).record.result) is not None:
        return result
    if there:
        run = RunFolder.resume(path, task.config)
    else:
        run = RunFolder.create(
            path,
            task.config,
            ["rldf", "search"],
            task.settings.seed,
            reading=task.reading.record,
        )
    with run:
        return search(task, run, lambda step: None)
