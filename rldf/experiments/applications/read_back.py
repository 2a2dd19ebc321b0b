"""Reads one axis of a picture back, where the rest of its sentence is known.

The encoder asks what an image of unknown contents shows. Here a picture was drawn from a sentence,
and the question is which value of one axis it shows:

* attribute, action: CLIP compares the picture with the sentences that differ from the drawn one in
  that axis alone;
* scene: the value that the scene classifier finds most probable;
* people: the number of people that the detector sees;
* count: the number of things that it sees of the noun that was drawn;
* object: the weightiest thing that it sees, apart from those on the other object axes; where two
  axes have the same noun, more than one of it has to be there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL.Image import Image

from rldf.grammar.axes import Axis, Value
from rldf.grammar.contents import SceneContents
from rldf.grammar.encoding import Encoding
from rldf.interfaces import VisionModels
from rldf.perception.encoder import Encoder

_BY_CLIP = ("attribute", "action")
_TIE = 1e-7  # two cosines this near are one
COUNTS = ("object_count", "people_count")


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What one axis of a picture reads as.

    Attributes:
        value: number of the value on the axis; None where nothing was seen that it has a word for.
        number: how many things were seen, on axes of counts; None on others.
    """

    value: int | None
    number: int | None = None


def reader_of(axis: Axis) -> str:
    """Name the model that reads an axis.

    Args:
        axis: the axis.

    Returns:
        "CLIP", "the scene classifier" or "the detector".
    """
    if axis.reads in _BY_CLIP:
        return "CLIP"
    return "the scene classifier" if axis.reads == "scene" else "the detector"


def read_back(
    encoder: Encoder,
    readers: VisionModels,
    number: int,
    images: Sequence[Image],
    drawn: Sequence[Encoding],
) -> list[ReadBack]:
    """Read one axis of pictures.

    Args:
        encoder: in whose grammar's words.
        readers: the models that look.
        number: place of the axis in an encoding.
        images: RGB.
        drawn: for each the encoding that it was drawn from.

    Returns:
        What each reads as on that axis.
    """
    axis = encoder.grammar.axes[number]
    if axis.reads in _BY_CLIP:
        return _by_clip(encoder, readers, number, images, drawn)
    looks = encoder.detect(images)
    return [_by_sight(encoder, axis, seen, cell) for seen, cell in zip(looks, drawn, strict=True)]


def _by_clip(
    encoder: Encoder,
    readers: VisionModels,
    number: int,
    images: Sequence[Image],
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
        return ReadBack(_bin(axis, seen.people), seen.people)
    nouns = _nouns(encoder, cell)
    if axis.reads == "object_count":
        count = sum(thing.count for thing in seen.objects if thing.value == nouns.get(axis.rank))
        return ReadBack(_bin(axis, count), count)
    others = {noun for rank, noun in nouns.items() if rank != axis.rank}
    asked = nouns[axis.rank]
    things = [
        thing.value
        for thing in seen.objects
        if thing.value not in others or (thing.value == asked and thing.count > 1)
    ]
    words = [value.name for value in axis.values]
    known = [words.index(thing) for thing in things if thing in words]
    nothing = [i for i, value in enumerate(axis.values) if not value.labels]
    return ReadBack(next(iter(known + nothing), None))


def _nouns(encoder: Encoder, cell: Encoding) -> dict[int, str]:
    """Name the noun that was drawn for each object axis, by its rank."""
    pairs = zip(encoder.grammar.axes, cell, strict=True)
    return {axis.rank: axis.values[i].name for axis, i in pairs if axis.reads == "object"}


def _bin(axis: Axis, count: int) -> int | None:
    return next((i for i, value in enumerate(axis.values) if _holds(value, count)), None)


def _holds(value: Value, count: int) -> bool:
    low, high = value.count or (0, None)
    return low <= count and (high is None or count <= high)
