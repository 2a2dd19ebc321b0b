"""Turns an image into an encoding: what is seen in it, in the words of a grammar (paper §3).

Reading · the dominant object is the noun whose boxes have the largest sum of confidence x area;
the next noun by the same score is object 2. Counts are numbers of boxes, put into the axis's bins.
Where there is no second object, an axis of its counts that has a bin for none says so, and its noun
is the first of its axis. People are counted apart and are never objects. The scene is the value
whose labels' probabilities sum highest. Attribute and action axes are read by CLIP: the sentences
that differ in that axis alone are compared with the image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from rldf.encoding import Encoding
from rldf.grammar import Axis, Grammar
from rldf.perception.places import plain_place
from rldf.ports import Detection, Readers

_SCALE = 100.0  # CLIP's usual logit scale, for the sureness of attribute axes


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenObject:
    """The boxes of one noun.

    Attributes:
        value: the noun's name in the grammar.
        count: number of boxes.
        confidence: mean confidence of the boxes, 0 to 1.
        weight: sum of confidence x share of the image's area.
    """

    value: str
    count: int
    confidence: float
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What detector and scene classifier see in an image, in a grammar's words.

    Attributes:
        objects: nouns, the dominant first; people are not among them.
        people: number of people.
        people_confidence: mean confidence of the people's boxes; 1 if there are none.
        scenes: probability by scene value (they sum to less than 1 where the classifier knows
            more scenes than the grammar).
        ignored: labels that the detector saw and the grammar has no word for.
    """

    objects: tuple[SeenObject, ...]
    people: int
    people_confidence: float
    scenes: dict[str, float]
    ignored: tuple[str, ...]

    @property
    def scene(self) -> str | None:
        """The most probable scene value, None where the grammar has no scenes."""
        return max(self.scenes, key=self.scenes.__getitem__) if self.scenes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An image in a grammar's words.

    Attributes:
        seen: what the models saw.
        encoding: the image's encoding, None if the grammar has no word for what it shows.
        nearest: the encoding as far as it could be read, with the first value of the other axes.
        sentence: what the encoding derives, or None.
        confidence: sureness by axis symbol, 0 to 1.
        likeness: cosine of the image and its sentence by CLIP, None without an encoding.
    """

    seen: Seen
    encoding: Encoding | None
    nearest: Encoding
    sentence: str | None
    confidence: dict[str, float]
    likeness: float | None


class Encoder:
    """Reads images in the words of one grammar."""

    def __init__(self, grammar: Grammar, readers: Readers) -> None:
        """Make an encoder.

        Args:
            grammar: whose words.
            readers: the models that look.
        """
        self.grammar = grammar
        self._readers = readers

    def look(self, images: Sequence[Image]) -> list[Seen]:
        """Detect and classify, without CLIP.

        Args:
            images: RGB.

        Returns:
            What is seen in each.
        """
        detections = self._readers.detector.detect(images)
        scene_axis = self.grammar.reading("scene")
        scenes = self._readers.scene.classify(images) if scene_axis else [{} for _ in images]
        return [
            _seen(self.grammar, found, places, image.width * image.height)
            for image, found, places in zip(images, detections, scenes, strict=True)
        ]

    def words(self, seen: Seen) -> dict[str, int]:
        """Find what was seen on the grammar's axes, those that CLIP reads left out.

        Args:
            seen: what `look` gave.

        Returns:
            Place on the axis by axis symbol; an axis that has no word for it is not there.
        """
        objects = _objects_by_rank(self.grammar, seen)
        read = {
            axis.symbol: _read_axis(self.grammar, axis, seen, objects)[0]
            for axis in self.grammar.axes
            if axis.reads not in ("attribute", "action")
        }
        return {symbol: place for symbol, place in read.items() if place is not None}

    def read(self, image: Image) -> Reading:
        """Encode an image.

        Args:
            image: RGB.

        Returns:
            Its encoding and sentence, how sure each axis is, and what was ignored.
        """
        seen = self.look([image])[0]
        objects = _objects_by_rank(self.grammar, seen)
        read = [_read_axis(self.grammar, axis, seen, objects) for axis in self.grammar.axes]
        vector = self._readers.clip.embed_images([image])[0]
        nearest, sureness = self._read_attributes(tuple(i or 0 for i, _ in read), vector, seen)
        confidence = {
            axis.symbol: sure
            for axis, (i, sure) in zip(self.grammar.axes, read, strict=True)
            if i is not None
        }
        known = all(i is not None for i, _ in read)
        sentence = self.grammar.derive(nearest) if known else None
        return Reading(
            seen=seen,
            encoding=nearest if known else None,
            nearest=nearest,
            sentence=sentence,
            confidence=confidence | sureness,
            likeness=self._likeness(vector, sentence) if sentence is not None else None,
        )

    def _likeness(self, image: NDArray[np.float32], sentence: str) -> float:
        return float(image @ self._readers.clip.embed_texts([sentence])[0])

    def _read_attributes(
        self, encoding: Encoding, image: NDArray[np.float32], seen: Seen
    ) -> tuple[Encoding, dict[str, float]]:
        """Sweep twice over the attribute axes, so that each is read beside the others' values."""
        sureness: dict[str, float] = {}
        for _ in range(2):
            for i, axis in enumerate(self.grammar.axes):
                if axis.reads == "attribute" or (axis.reads == "action" and seen.people):
                    options = [
                        (*encoding[:i], k, *encoding[i + 1 :]) for k in range(len(axis.values))
                    ]
                    texts = [self.grammar.derive(option) for option in options]
                    logits = _SCALE * (self._readers.clip.embed_texts(texts) @ image)
                    shares = np.exp(logits - logits.max())
                    shares /= shares.sum()
                    encoding = options[int(shares.argmax())]
                    sureness[axis.symbol] = float(shares.max())
        return encoding, sureness


def _seen(
    grammar: Grammar, detections: list[Detection], places: dict[str, float], area: float
) -> Seen:
    people = [d for d in detections if d.label in grammar.people]
    names = _nouns(grammar)
    boxes: dict[str, list[Detection]] = {}
    for detection in detections:
        if detection.label in names and detection.label not in grammar.people:
            boxes.setdefault(names[detection.label], []).append(detection)
    objects = [
        SeenObject(
            value=name,
            count=len(found),
            confidence=sum(d.confidence for d in found) / len(found),
            weight=sum(d.confidence * d.area for d in found) / area,
        )
        for name, found in boxes.items()
    ]
    known = {*names, *grammar.people}
    return Seen(
        objects=tuple(sorted(objects, key=lambda o: (-o.weight, o.value))),
        people=len(people),
        people_confidence=sum(d.confidence for d in people) / len(people) if people else 1.0,
        scenes=_scene_values(grammar, places),
        ignored=tuple(sorted({d.label for d in detections} - known)),
    )


def _nouns(grammar: Grammar) -> dict[str, str]:
    """Name the noun of every label; a noun of several axes has one name, the first axis's."""
    axes = [axis for axis in grammar.axes if axis.reads == "object"]
    named: dict[str, str] = {}
    for axis in sorted(axes, key=lambda axis: axis.rank):
        for label, i in axis.value_of_label().items():
            named.setdefault(label, axis.values[i].name)
    return named


def _objects_by_rank(grammar: Grammar, seen: Seen) -> dict[int, SeenObject | None]:
    """Give each object axis the weightiest noun that it has a word for and no lower rank took."""
    free = list(seen.objects)
    taken: dict[int, SeenObject | None] = {}
    axes = [axis for axis in grammar.axes if axis.reads == "object"]
    for axis in sorted(axes, key=lambda axis: axis.rank):
        words = {value.name for value in axis.values if value.labels}
        thing = next((o for o in free if o.value in words), None)
        taken[axis.rank] = thing
        if thing is not None:
            free.remove(thing)
    return taken


def _scene_values(grammar: Grammar, places: dict[str, float]) -> dict[str, float]:
    axis = grammar.reading("scene")
    if axis is None:
        return {}
    seen: dict[str, float] = {}
    for label, probability in places.items():  # classifiers spell places as they like
        seen[plain_place(label)] = seen.get(plain_place(label), 0.0) + probability
    return {
        value.name: sum(
            seen.get(name, 0.0) for name in dict.fromkeys(map(plain_place, value.labels))
        )
        for value in axis.values
    }


def _read_axis(
    grammar: Grammar, axis: Axis, seen: Seen, objects: dict[int, SeenObject | None]
) -> tuple[int | None, float]:
    """Find the place of what was seen on an axis (None: no word for it) and how sure it is."""
    if axis.reads == "scene":
        scene = seen.scene
        assert scene is not None, "a grammar with a scene axis always has scene values"
        return axis.index(scene), seen.scenes[scene]
    if axis.reads == "people_count":
        return _bin(axis, seen.people), seen.people_confidence
    if axis.reads in ("attribute", "action"):
        return 0, 0.0  # CLIP reads these afterwards; an action of nobody stays neutral
    thing = objects.get(axis.rank)
    if thing is None:
        return _read_absence(grammar, axis)
    place = _bin(axis, thing.count) if axis.reads == "object_count" else axis.index(thing.value)
    return place, thing.confidence


def _read_absence(grammar: Grammar, axis: Axis) -> tuple[int | None, float]:
    """Find the place on an object's axis, or on that of its counts, that says there is none."""
    counts = grammar.reading("object_count", axis.rank)
    none = counts is not None and (counts.values[0].count or (1, None))[0] == 0
    if axis.reads == "object_count":
        return (0, 1.0) if none else (None, 0.0)
    empty = [i for i, value in enumerate(axis.values) if not value.labels]
    if empty:
        return empty[0], 1.0
    return (0, 0.0) if none else (None, 0.0)  # of "no bananas" and "no dogs" the first


def _bin(axis: Axis, count: int) -> int:
    """Find the bin of a count; they have no holes and the last is open, so one always fits."""
    for i, value in enumerate(axis.values):
        low, high = value.count or (0, None)
        if low <= count and (high is None or count <= high):
            return i
    return 0
