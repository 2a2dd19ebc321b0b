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
from rldf.grammar.axes import Axis, Value
from rldf.grammar.contents import SceneContents
from rldf.grammar.encoding import Encoding
from rldf.grammar.ordering import spearman
from rldf.interfaces import VisionModels
from rldf.io.images import write_png
from rldf.io.workdir import ResultFolder
from rldf.models.model_set import ModelSet
from rldf.perception.encoder import Encoder
from rldf.report.images import Tile, image_grid
from rldf.search.result import SearchResult
from rldf.stats import wilson

GRID = "grid.png"

_BY_CLIP = ("attribute", "action")
_TIE = 1e-7  # two cosines this near are one
COUNTS = ("object_count", "people_count")


@dataclass(frozen=True, slots=True)
class ReadBack:
    """The value of one axis, as read from an image."""

    # number of the value on the axis; None where nothing was seen that it has a word for
    value: int | None
    number: int | None = None  # how many things were seen, on axes of counts; None on others


def reader_of(axis: Axis) -> str:
    """Name the model that reads an axis."""
    if axis.reads in _BY_CLIP:
        return "CLIP"
    return "the scene classifier" if axis.reads == "scene" else "the detector"


def read_back(
    encoder: Encoder,
    readers: VisionModels,
    number: int,
    images: Sequence[Image.Image],
    drawn: Sequence[Encoding],
) -> list[ReadBack]:
    """Read one axis of each image, given the encoding it was generated from."""
    axis = encoder.grammar.axes[number]
    if axis.reads in _BY_CLIP:
        return _by_clip(encoder, readers, number, images, drawn)
    looks = encoder.detect(images)
    return [_by_sight(encoder, axis, seen, cell) for seen, cell in zip(looks, drawn, strict=True)]


def _by_clip(
    encoder: Encoder,
    readers: VisionModels,
    number: int,
    images: Sequence[Image.Image],
    drawn: Sequence[Encoding],
) -> list[ReadBack]:
    values = range(len(encoder.grammar.axes[number].values))
    found = []
    for vector, cell in zip(readers.clip.embed_images(images), drawn, strict=True):
        options = [(*cell[:number], k, *cell[number + 1 :]) for k in values]
        texts = readers.clip.embed_texts([encoder.grammar.derive(option) for option in options])
        likeness = texts @ vector
        best = int(likeness.argmax())
        tied = (likeness >= likeness[best] - _TIE).sum() > 1  # of equals it would be the first
        found.append(ReadBack(None if tied else best))
    return found


def _by_sight(encoder: Encoder, axis: Axis, seen: SceneContents, cell: Encoding) -> ReadBack:
    if axis.reads == "scene":
        return ReadBack(None if seen.scene is None else axis.index(seen.scene))
    if axis.reads == "people_count":
        return ReadBack(_bin(axis, seen.people or 0), seen.people)
    nouns = _nouns(encoder, cell)
    if axis.reads == "object_count":
        count = sum(
            thing.count or 0 for thing in seen.objects if thing.value == nouns.get(axis.rank)
        )
        return ReadBack(_bin(axis, count), count)
    others = {noun for rank, noun in nouns.items() if rank != axis.rank}
    asked = nouns[axis.rank]
    things = [
        thing.value
        for thing in seen.objects
        if thing.value not in others or (thing.value == asked and (thing.count or 0) > 1)
    ]
    words = [value.name for value in axis.values]
    known = [words.index(thing) for thing in things if thing in words]
    nothing = [i for i, value in enumerate(axis.values) if not value.labels]
    return ReadBack(next(iter(known + nothing), None))


def _nouns(encoder: Encoder, cell: Encoding) -> dict[int, str]:
    """Name the noun of each object axis of a state, by rank."""
    pairs = zip(encoder.grammar.axes, cell, strict=True)
    return {axis.rank: axis.values[i].name for axis, i in pairs if axis.reads == "object"}


def _bin(axis: Axis, count: int) -> int | None:
    return next((i for i, value in enumerate(axis.values) if _holds(value, count)), None)


def _holds(value: Value, count: int) -> bool:
    low, high = value.count or (0, None)
    return low <= count and (high is None or count <= high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A request: one row of images for each value of an axis."""

    found: SearchResult  # the sentence, in the words of a grammar that has the axis
    models: ModelSet  # what draws and reads
    axis: str  # symbol of the axis that varies
    values: tuple[str, ...] | None = None  # names of its values, one row each; None for all
    n: int = 4  # images of a value
    seed: int = 0  # of the images; column k has the same image seed in every row

    def __post_init__(self) -> None:
        """Check the request."""
        check_count(self.n)
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


def control(
    asked: Control, out: Path, progress: Callable[[int], None] = lambda n: None
) -> dict[str, Any]:
    """Draw the rows, read them back, and write a grid and a manifest; done again, it goes on."""
    folder, requests = ResultFolder(out, asked.config()), planned(asked)
    encoder = Encoder(asked.found.grammar, asked.models)
    with folder.filling():
        images = generate_images(asked.models, requests, out, progress)
        cells = [request.encoding for request in requests]
        reads = read_back(encoder, asked.models, asked.number, images, cells)
        result = {
            "run": str(asked.found.run),
            "warnings": list(asked.found.notes),
            **measured(asked, reads),
            "images": _documents(asked, requests, reads),
        }
        write_png(out / GRID, _grid(asked, images, reads, result["rows"]))
        folder.finish(result)
    return {"out": str(out), "grid": str(out / GRID), **asked.config(), **result}


def measured(asked: Control, reads: Sequence[ReadBack]) -> dict[str, Any]:
    """Sum up what was read.

    Returns:
        Hits, rate and its 95 % interval (Wilson) in all and for each value; on an axis of counts
        also Spearman's rank correlation of the value asked for and the number read, None where
        one of them never changes.
    """
    rows = []
    for place, row in enumerate(asked.rows):
        of_row = reads[place * asked.n : (place + 1) * asked.n]
        seen = [read.number for read in of_row if read.number is not None]
        value = asked.words.values[row].name
        numbers = {"mean_number": round(sum(seen) / len(seen), 3)} if seen else {}
        rows.append({"value": value, **_rate([r.value == row for r in of_row]), **numbers})
    asked_for = [row for row in asked.rows for _ in range(asked.n)]
    right = [read.value == row for read, row in zip(reads, asked_for, strict=True)]
    found = {"read_by": reader_of(asked.words), **_rate(right), "rows": rows}
    if asked.words.reads in COUNTS:
        numbers_read = [read.number or 0 for read in reads]
        found["spearman"] = _correlation(asked_for, numbers_read)
    return found


def _correlation(asked_for: Sequence[int], numbers: Sequence[int]) -> float | None:
    if len(set(asked_for)) < 2 or len(set(numbers)) < 2:
        return None
    x, y = (np.asarray(values, dtype=np.float64) for values in (asked_for, numbers))
    return round(spearman(x, y), 4)


def _rate(hits: Sequence[bool]) -> dict[str, Any]:
    low, high = wilson(sum(hits), len(hits))
    return {
        "hits": sum(hits),
        "of": len(hits),
        "rate": round(sum(hits) / len(hits), 4),
        "ci_low": round(low, 4),
        "ci_high": round(high, 4),
    }


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
    rows: Sequence[dict[str, Any]],
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
    labels = [f"{row['value']}\n{row['hits']} of {row['of']}" for row in rows]
    return image_grid(tiles, labels=labels, heads=[f"seed {k + 1}" for k in range(asked.n)])
