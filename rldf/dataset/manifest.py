"""Manifests with a row for each image, the progress log of a shard, and counts of the rows.

A manifest may come from an untrusted source: every value is checked when it is read, and a file
name cannot lead out of the clone's folder.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from rldf.dataset.plan import PlannedImage, retry_seed
from rldf.errors import RunError
from rldf.io.files import append_jsonl, read_lines, truncate_jsonl, write_text
from rldf.seeding import SEED_BITS

_Count = Annotated[int, Field(ge=0, lt=2**63)]
_Seed = Annotated[int, Field(ge=0, lt=2**SEED_BITS)]
_Sum = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
_Name = Annotated[
    str, Field(pattern=r"^(train|val|test)/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+\.(jpg|png)$")
]
_Split = Annotated[str, Field(pattern=r"^(train|val|test)$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of one attempt to generate a planned image.

    Attributes:
        index: the image's number in the plan.
        attempt: number of the attempt, from 0; its seed is `retry_seed(planned seed, attempt)`.
        reason: why the image was rejected: "black", "constant", "flagged" or "unseen"; "" if it
            was accepted.
        sha256: SHA-256 of the written file; None if no file was written.
        bytes: size of the written file; 0 if no file was written.
    """

    index: _Count
    attempt: _Count
    reason: str
    sha256: _Sum | None
    bytes: _Count


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRow:
    """One planned image and its file.

    Attributes:
        index: the image's number in the plan.
        name: path of its file, such as "train/n02391049/n02391049_00000012.jpg".
        key: key of its class.
        label: number of its class.
        split: "train", "val" or "test".
        sentence: the generator's prompt.
        encoding: the sentence's value on each axis of the grammar, as indices.
        seed: image seed of the last attempt.
        attempt: number of the last attempt, from 0.
        rejected: the reasons of rejected attempts, in their order. The last attempt was accepted
            if len(rejected) == attempt. If len(rejected) == attempt + 1 it was rejected, too: the
            image was kept although its class is not seen ("unseen"), or there is no file.
        sha256: SHA-256 of the file; None if there is no file.
        bytes: size of the file; 0 if there is no file.
    """

    index: _Count
    name: _Name
    key: _Key
    label: _Count
    split: _Split
    sentence: str
    encoding: tuple[_Count, ...]
    seed: _Seed
    attempt: _Count
    rejected: tuple[str, ...]
    sha256: _Sum | None
    bytes: _Count

    @property
    def stem(self) -> str:
        """The file's name without folders and extension, which names the image in an archive."""
        return self.name.rpartition("/")[2].rpartition(".")[0]


def row_of(planned: PlannedImage, outcomes: Sequence[Outcome]) -> ImageRow:
    """Return the row of a planned image from the outcomes of its attempts."""
    last = outcomes[-1]
    return ImageRow(
        index=planned.index,
        name=planned.name,
        key=planned.key,
        label=planned.label,
        split=planned.split,
        sentence=planned.sentence,
        encoding=tuple(planned.encoding),
        seed=retry_seed(planned.seed, last.attempt),
        attempt=last.attempt,
        rejected=tuple(outcome.reason for outcome in outcomes if outcome.reason),
        sha256=last.sha256,
        bytes=last.bytes,
    )


def write_rows(path: Path, rows: Iterable[ImageRow]) -> None:
    """Write a manifest, one JSON line for each row."""
    lines = [json.dumps(asdict(row), separators=(",", ":")) + "\n" for row in rows]
    write_text(path, "".join(lines))


_ROWS = TypeAdapter(list[ImageRow])


def read_rows(path: Path, indices: range) -> list[ImageRow]:
    """Read the manifest of a shard; RunError if it is damaged or its images are not `indices`."""
    advice = "type 'rldf clone verify FOLDER --repair'"
    try:
        rows = _ROWS.validate_json(b"[" + b",".join(read_lines(path)) + b"]")
    except ValidationError as error:
        said = error.errors(include_url=False, include_input=False)[0]["msg"]
        raise RunError(f"{path} is damaged ({said}): {advice}") from None
    if [row.index for row in rows] != list(indices):
        raise RunError(
            f"{path} does not list images {indices.start} to {indices.stop - 1}: {advice}"
        )
    return rows


_LINE = TypeAdapter(dict[str, list[Outcome]])


class ProgressLog:
    """The outcomes of a shard's attempts, and the file with a line for each finished batch."""

    def __init__(self, path: Path | None) -> None:
        """Read the file if there is one; delete its lines from the first damaged one on."""
        self._path = path
        self.outcomes: dict[int, list[Outcome]] = {}
        if path is not None and path.exists():
            told = _read_batches(path)
            truncate_jsonl(path, len(told))
            for batch in told:
                self.take(batch)

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Add the outcomes of a batch, in memory and in the file; its images must be written."""
        if self._path is not None:
            append_jsonl(self._path, {"batch": [asdict(outcome) for outcome in outcomes]})
        self.take(outcomes)

    def take(self, outcomes: Sequence[Outcome]) -> None:
        """Add outcomes in memory only."""
        for outcome in outcomes:
            self.outcomes.setdefault(outcome.index, []).append(outcome)


def count_kept(path: Path) -> int:
    """Return the number of images that are written according to a progress log."""
    found = [outcome for batch in _read_batches(path) for outcome in batch]
    return len({outcome.index for outcome in found if outcome.sha256})


def _read_batches(path: Path) -> list[list[Outcome]]:
    told: list[list[Outcome]] = []
    for line in read_lines(path):
        try:
            told.append(_LINE.validate_json(line)["batch"])
        except (ValidationError, KeyError):
            break
    return told


@dataclass(slots=True)
class Counts:
    """Counts over the rows of manifests.

    Attributes:
        images: number of image files.
        bytes: size of all image files.
        splits: number of image files by split.
        redrawn: number of attempts after the first.
        rejected: number of rejected attempts by reason.
        left_out: number of planned images without a file, because all attempts were rejected.
        unseen: number of images kept after the last attempt although their class is not seen.
        classes: counts by key of the class: "images", "good" (accepted images), "attempts",
            "left_out", and rejected attempts by reason.
        parts: number of image files by split and key of the class; 0 if all were left out.
    """

    images: int = 0
    bytes: int = 0
    splits: Counter[str] = field(default_factory=Counter)
    redrawn: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    unseen: int = 0
    classes: dict[str, Counter[str]] = field(default_factory=dict)
    parts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, row: ImageRow) -> None:
        """Count the image of a row."""
        there = row.sha256 is not None
        good = there and len(row.rejected) == row.attempt
        self.images += there
        self.bytes += row.bytes
        self.splits[row.split] += there
        self.parts[row.split, row.key] += there
        self.redrawn += row.attempt
        self.rejected.update(row.rejected)
        self.left_out += not there
        self.unseen += there and not good
        own = self.classes.setdefault(row.key, Counter())
        own.update(images=int(there), good=int(good), left_out=int(not there))
        own.update(attempts=row.attempt + 1)
        own.update(row.rejected)

    @property
    def empty(self) -> dict[str, list[str]]:
        """The keys of the classes without images, by split."""
        found: dict[str, list[str]] = {}
        for (split, key), n in sorted(self.parts.items()):
            if not n:
                found.setdefault(split, []).append(key)
        return found

    def document(self) -> dict[str, Any]:
        """Return the counts as JSON values; of the classes only those with rejected attempts."""
        return {
            "images": self.images,
            "bytes": self.bytes,
            "splits": dict(self.splits),
            "redrawn": self.redrawn,
            "flagged": self.rejected["flagged"],
            "rejected": dict(sorted(self.rejected.items())),
            "left_out": self.left_out,
            "unseen": self.unseen,
            "empty_classes": self.empty,
            "troubled_classes": {
                key: dict(sorted(own.items())) | {"yield": round(self.yield_of(key), 4)}
                for key, own in sorted(self.classes.items())
                if own["attempts"] > own["good"]
            },
        }

    def yield_of(self, key: str) -> float:
        """Return good / attempts of a class, 0 to 1: accepted images by attempts."""
        own = self.classes[key]
        return own["good"] / own["attempts"]


def count_images(parts: Iterable[Sequence[ImageRow]]) -> Counts:
    """Count the images of manifests."""
    found = Counts()
    for rows in parts:
        for row in rows:
            found.add(row)
    return found
