"""Describes the JSON documents of a comparison, which are in its files and printed by `--json`.

A score is None if it does not exist: of a method without a sentence, of an axis that was not read,
or an interval over a single image. Similarities are cosines of CLIP embeddings, -1 to 1.
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
    """On which axes the encoder reads the same value in an image as in the input."""

    axes: FiniteFloat | None  # share of such axes among those read in the input
    noun: bool | None  # whether the dominant object is the same
    scene: bool | None  # whether the scene is the same


@with_config(_STRICT)
class MethodScores(Semantics):
    """The result of one method on one input."""

    method: str
    sentence: str | None
    seed: NonNegativeInt | None  # image seed of the best image
    renders: NonNegativeInt  # number of images that the best one was chosen from
    best: FiniteFloat | None  # similarity of the best image and the input
    mean: FiniteFloat | None  # mean similarity of images of the sentence with other seeds
    picture: str | None  # file of the best image
    notes: list[str]


@with_config(_STRICT)
class ImageScores(TypedDict):
    """The results of all methods on one input."""

    image: str  # path of the input
    folder: str  # name of the folder with its files
    sentence: str | None  # sentence that the encoder read in it
    methods: list[MethodScores]
    doubtful: NotRequired[bool]
    warnings: NotRequired[list[str]]


class MethodSummary(TypedDict):
    """Means of one method's scores over the inputs, with 95 % intervals."""

    method: str
    images: int  # number of inputs for which the method has a sentence
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
    # for baselines: on how many inputs the search's best image is more similar to the input than
    # the baseline's (wins), equally (ties) or less similar (losses)
    wins: NotRequired[int]
    ties: NotRequired[int]
    losses: NotRequired[int]
    margin: NotRequired[float | None]  # mean of the search's similarity minus the baseline's
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
    model_set: dict[str, Any]  # checksums of the models that generate and read
    drawn_as: dict[str, Any]  # settings of the generator
    renders: int
    agent: str
    reward: str
    reward_file: dict[str, Any]
    seed: int
    image_seed: int
    rivals: list[str]  # names of the baselines
    captioner: str | None  # checksum of the captioner's files
    evaluation_seeds: list[int]
    images: list[ImageScores]
    summary: list[MethodSummary]
    warnings: list[str]


_IMAGE_SCORES = TypeAdapter(ImageScores)


def read_scores(path: Path, methods: Sequence[str]) -> ImageScores:
    """Read the scores of one input from the result.json of an earlier call.

    Raises:
        RunError: the file is damaged or of another comparison.
    """
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
