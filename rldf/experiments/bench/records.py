"""Keeps the outcomes of finished runs in a file, one line for each setting and image."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from rldf.errors import RunError
from rldf.experiments.bench.trial import Outcome
from rldf.io.files import append_jsonl, read_lines, truncate_jsonl

_LINE = TypeAdapter(dict[str, tuple[Outcome, ...]])


class Records:
    """The outcomes of finished runs, in a file, so that a resumed bench skips these runs."""

    def __init__(self, path: Path) -> None:
        """Read the outcomes in the file, and cut off an unfinished last line."""
        self._path = path
        self.outcomes: list[Outcome] = []
        lines = read_lines(path)
        for number, line in enumerate(lines, start=1):
            try:
                self.outcomes += _LINE.validate_json(line)["runs"]
            except (ValidationError, KeyError):
                raise RunError(
                    f"{path} is damaged in line {number}: start again with another --out"
                ) from None
        truncate_jsonl(path, len(lines))

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Append the outcomes of one setting and image to the file."""
        append_jsonl(self._path, {"runs": [asdict(outcome) for outcome in outcomes]})
        self.outcomes += outcomes
