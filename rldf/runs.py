r"""The run folder: one search, everything that decided it, and all that came of it.

    runs/dog-20250131-142501/
        run.json         status, configuration, versions, seed, command, times, result
        input.png        the image to find again
        steps.jsonl      one line a step, in the order in which they were taken
        agent-40.npz     the agent after 40 steps (Q-table, generator state), by the search
        checkpoint.json  where the search stands, by the search; it names the agent's file
        images/          every distinct cell that was drawn, such as 1-4-0-2.png, or
                         1-4-0-2-seed7.png where the seed is not the run's image seed
        best.png         the image with the highest reward       \
        trajectory.png   the distinct states as a filmstrip       | by rldf.report, at any time,
        curves.png       reward and distance to the goal          | from the rest of the folder
        report.html      all of this on one page, offline        /
        .lock            held by the process that searches

Every file but `steps.jsonl` appears whole or not at all; of `steps.jsonl` a torn last line is
dropped. Only the process that holds the lock writes here.
"""

import contextlib
import os
import re
import shlex
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from PIL import Image

from rldf.encoding import Encoding
from rldf.errors import RunError
from rldf.files import (
    TEMPORARY,
    append_jsonl,
    is_locked,
    locked,
    replacing,
    sweep,
    truncate_jsonl,
    write_json,
)
from rldf.provenance import git_commit, versions
from rldf.run_records import (
    Resumption,
    RunRecord,
    Status,
    Step,
    as_json,
    config_difference,
    read_record,
    read_steps,
)

__all__ = [
    "RunFolder",
    "RunRecord",
    "RunSummary",
    "Status",
    "Step",
    "best_step",
    "default_out",
    "list_runs",
    "load_run",
    "new_out",
    "resume_command",
]

_RUN, _LOCK, _STEPS = "run.json", ".lock", "steps.jsonl"


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


class RunFolder:
    """A run folder. A `with` block, or `close`, gives its lock back.

    Attributes:
        path: the folder.
        record: what its `run.json` says.
    """

    def __init__(self, path: Path, record: RunRecord) -> None:
        """Wrap a folder without a look at it: `create`, `resume` and `load_run` look.

        Args:
            path: the folder.
            record: what its `run.json` says.
        """
        self.path = path
        self.record = record
        self._lock = contextlib.ExitStack()

    @classmethod
    def create(
        cls, path: Path, config: Mapping[str, object], command: Sequence[str], seed: int
    ) -> Self:
        """Begin a run in a new or empty folder, and hold its lock.

        Args:
            path: the folder; it and its parents are made.
            config: everything that decides the run, as JSON can say it.
            command: the command line, one word an item.
            seed: the seed of the agent and its start.

        Returns:
            The folder, with status "running".

        Raises:
            RunError: something is there already, or the folder cannot be written.
        """
        record = RunRecord(
            status="running",
            config=as_json(config),
            seed=seed,
            command=tuple(command),
            versions=versions(),
            git=git_commit(),
            started=_now(),
        )
        run = cls(path, record)
        with run._opening():
            _refuse_what_is_there(path, record.config)
            path.mkdir(parents=True, exist_ok=True)
            run._lock.enter_context(locked(path / _LOCK))
            _refuse_what_is_there(path, record.config)  # it may have come before the lock did
            run._write(record)
        return run

    @classmethod
    def resume(cls, path: Path, config: Mapping[str, object]) -> Self:
        """Take up a run of the same configuration, and hold its lock.

        Args:
            path: the folder.
            config: everything that decides the run, as JSON can say it.

        Returns:
            The folder, with status "running" again.

        Raises:
            RunError: there is no run, it is of another configuration, or another process has it.
        """
        run = cls(path, load_run(path).record)
        with run._opening():
            run._lock.enter_context(locked(path / _LOCK))
            record = load_run(path).record  # it may have changed before the lock came
            _refuse_other_config(path, record.config, as_json(config))
            sweep(path)
            sweep(path / "images")
            again = Resumption(at=_now(), versions=versions(), git=git_commit())
            resumed = (*record.resumed, again)
            run._write(
                replace(record, status="running", finished=None, result=None, resumed=resumed)
            )
        return run

    def __enter__(self) -> Self:
        """Enter a block that ends with the lock given back.

        Returns:
            This folder.
        """
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the lock back; the status stays what it is.

        Args:
            kind: unused.
            error: unused.
            trace: unused.
        """
        self.close()

    def close(self) -> None:
        """Give the lock back, if this process holds it."""
        self._lock.close()

    @property
    def status(self) -> Status:
        """The status: a run that no process holds was interrupted, whatever its file says."""
        if self.record.status == "running" and not is_locked(self.path / _LOCK):
            return "interrupted"
        return self.record.status

    @property
    def input_path(self) -> Path:
        """The place of the image to find again."""
        return self.path / "input.png"

    def image_path(self, encoding: Encoding, seed: int | None = None) -> Path:
        """Name the place of a cell's image.

        Args:
            encoding: (n_axes,) the cell.
            seed: what it was drawn with; None for the run's image seed.

        Returns:
            The path, whether an image is there or not.
        """
        usual = seed is None or seed == self.record.config.get("image_seed", 0)
        name = "-".join(map(str, encoding)) + ("" if usual else f"-seed{seed}")
        return self.path / "images" / f"{name}.png"

    def save_input(self, image: Image.Image) -> None:
        """Keep the image to find again.

        Args:
            image: the input, RGB.
        """
        _save(self.input_path, image)

    def save_image(self, encoding: Encoding, image: Image.Image, seed: int | None = None) -> Path:
        """Keep the image of a cell, in place of one that is there.

        Args:
            encoding: (n_axes,) the cell.
            image: what was drawn, RGB.
            seed: what it was drawn with; None for the run's image seed.

        Returns:
            The image's path.
        """
        path = self.image_path(encoding, seed)
        path.parent.mkdir(exist_ok=True)
        _save(path, image)
        return path

    def append(self, step: Step) -> None:
        """Add a step.

        Args:
            step: the step.

        Raises:
            ValueError: its reward is not finite.
        """
        append_jsonl(self.path / _STEPS, asdict(step))

    def steps(self) -> list[Step]:
        """Read the steps.

        Returns:
            The steps, in the order in which they were taken.

        Raises:
            RunError: a line is damaged.
        """
        return read_steps(self.path / _STEPS)

    def truncate(self, n_steps: int) -> None:
        """Keep the first steps and drop the rest, a torn last line included.

        Args:
            n_steps: how many to keep, 0 or more.

        Raises:
            RunError: there are fewer steps than that.
        """
        truncate_jsonl(self.path / _STEPS, n_steps)

    def finish(self, status: Status, result: Mapping[str, object] | None) -> None:
        """Write down how the run ended; the lock stays until `close`.

        Args:
            status: "done", or "interrupted" where it can be resumed.
            result: what came of it, as JSON can say it.
        """
        found = None if result is None else as_json(result)
        self._write(replace(self.record, status=status, finished=_now(), result=found))

    def _write(self, record: RunRecord) -> None:
        write_json(self.path / _RUN, asdict(record))
        self.record = record

    @contextlib.contextmanager
    def _opening(self) -> Iterator[None]:
        """Give the lock back where the block fails, and tell what the system refused."""
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
    """Open a run folder to read it; no lock is taken.

    Args:
        path: the folder.

    Returns:
        The run.

    Raises:
        RunError: there is no run, or its `run.json` is damaged.
    """
    if not os.path.exists(path / _RUN):
        raise RunError(
            f"{path} holds no run: type the folder of one, or 'rldf run list' to see them"
        )
    return RunFolder(path, read_record(path / _RUN))


def list_runs(root: Path) -> list[RunSummary]:
    """List the runs in a folder.

    Args:
        root: the folder that holds the run folders; it may be missing.

    Returns:
        One summary for each folder with a `run.json`, the run that was started last first.
    """
    if not root.is_dir():
        return []
    found = [_summary(path) for path in sorted(root.iterdir()) if os.path.exists(path / _RUN)]
    return sorted(found, key=lambda summary: summary.started, reverse=True)


def default_out(root: Path, image_name: str, now: datetime) -> Path:
    """Name a new run folder after its image and the time.

    Args:
        root: the folder that holds the run folders.
        image_name: the name or path of the input image, which may be a stranger's.
        now: the time that stands in the name.

    Returns:
        `root/<stem>-<YYYYmmdd-HHMMSS>`, the stem cut to 40 letters, digits, `_` and `-`; with
        `-2`, `-3`, ... where that is there already. Nothing is made.
    """
    letters = unicodedata.normalize("NFKC", Path(image_name).stem)
    stem = re.sub(r"[^\w]+", "-", letters)[:40].strip("-") or "image"
    name = f"{stem}-{now:%Y%m%d-%H%M%S}"
    path, n = root / name, 1
    while os.path.lexists(path):
        n += 1
        path = root / f"{name}-{n}"
    return path


def new_out(root: Path, image_name: str, now: datetime) -> Path:
    """Make a new, empty run folder that no other process takes.

    Args:
        root: the folder that holds the run folders; made if it is not there.
        image_name: the name or path of the input image.
        now: the time that stands in the name.

    Returns:
        The folder, named by `default_out`.

    Raises:
        RunError: it cannot be made.
    """
    while True:
        path = default_out(root, image_name, now)
        try:
            root.mkdir(parents=True, exist_ok=True)
            path.mkdir()
        except FileExistsError:
            if os.path.lexists(path):
                continue  # another search took the name meanwhile
            raise RunError(f"{root} is no folder: name another with --out") from None
        except OSError as error:
            raise RunError(
                f"cannot write to {path}: {error.strerror}; name another with --out"
            ) from None
        return path


def resume_command(command: Sequence[str], path: Path) -> str:
    """Write the command line that goes on with a run.

    Args:
        command: the command line that made or resumed it, one word an item.
        path: the run folder.

    Returns:
        One line to type.
    """
    words = [word for word in command if word != "--resume"]
    if not any(word == "--out" or word.startswith("--out=") for word in words):
        words += ["--out", str(path)]
    return shlex.join([*words, "--resume"])


def best_step(steps: Iterable[Step], goal: Encoding | None) -> Step:
    """Find the step that earned most.

    Args:
        steps: the steps of a run, at least 1.
        goal: the goal cell, or None where the distances alone have to tell.

    Returns:
        The one with the highest reward; of equals the goal, then the earliest.
    """
    return min(steps, key=lambda step: step.rank(goal))


def _refuse_other_config(
    path: Path, there: Mapping[str, object], here: Mapping[str, object]
) -> None:
    if difference := config_difference(there, here):
        raise RunError(
            f"{path} is a run of another configuration ({'; '.join(difference)}): "
            "type its options, or name another --out"
        )


def refuse_foreign(path: Path) -> None:
    """Refuse a place for a run that holds something else; nothing in it is touched.

    Args:
        path: the folder that a run is to have.

    Raises:
        RunError: it is a file, or a folder that holds something and no run.
    """
    if path.exists() and not path.is_dir():
        raise RunError(f"{path} is a file: name a folder with --out")
    names = _contents(path)
    if names and _RUN not in names:
        shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        raise RunError(f"{path} is not empty and not a run ({shown}): name another --out")


def _refuse_what_is_there(path: Path, config: Mapping[str, object]) -> None:
    """Refuse a path that is not new and not an empty folder."""
    refuse_foreign(path)
    if _RUN in _contents(path):
        run = load_run(path)
        _refuse_other_config(path, run.record.config, config)
        raise RunError(
            f"{path} holds this run already ({run.status}): "
            "type --resume to go on with it, or name another --out"
        )


def _contents(path: Path) -> list[str]:
    if not path.exists():
        return []
    return sorted(p.name for p in path.iterdir() if p.name != _LOCK and not p.match(TEMPORARY))


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


def _save(path: Path, image: Image.Image) -> None:
    with replacing(path) as file:
        image.save(file, format="PNG")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
