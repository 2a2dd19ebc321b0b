"""The result of one image, read back from its file: whole, or not at all."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import FiniteFloat, NonNegativeInt, model_validator

from rldf.errors import RunError
from rldf.io.files import parse_json, read_file
from rldf.io.yaml import Strict


class _Entry(Strict):
    """What one method came to."""

    method: str
    sentence: str | None
    seed: NonNegativeInt | None
    renders: NonNegativeInt
    best: FiniteFloat | None
    mean: FiniteFloat | None
    axes: FiniteFloat | None
    noun: bool | None
    scene: bool | None
    picture: str | None
    notes: tuple[str, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        scored = (self.seed, self.best, self.mean, self.picture)
        if self.sentence is None and scored != (None,) * 4:
            raise ValueError("scores without a sentence")
        if self.sentence is not None and (None in scored or self.picture != f"{self.method}.png"):
            raise ValueError("a sentence without its scores or its picture")
        return self


class _Row(Strict):
    """What all methods came to on one image."""

    image: str
    folder: str
    sentence: str | None
    methods: tuple[_Entry, ...]
    doubtful: bool = False
    warnings: tuple[str, ...] = ()


def read_kept(path: Path, methods: Sequence[str]) -> dict[str, Any]:
    """Read the result of one image.

    Args:
        path: its file, in the image's folder.
        methods: those of the comparison, in order.

    Returns:
        What it says.

    Raises:
        RunError: it is damaged, or not of this comparison.
    """
    try:
        kept: dict[str, Any] = parse_json(read_file(path))
        row = _Row.model_validate(kept)
        if (row.folder, [entry.method for entry in row.methods]) != (
            path.parent.name,
            list(methods),
        ):
            raise ValueError("of another comparison")
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:  # a ValidationError is one
        raise RunError(f"{path} is damaged: move it away, and type the command again") from None
    return kept
