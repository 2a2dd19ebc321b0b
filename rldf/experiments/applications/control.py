"""One axis slides, all else is fixed: does the picture follow? (paper Fig. 13)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rldf.errors import UsageError
from rldf.experiments.applications.drawing import IMAGES, Shot, check_count, draw_shots, image_seed
from rldf.experiments.applications.read_back import COUNTS, ReadBack, read_back, reader_of
from rldf.grammar.axes import Axis
from rldf.grammar.ordering import spearman
from rldf.io.images import write_png
from rldf.io.workdir import ResultFolder
from rldf.models.model_sets import ModelSet
from rldf.perception.encoder import Encoder
from rldf.report.picture_grid import Tile, picture_grid
from rldf.search.result import Found
from rldf.stats import wilson

GRID = "grid.png"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Rows of pictures that are to be made.

    Attributes:
        found: the sentence, in the words of a grammar that has the axis.
        models: what draws and reads.
        axis: symbol of the axis that slides.
        values: names of its values, one row each; None for all.
        n: pictures of a value.
        seed: of the pictures; column k has the same image seed in every row.
    """

    found: Found
    models: ModelSet
    axis: str
    values: tuple[str, ...] | None = None
    n: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what was asked for.

        Raises:
            UsageError: the number makes no sense, or values are named twice.
            GrammarError: the grammar has no such axis, or the axis no such value.
        """
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
        """Give all that decides the pictures and what is read in them.

        Returns:
            As JSON can say it.
        """
        return {
            "command": "control",
            **self.found.document(),
            "drawn_with": self.models.identity(),
            "axis": self.axis,
            "values": [self.words.values[row].name for row in self.rows],
            "n": self.n,
            "seed": self.seed,
        }


def planned(control: Control) -> list[Shot]:
    """List the pictures to draw, row by row.

    Args:
        control: what was asked for.

    Returns:
        `n` pictures for each value.
    """
    found, place = control.found, control.number
    shots = []
    for row in control.rows:
        encoding = (*found.encoding[:place], row, *found.encoding[place + 1 :])
        sentence = found.grammar.derive(encoding)
        for k in range(control.n):
            file = f"{IMAGES}/{row:03d}-{k:04d}.png"
            shots.append(Shot(file, encoding, sentence, image_seed(control.seed, k)))
    return shots


def control(
    asked: Control, out: Path, progress: Callable[[int], None] = lambda n: None
) -> dict[str, Any]:
    """Draw the rows, read them back, and write a grid and a manifest; done again, it goes on.

    Args:
        asked: what was asked for.
        out: the output folder.
        progress: told how many pictures are there.

    Returns:
        The result, as JSON can say it: hit rates by value, and for counts the rank correlation.

    Raises:
        RunError: the folder holds something else.
    """
    folder, shots = ResultFolder(out, asked.config()), planned(asked)
    encoder = Encoder(asked.found.grammar, asked.models)
    with folder.filling():
        images = draw_shots(asked.models, shots, out, progress)
        cells = [shot.encoding for shot in shots]
        reads = read_back(encoder, asked.models, asked.number, images, cells)
        result = {
            "run": str(asked.found.run),
            "warnings": list(asked.found.notes),
            **measured(asked, reads),
            "images": _documents(asked, shots, reads),
        }
        write_png(out / GRID, _grid(asked, images, reads, result["rows"]))
        folder.finish(result)
    return {"out": str(out), "grid": str(out / GRID), **asked.config(), **result}


def measured(asked: Control, reads: Sequence[ReadBack]) -> dict[str, Any]:
    """Sum up what was read.

    Args:
        asked: what was asked for.
        reads: of each picture, row by row.

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
    asked: Control, shots: Sequence[Shot], reads: Sequence[ReadBack]
) -> list[dict[str, Any]]:
    documents = []
    for shot, read in zip(shots, reads, strict=True):
        number = {} if read.number is None else {"number": read.number}
        told = {"read": _read_name(asked.words, read), **number}
        documents.append(shot.document(asked.found.grammar) | told)
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
    return picture_grid(tiles, labels=labels, heads=[f"seed {k + 1}" for k in range(asked.n)])
