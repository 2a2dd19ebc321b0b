"""Varies one axis of a sentence and measures whether the image follows (paper Fig. 13)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rldf.errors import UsageError
from rldf.experiments.applications.common import (
    IMAGES,
    ImageRequest,
    check_count,
    generate_images,
    image_seed,
)
from rldf.grammar.axes import Axis
from rldf.grammar.axis_kinds import ReadBack
from rldf.grammar.encoding import Encoding
from rldf.grammar.ordering import spearman
from rldf.interfaces import VisionModels
from rldf.io.images import write_png
from rldf.io.workdir import ResultFolder
from rldf.models.model_set import ModelSet
from rldf.perception.encoder import Encoder
from rldf.report.images import Tile, image_grid
from rldf.runs.result import RunResult
from rldf.stats import wilson

GRID = "grid.png"

_TIE = 1e-7  # two cosines this near are one


def reader_of(axis: Axis) -> str:
    """Name the model that reads an axis."""
    reader = axis.kind.reader
    return reader if reader == "CLIP" else f"the {reader}"


def read_back(
    encoder: Encoder,
    readers: VisionModels,
    number: int,
    images: Sequence[Image.Image],
    drawn: Sequence[Encoding],
) -> list[ReadBack]:
    """Read one axis of each image, given the encoding it was generated from."""
    axis = encoder.grammar.axes[number]
    if axis.kind.reader == "CLIP":
        return _by_clip(encoder, readers, number, images, drawn)
    return [
        axis.kind.read_back(axis, contents, _nouns(encoder, cell))
        for contents, cell in zip(encoder.detect(images), drawn, strict=True)
    ]


def _by_clip(
    encoder: Encoder,
    readers: VisionModels,
    number: int,
    images: Sequence[Image.Image],
    drawn: Sequence[Encoding],
) -> list[ReadBack]:
    axis, found = encoder.grammar.axes[number], []
    for vector, cell in zip(readers.clip.embed_images(images), drawn, strict=True):
        options = axis.kind.question(number, cell, len(axis.values))
        texts = readers.clip.embed_texts([encoder.grammar.derive(option) for option in options])
        likeness = texts @ vector
        best = int(likeness.argmax())
        tied = (likeness >= likeness[best] - _TIE).sum() > 1  # of equals it would be the first
        found.append(ReadBack(None if tied else best))
    return found


def _nouns(encoder: Encoder, cell: Encoding) -> dict[int, str]:
    """Name the noun of each object axis of a state, by rank."""
    pairs = zip(encoder.grammar.axes, cell, strict=True)
    return {axis.rank: axis.values[i].name for axis, i in pairs if axis.kind.has_objects}


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A request: one row of images for each value of an axis."""

    found: RunResult  # the sentence, in the words of a grammar that has the axis
    models: ModelSet  # what draws and reads
    axis: str  # symbol of the axis that varies
    values: tuple[str, ...] | None = None  # names of its values, one row each; None for all
    n: int = 4  # images of a value
    seed: int = 0  # of the images; column k has the same image seed in every row

    def __post_init__(self) -> None:
        """Check the request."""
        check_count(self.n)
        if why := self.found.grammar.unspoken(self.number, self.found.encoding):
            raise UsageError(
                f"--axis {self.axis}: no sentence speaks of it where {why}: name another axis"
            )
        rows = self.rows
        if len(set(rows)) < len(rows):
            raise UsageError(f"--values {','.join(self.values or ())}: name each value once")

    @property
    def number(self) -> int:
        """Place of the axis in an encoding."""
        return self.found.axis_number(self.axis)

    @property
    def words(self) -> Axis:
        """The axis."""
        return self.found.grammar.axes[self.number]

    @property
    def rows(self) -> list[int]:
        """Numbers of the values on the axis, one for each row."""
        axis = self.words
        named = [value.name for value in axis.values] if self.values is None else self.values
        return [axis.index(name) for name in named]

    def config(self) -> dict[str, Any]:
        """Return all that decides the images and their readings, as JSON."""
        return {
            "command": "control",
            **self.found.document(),
            "drawn_with": self.models.identity(),
            "axis": self.axis,
            "values": [self.words.values[row].name for row in self.rows],
            "n": self.n,
            "seed": self.seed,
        }


def planned(control: Control) -> list[ImageRequest]:
    """List the images to generate, row by row."""
    found, place = control.found, control.number
    requests = []
    for row in control.rows:
        encoding = (*found.encoding[:place], row, *found.encoding[place + 1 :])
        sentence = found.grammar.derive(encoding)
        for k in range(control.n):
            file = f"{IMAGES}/{row:03d}-{k:04d}.png"
            requests.append(ImageRequest(file, encoding, sentence, image_seed(control.seed, k)))
    return requests


@dataclass(frozen=True, slots=True)
class Rate:
    """How often the value asked for was read."""

    hits: int
    of: int  # number of images, at least 1

    @property
    def share(self) -> float:
        """Hits by images, 0 to 1."""
        return round(self.hits / self.of, 4)

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share."""
        low, high = wilson(self.hits, self.of)
        return round(low, 4), round(high, 4)

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        low, high = self.interval
        return {
            "hits": self.hits, "of": self.of, "rate": self.share, "ci_low": low, "ci_high": high,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ValueFigures:
    """How the images of one value were read."""

    value: str
    rate: Rate
    mean_number: float | None = None  # of the things seen; None on axes without counts

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        number = {} if self.mean_number is None else {"mean_number": self.mean_number}
        return {"value": self.value, **self.rate.document(), **number}


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlFigures:
    """How the images of all values were read."""

    axis: Axis
    rate: Rate
    rows: tuple[ValueFigures, ...]  # one for each value asked for
    # Spearman's rank correlation of the value asked for and the number read; None on axes without
    # counts, and where one of them never changes
    spearman: float | None = None

    @property
    def read_by(self) -> str:
        """The model that read the axis."""
        return reader_of(self.axis)

    @property
    def counts(self) -> bool:
        """Whether the axis is of counts."""
        return self.axis.kind.is_count

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "read_by": self.read_by,
            **self.rate.document(),
            "rows": [row.document() for row in self.rows],
            **({"spearman": self.spearman} if self.counts else {}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlResult:
    """The images of a request, written to its folder, and how they were read."""

    asked: Control
    out: Path  # the folder
    images: tuple[ImageRequest, ...]  # what was drawn, row by row
    reads: tuple[ReadBack, ...]  # what was read in each
    figures: ControlFigures

    @property
    def grid(self) -> Path:
        """The image of all rows."""
        return self.out / GRID

    def found(self) -> dict[str, Any]:
        """Return the result in the manifest."""
        return {
            "run": str(self.asked.found.run),
            "warnings": list(self.asked.found.notes),
            **self.figures.document(),
            "images": _documents(self.asked, self.images, self.reads),
        }

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        places = {"out": str(self.out), "grid": str(self.grid)}
        return {**places, **self.asked.config(), **self.found()}


def control(
    asked: Control, out: Path, progress: Callable[[int], None] = lambda n: None
) -> ControlResult:
    """Draw the rows, read them back, and write a grid and a manifest; done again, it goes on."""
    folder, requests = ResultFolder(out, asked.config()), planned(asked)
    encoder = Encoder(asked.found.grammar, asked.models)
    with folder.filling():
        images = generate_images(asked.models, requests, out, progress)
        cells = [request.encoding for request in requests]
        reads = read_back(encoder, asked.models, asked.number, images, cells)
        result = ControlResult(
            asked=asked,
            out=out,
            images=tuple(requests),
            reads=tuple(reads),
            figures=measured(asked, reads),
        )
        write_png(result.grid, _grid(asked, images, reads, result.figures.rows))
        folder.finish(result.found())
    return result


def measured(asked: Control, reads: Sequence[ReadBack]) -> ControlFigures:
    """Sum up what was read."""
    rows = []
    for place, row in enumerate(asked.rows):
        of_row = reads[place * asked.n : (place + 1) * asked.n]
        seen = [read.number for read in of_row if read.number is not None]
        rate = Rate(sum(read.value == row for read in of_row), len(of_row))
        mean = round(sum(seen) / len(seen), 3) if seen else None
        rows.append(ValueFigures(asked.words.values[row].name, rate, mean))
    numbers = [read.number or 0 for read in reads]
    asked_for = [row for row in asked.rows for _ in range(asked.n)]
    return ControlFigures(
        axis=asked.words,
        rate=Rate(sum(row.rate.hits for row in rows), len(reads)),
        rows=tuple(rows),
        spearman=_correlation(asked_for, numbers),
    )


def _correlation(asked_for: Sequence[int], numbers: Sequence[int]) -> float | None:
    if len(set(asked_for)) < 2 or len(set(numbers)) < 2:
        return None
    x, y = (np.asarray(values, dtype=np.float64) for values in (asked_for, numbers))
    return round(spearman(x, y), 4)


def _read_name(axis: Axis, read: ReadBack) -> str | None:
    return None if read.value is None else axis.values[read.value].name


def _documents(
    asked: Control, requests: Sequence[ImageRequest], reads: Sequence[ReadBack]
) -> list[dict[str, Any]]:
    documents = []
    for request, read in zip(requests, reads, strict=True):
        number = {} if read.number is None else {"number": read.number}
        told = {"read": _read_name(asked.words, read), **number}
        documents.append(request.document(asked.found.grammar) | told)
    return documents


def _grid(
    asked: Control,
    images: Sequence[Image.Image],
    reads: Sequence[ReadBack],
    rows: Sequence[ValueFigures],
) -> Image.Image:
    """Draw one row for each value; what reads as another value is marked."""
    tiles = []
    for place, row in enumerate(asked.rows):
        line = []
        for k in range(place * asked.n, (place + 1) * asked.n):
            wrong = reads[k].value != row
            said = f"reads: {_read_name(asked.words, reads[k]) or 'nothing'}" if wrong else ""
            line.append(Tile(images[k], said, wrong))
        tiles.append(line)
    labels = [f"{row.value}\n{row.rate.hits} of {row.rate.of}" for row in rows]
    return image_grid(tiles, labels=labels, heads=[f"seed {k + 1}" for k in range(asked.n)])
