r"""The run folder: one search, everything that decided it, and all that came of it.

    runs/dog-20250131-142501/
        run.json         status, configuration, versions, seed, command, times, result
        input.png        the image to find again
        steps.jsonl      one line a step, in the order in which they were taken
        agent-40.npz     the agent after 40 steps (Q-table, generator state), by the search
        checkpoint.json  where the search stands, by the search; it names the agent's file
        values.json      values of a tabular agent over two axes, by the search
        images/          every distinct cell that was drawn, such as 1-4-0-2.png, or
                         1-4-0-2-seed7.png where the seed is not the run's image seed
        best.png         the image with the highest reward       \
        trajectory.png   the distinct states as a filmstrip       | by rldf.report, at any time,
        curves.png       reward and distance to the goal          | from the rest of the folder
        values.png       value map of a tabular agent             |
        report.html      all of this on one page, offline        /
        .lock            held by the process that searches

Every file but `steps.jsonl` appears whole or not at all; of `steps.jsonl` a torn last line is
dropped. Only the process that holds the lock writes here.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self

from PIL import Image

from rldf.errors import RunError
from rldf.grammar.encoding import Encoding
from rldf.io.files import append_jsonl, is_locked, locked, sweep, truncate_jsonl, write_json
from rldf.io.images import write_png
from rldf.io.provenance import git_commit, versions
from rldf.io.workdir import LOCK, as_json, config_difference, contents, refuse_links
from rldf.perception.reading import ReadingRecord
from rldf.runs.naming import RUN, refuse_foreign_run
from rldf.runs.records import (
    ResumeEvent,
    RunRecord,
    Status,
    Step,
    read_record,
    read_steps,
    upgraded,
)

_STEPS = "steps.jsonl"
_SHOWN = 200  # characters of a difference


class RunFolder(AbstractContextManager["RunFolder"]):
    """A run folder. A `with` block, or `close`, gives its lock back.

    Attributes:
        path: the folder.
        record: what its `run.json` says.
    """

    def __init__(self, path: Path, record: RunRecord) -> None:
        """Wrap a folder without checks: `create`, `resume` and `load_run` make them."""
        self.path = path
        self.record = record
        self._lock = contextlib.ExitStack()

    @classmethod
    def create(
        cls,
        path: Path,
        config: Mapping[str, object],
        command: Sequence[str],
        seed: int,
        *,
        model_choice: str | None = None,
        reading: ReadingRecord | None = None,
    ) -> Self:
        """Create a run in a new or empty folder, and hold its lock."""
        record = RunRecord(
            status="running",
            config=as_json(config),
            seed=seed,
            command=tuple(command),
            versions=versions(),
            git=git_commit(),
            started=_now(),
            model_choice=model_choice,
            reading=reading,
        )
        run = cls(path, record)
        with run._opening():
            _refuse_what_is_there(path, record.config)
            path.mkdir(parents=True, exist_ok=True)
            run._lock.enter_context(locked(path / LOCK))
            _refuse_what_is_there(path, record.config)  # it may have come before the lock did
            run._write(record)
        return run

    @classmethod
    def resume(cls, path: Path, config: Mapping[str, object]) -> Self:
        """Resume a run of the same configuration, and hold its lock."""
        run = cls(path, load_run(path).record)
        with run._opening():
            run._lock.enter_context(locked(path / LOCK))
            record = load_run(path).record  # it may have changed before the lock came
            _refuse_other_config(path, record.config, as_json(config))
            refuse_links(path)
            sweep(path)
            sweep(path / "images")
            again = ResumeEvent(at=_now(), versions=versions(), git=git_commit())
            resumed = (*record.resumed, again)
            run._write(
                replace(record, status="running", finished=None, result=None, resumed=resumed)
            )
        return run

    def __exit__(self, *_: object) -> None:
        """Release the lock at the end of a `with` block; the status stays what it is."""
        self.close()

    def close(self) -> None:
        """Release the lock, if this process holds it."""
        self._lock.close()

    @property
    def status(self) -> Status:
        """The status: a run that no process holds was interrupted, whatever its file says."""
        if self.record.status == "running" and not is_locked(self.path / LOCK):
            return "interrupted"
        return self.record.status

    @property
    def input_path(self) -> Path:
        """The place of the image to find again."""
        return self.path / "input.png"

    def image_path(self, encoding: Encoding, seed: int | None = None) -> Path:
        """Name the place of a cell's image."""
        usual = seed is None or seed == self.record.config.get("image_seed", 0)
        name = "-".join(map(str, encoding)) + ("" if usual else f"-seed{seed}")
        return self.path / "images" / f"{name}.png"

    def save_input(self, image: Image.Image) -> None:
        """Keep the image to find again."""
        write_png(self.input_path, image)

    def save_image(self, encoding: Encoding, image: Image.Image, seed: int | None = None) -> Path:
        """Keep the image of a cell, in place of one that is there."""
        path = self.image_path(encoding, seed)
        path.parent.mkdir(exist_ok=True)
        write_png(path, image)
        return path

    def append(self, step: Step) -> None:
        """Add a step."""
        append_jsonl(self.path / _STEPS, asdict(step))

    def steps(self) -> list[Step]:
        """Read the steps."""
        return read_steps(self.path / _STEPS)

    def truncate(self, n_steps: int) -> None:
        """Keep the first steps and drop the rest, a torn last line included."""
        truncate_jsonl(self.path / _STEPS, n_steps)

    def finish(self, status: Status, result: Mapping[str, object] | None) -> None:
        """Write down how the run ended; the lock stays until `close`."""
        found = None if result is None else as_json(result)
        self._write(replace(self.record, status=status, finished=_now(), result=found))

    def _write(self, record: RunRecord) -> None:
        write_json(self.path / RUN, asdict(record))
        self.record = record

    @contextlib.contextmanager
    def _opening(self) -> Iterator[None]:
        """Release the lock where the block fails, and name what the system refused."""
        try:
            yield
        except OSError as error:
            self.close()
            raise RunError(
                f"cannot write to {self.path}: {error.strerror}; name another with --out"
            ) from None
        except BaseException:
            self.close()
            raise


def load_run(path: Path) -> RunFolder:
    """Open a run folder to read it; no lock is taken."""
    if not os.path.exists(path / RUN):
        raise RunError(
            f"{path} holds no run: type the folder of one, or 'rldf run list' to see them"
        )
    return RunFolder(path, read_record(path / RUN))


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
    """List the runs in a folder."""
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


def _refuse_other_config(
    path: Path, there: Mapping[str, object], here: Mapping[str, object]
) -> None:
    if difference := config_difference(upgraded(there, here), here):
        shown = "; ".join(said[:_SHOWN] for said in difference)
        raise RunError(
            f"{path} is a run of another configuration ({shown}): "
            "type its options, or name another --out"
        )


def _refuse_what_is_there(path: Path, config: Mapping[str, object]) -> None:
    """Refuse a path that is not new and not an empty folder."""
    refuse_foreign_run(path)
    if RUN in contents(path):
        run = load_run(path)
        _refuse_other_config(path, run.record.config, config)
        raise RunError(
            f"{path} holds this run already ({run.status}): "
            "type --resume to go on with it, or name another --out"
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
