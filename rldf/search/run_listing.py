"""The runs of a folder, one line each."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from rldf.errors import RunError
from rldf.search.records import RunRecord, Status
from rldf.search.run_folder import load_run
from rldf.search.run_naming import RUN


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One line of a list of runs.

    Attributes:
        path: the folder.
        status: "running", "interrupted", "done", or "damaged".
        started: when, ISO 8601 in UTC; of a damaged run, when its folder was last changed.
        record: what its `run.json` says, or None where it is damaged.
        problem: what is wrong with a damaged one, else empty.
    """

    path: Path
    status: Status | Literal["damaged"]
    started: str
    record: RunRecord | None
    problem: str = ""


def list_runs(root: Path) -> list[RunSummary]:
    """List the runs in a folder.

    Args:
        root: the folder that holds the run folders; it may be missing.

    Returns:
        One summary for each folder with a `run.json`, the run that was started last first.
    """
    if not root.is_dir():
        return []
    found = [_summary(path) for path in sorted(root.iterdir()) if os.path.exists(path / RUN)]
    return sorted(found, key=lambda summary: summary.started, reverse=True)


def _summary(path: Path) -> RunSummary:
    try:
        run = load_run(path)
    except RunError as error:
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(
            timespec="milliseconds"
        )
        return RunSummary(
            path=path, status="damaged", started=changed, record=None, problem=str(error)
        )
    return RunSummary(path=path, status=run.status, started=run.record.started, record=run.record)
