"""What is known of every image of a clone: one line of a manifest, one row of the metadata.

A manifest may be a stranger's: what it says is checked as it is read, and its names cannot leave
the clone's folder.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from rldf.dataset.plan import PlannedImage, retry_seed
from rldf.errors import RunError
from rldf.io.files import read_lines, write_text
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
    """What came of drawing an image once.

    Attributes:
        index: the image's place in the plan.
        attempt: 0 for the first time; the seed of each is that of `plan.retry_seed`.
        reason: why it was turned down: "black", "constant", "flagged" or "unseen"; "" if it was
            not.
        sha256: of the file that was written, None where none was.
        bytes: size of that file, 0 where none was written.
    """

    index: _Count
    attempt: _Count
    reason: str
    sha256: _Sum | None
    bytes: _Count


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRow:
    """One planned image and what came of it.

    Attributes:
        index: its place in the plan.
        name: its file, such as "train/n02391049/n02391049_00000012.jpg".
        key: its class's key.
        label: its class's number.
        split: "train", "val" or "test".
        sentence: the prompt.
        encoding: the point of the grammar's grid.
        seed: the image seed of the last attempt.
        attempt: number of the last attempt, 0 for the first.
        rejected: why attempts were turned down, in order; one more than `attempt` where the last
            one was, too: then the image was kept though its class is not seen in it, or there is
            no image.
        sha256: of the file; None where no attempt gave an image that may be kept.
        bytes: size of the file; 0 where there is none.
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
        """The file's name without folders and ending: what an archive calls the image."""
        return self.name.rpartition("/")[2].rpartition(".")[0]


def row_of(planned: PlannedImage, outcomes: Sequence[Outcome]) -> ImageRow:
    """Join a planned image and what came of it.

    Args:
        planned: the image of the plan.
        outcomes: of every attempt, in order; at least 1.

    Returns:
        The row.
    """
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
    """Write a manifest, whole.

    Args:
        path: the file.
        rows: in order.
    """
    lines = [json.dumps(asdict(row), separators=(",", ":")) + "\n" for row in rows]
    write_text(path, "".join(lines))


_ROWS = TypeAdapter(list[ImageRow])


def read_rows(path: Path, indices: range) -> list[ImageRow]:
    """Read a manifest.

    Args:
        path: the file.
        indices: which images it must speak of, in order.

    Returns:
        The rows.

    Raises:
        RunError: it cannot be read, or is damaged.
    """
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
