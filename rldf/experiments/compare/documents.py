"""The JSON documents of a comparison: what its files hold and `--json` prints.

Scores are None where there is nothing to score: a method without a sentence, an axis that was not
read, an interval over a single image. Similarities are cosines of CLIP embeddings, -1 to 1.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NotRequired

from pydantic import ConfigDict, FiniteFloat, NonNegativeInt, TypeAdapter, with_config
from typing_extensions import TypedDict

from rldf.errors import RunError
from rldf.io.files import parse_json, read_file

_STRICT = ConfigDict(extra="forbid", strict=True)


class Semantics(TypedDict):
    """Which axes of an image read as those of the input."""

    axes: FiniteFloat | None  # share of the axes that could be read in the input
    noun: bool | None  # whether the dominant object does
    scene: bool | None


@with_config(_STRICT)
class MethodScores(Semantics):
    """What one method came to on one image."""

    method: str
    sentence: str | None
    seed: NonNegativeInt | None  # image seed of the best image
    renders: NonNegativeInt  # images it is the best of
    best: FiniteFloat | None  # similarity of the best image and the input
    mean: FiniteFloat | None  # mean similarity of the sentence's images with fresh seeds
    picture: str | None  # file of the best image
    notes: list[str]


@with_config(_STRICT)
class ImageScores(TypedDict):
    """What all methods came to on one image."""

    image: str  # path of the input
    folder: str  # name of the folder with its files
    sentence: str | None  # what was read in it
    methods: list[MethodScores]
    doubtful: NotRequired[bool]
    warnings: NotRequired[list[str]]


class MethodSummary(TypedDict):
    """Means of one method over the images, with 95 % intervals."""

    method: str
    images: int  # number of images with a sentence
    renders: float | None
    best: float | None
    best_low: float | None
    best_high: float | None
    mean: float | None
    mean_low: float | None
    mean_high: float | None
    axes: float | None
    noun: float | None
    scene: float | None
    # of the baselines: how often the search's best image is more, as or less similar to the input
    wins: NotRequired[int]
    ties: NotRequired[int]
    losses: NotRequired[int]
    margin: NotRequired[float | None]  # mean of the search's similarity less the baseline's
    margin_low: NotRequired[float | None]
    margin_high: NotRequired[float | None]


class ComparisonDocument(TypedDict):
    """The result of a comparison, with its configuration."""

    out: str
    picture: str  # file of the overview image
    command: str
    inputs: list[str]  # SHA-256 of the image files
    grammar: str
    grammar_sha256: str
    models: str
    model_set: dict[str, Any]  # checksums of what draws and reads
    drawn_as: dict[str, Any]  # settings of the generator
    renders: int
    agent: str
    reward: str
    reward_file: dict[str, Any]
    seed: int
    image_seed: int
    rivals: list[str]  # names of the baselines
    captioner: str | None  # checksum of its files
    evaluation_seeds: list[int]
    images: list[ImageScores]
    summary: list[MethodSummary]
    warnings: list[str]


_IMAGE_SCORES = TypeAdapter(ImageScores)


def read_scores(path: Path, methods: Sequence[str]) -> ImageScores:
    """Read the scores of one image from the file of an earlier call; RunError if it is damaged."""
    try:
        found = _IMAGE_SCORES.validate_python(parse_json(read_file(path)))
        named = [scores["method"] for scores in found["methods"]]
        if (found["folder"], named) != (path.parent.name, list(methods)):
            raise ValueError("of another comparison")
        if not all(_is_whole(scores) for scores in found["methods"]):
            raise ValueError("a sentence without scores, or scores without a sentence")
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:  # a ValidationError is one
        raise RunError(f"{path} is damaged: move it away, and type the command again") from None
    return found


def _is_whole(scores: MethodScores) -> bool:
    parts = (scores["seed"], scores["best"], scores["mean"], scores["picture"])
    if scores["sentence"] is None:
        return parts == (None,) * 4
    return None not in parts and scores["picture"] == f"{scores['method']}.png"
