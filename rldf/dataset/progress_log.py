"""What was drawn of a shard so far: one line for each finished batch.

A line is added once all files of its batch are on the disk, so a process that takes over a shard
knows what is there, and draws the rest in the very batches that the first one would have drawn.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from rldf.dataset.manifest import Outcome
from rldf.io.files import append_jsonl, read_lines, truncate_jsonl

_LINE = TypeAdapter(dict[str, list[Outcome]])


class Journal:
    """The outcomes of a shard's images, kept in a file."""

    def __init__(self, path: Path | None) -> None:
        """Read what is there; what follows a torn or damaged line is dropped, and drawn again.

        Args:
            path: the file; one that is not there has no lines. None keeps outcomes in memory.
        """
        self._path = path
        self.outcomes: dict[int, list[Outcome]] = {}
        if path is not None and path.exists():
            told = _read(path)
            truncate_jsonl(path, len(told))
            for batch in told:
                self.take(batch)

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Add a batch whose files are on the disk.

        Args:
            outcomes: one for each of its images.
        """
        if self._path is not None:
            append_jsonl(self._path, {"batch": [asdict(outcome) for outcome in outcomes]})
        self.take(outcomes)

    def take(self, outcomes: Sequence[Outcome]) -> None:
        """Take what the file tells, or need not tell.

        Args:
            outcomes: in the order of their attempts.
        """
        for outcome in outcomes:
            self.outcomes.setdefault(outcome.index, []).append(outcome)


def count_kept(path: Path) -> int:
    """Count the images that a journal tells of, by a look at its file alone.

    Args:
        path: the file; one that is not there tells of none.

    Returns:
        How many files were written; one that was drawn anew counts once.
    """
    found = [outcome for batch in _read(path) for outcome in batch]
    return len({outcome.index for outcome in found if outcome.sha256})


def _read(path: Path) -> list[list[Outcome]]:
    told: list[list[Outcome]] = []
    for line in read_lines(path):
        try:
            told.append(_LINE.validate_json(line)["batch"])
        except (ValidationError, KeyError):
            break
    return told
