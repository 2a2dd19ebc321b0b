"""Turns an image into an encoding: what is seen in it, in the words of a grammar (paper §3).

Reading · the dominant object is the noun whose boxes have the largest sum of confidence x area;
the next noun by the same score is object 2. Counts are numbers of boxes, put into the axis's bins.
Where there is no second object, an axis of its counts that has a bin for none says so, and its noun
is the first of its axis. People are counted apart and are never objects. The scene is the value
whose labels' probabilities sum highest. Attribute and action axes are read by CLIP: the sentences
that differ in that axis alone are compared with the image.

Photographs · a model set whose models know drawings may have a reader of photographs, which tells
which of the two an image is. A photograph is read by its classes of ImageNet, which give the main
object (`rldf.perception.nouns`); all other axes stay unknown.

Doubt · what no reader can know is never read as the first value of an axis. An axis without a
reading has no value; a guess keeps its value and is marked (the kinds of axes name the reasons).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from rldf.grammar.axis_kinds import AxisResult, Evidence, most_likely
from rldf.grammar.contents import SceneContents, SeenObject
from rldf.grammar.encoding import Encoding
from rldf.grammar.grammar import Grammar
from rldf.grammar.labels import object_words, require_known, scene_words
from rldf.interfaces import Detection, SaysLabels, SaysScenes, VisionModels
from rldf.io.text import plain_label
from rldf.models.schema import ModelSetFile
from rldf.perception.nouns import read_nouns
from rldf.perception.reading import (
    ImageReading,
    ReadingRecord,
    axis_reading,
    photograph_hint,
    reasons,
    unreadable_axes,
)

_MAIN = "an image classifier tells the main object alone"
_BY_WORDS = (
    "know drawings: an image classifier read its main object, and rewards compare what is drawn "
    "with the words that were read (CLIP image with text), not with the photograph"
)
_SCALE = 100.0  # CLIP's usual logit scale, for the sureness of attribute axes


class Encoder:
    """Reads images in the words of one grammar."""

    def __init__(
        self, grammar: Grammar, readers: VisionModels, models: ModelSetFile | None = None
    ) -> None:
        """Make an encoder."""
        self.grammar = grammar
        self._readers, self._models = readers, models

    def detect(self, images: Sequence[Image]) -> list[SceneContents]:
        """Detect and classify, without CLIP."""
        require_readable(self.grammar, self._labels, self._scenes)
        detections = self._readers.detector.detect(images)
        asked = self.grammar.reading("scene") is not None
        scenes = self._readers.scene.classify(images) if asked else [{} for _ in images]
        return [
            _seen(self.grammar, found, places, image.width * image.height)
            for image, found, places in zip(images, detections, scenes, strict=True)
        ]

    def words(self, seen: SceneContents) -> dict[str, int]:
        """Find what was seen on the grammar's axes, those that CLIP reads left out."""
        clips = {axis.symbol for axis in self.grammar.axes if axis.kind.reader == "CLIP"}
        return {
            symbol: read.index
            for symbol, read in self._read_axes(seen).items()
            if read.index is not None and symbol not in clips
        }

    def encode(self, image: Image) -> ImageReading:
        """Encode an image that was given: a photograph or a drawing, each by what can read it."""
        photographs = self._readers.photographs
        if photographs is None:
            return self.encode_drawn(image)
        if photographs.are_photographs([image])[0]:
            return self._read_photograph(photographs.classify([image])[0])
        reading = self.encode_drawn(image)
        return replace(reading, record=replace(reading.record, medium="drawing"))

    def encode_drawn(self, image: Image) -> ImageReading:
        """Encode an image that was generated, by detector, scene classifier and CLIP."""
        seen = self.detect([image])[0]
        vector = self._readers.clip.embed_images([image])[0]
        reads = self._read_by_clip(self._read_axes(seen), vector, seen)
        nearest = _indices(reads)
        known = all(read.index is not None for read in reads.values())
        sentence = self.grammar.derive(nearest) if known else None
        reading = ImageReading(
            seen=seen,
            encoding=nearest if known else None,
            nearest=nearest,
            sentence=sentence,
            record=_record(self.grammar, reads, seen),
            likeness=None if sentence is None else self._likeness(vector, sentence),
        )
        return self._as_of(reading)

    @cached_property
    def _labels(self) -> Sequence[str] | None:
        detector = self._readers.detector
        return detector.labels if isinstance(detector, SaysLabels) else None

    @cached_property
    def _scenes(self) -> Sequence[str] | None:
        if self.grammar.reading("scene") is None:
            return None  # the classifier is not even loaded
        scene = self._readers.scene
        return scene.scenes if isinstance(scene, SaysScenes) else None

    @cached_property
    def _unreadable(self) -> dict[str, str]:
        return unreadable_axes(self.grammar, self._labels)

    def _read_axes(self, seen: SceneContents) -> dict[str, AxisResult]:
        objects = _objects_by_rank(self.grammar, seen)
        detector = self._readers.detector
        most = detector.most if isinstance(detector, SaysLabels) else None
        evidence = Evidence(
            grammar=self.grammar,
            contents=seen,
            objects=objects,
            max_boxes=most,
            labels=self._labels,
        )
        reads = {
            axis.symbol: AxisResult(index=None, doubt=self._unreadable[axis.symbol])
            if axis.symbol in self._unreadable
            else axis.kind.read(axis, evidence)
            for axis in self.grammar.axes
        }
        return reads | self._unused(reads)

    def _unused(self, reads: Mapping[str, AxisResult]) -> dict[str, AxisResult]:
        """Read the axes that the sentence does not speak of, given what it does speak of."""
        nearest = _indices(reads)
        return {
            axis.symbol: AxisResult(index=0, source="nobody")
            for i, axis in enumerate(self.grammar.axes)
            if axis.when
            and not self.grammar.uses(i, nearest)
            and reads[axis.when[0]].index is not None
        }

    def _read_photograph(self, classes: Mapping[str, float]) -> ImageReading:
        """Read the main object of a photograph, given the probability of each ImageNet class."""
        reads = {axis.symbol: AxisResult(index=None, doubt=_MAIN) for axis in self.grammar.axes}
        axis, shares = self.grammar.reading("object"), {}
        objects: list[SeenObject] = []
        if axis is not None:
            nouns = read_nouns(axis, classes, self.grammar.name)
            reads[axis.symbol], shares = nouns.result, {axis.symbol: nouns.shares}
            objects = [_object_of(*item) for item in nouns.shares.items()][:1]
        reads |= self._unused(reads)
        seen = SceneContents(
            objects=tuple(objects), people=None, people_confidence=None, scenes={}, ignored=()
        )
        record = _record(self.grammar, reads, seen)
        named = "this model set" if self._models is None else f"the {self._models.name} models"
        warnings = (f"a photograph, and {named} {_BY_WORDS}", *record.warnings)
        nearest = _indices(reads)
        known = all(read.index is not None for read in reads.values())
        return ImageReading(
            seen=seen,
            encoding=nearest if known else None,
            nearest=nearest,
            sentence=self.grammar.derive(nearest) if known else None,
            record=replace(record, warnings=warnings, medium="photograph"),
            likeness=None,
            shares=shares,
        )

    def _is_for_clip(
        self, number: int, read: AxisResult, encoding: Encoding, seen: SceneContents
    ) -> bool:
        """Tell whether CLIP reads an axis: one in use that the detector has not read."""
        axis = self.grammar.axes[number]
        if not self.grammar.uses(number, encoding) or read.source == "detector":
            return False
        return axis.kind.asks_clip(seen)

    def _likeness(self, image: NDArray[np.float32], sentence: str) -> float | None:
        found = float(image @ self._readers.clip.embed_texts([sentence])[0])
        return found if math.isfinite(found) else None

    def _as_of(self, reading: ImageReading) -> ImageReading:
        """Doubt the whole of a reading whose image is of a kind that the models do not know."""
        if self._models is None or not (hints := photograph_hint(self._models, reading)):
            return reading
        axes = {s: replace(axis, known=False) for s, axis in reading.record.axes.items()}
        warnings = (*hints, *reading.record.warnings)
        return replace(reading, record=ReadingRecord(axes=axes, warnings=warnings))

    def _read_by_clip(
        self, reads: dict[str, AxisResult], image: NDArray[np.float32], seen: SceneContents
    ) -> dict[str, AxisResult]:
        """Sweep twice over the attribute axes, so that each is read beside the others' values."""
        beside = all(read.index is not None for read in reads.values())
        encoding, found = _indices(reads), dict(reads)
        for _ in range(2):
            for i, axis in enumerate(self.grammar.axes):
                if self._is_for_clip(i, found[axis.symbol], encoding, seen):
                    options = axis.kind.question(i, encoding, len(axis.values))
                    texts = [self.grammar.derive(option) for option in options]
                    logits = _SCALE * (self._readers.clip.embed_texts(texts) @ image)
                    shares = np.exp(logits - logits.max())
                    shares /= shares.sum()
                    read = most_likely(shares, axis)
                    if not read.doubt and not beside:
                        read = replace(read, doubt="compared beside words that were not read")
                    found[axis.symbol] = read
                    encoding = options[read.index or 0]
        for i, axis in enumerate(self.grammar.axes):  # what the last words leave without a meaning
            if (
                axis.when
                and found[axis.when[0]].source == "CLIP"
                and not self.grammar.uses(i, encoding)
            ):
                found[axis.symbol] = AxisResult(index=0, source="nobody")
        return found


def grammar_for(image: Image, readers: VisionModels, models: ModelSetFile) -> str:
    """Name the grammar of an image where nobody names one: a set may have one for photographs."""
    photographs = readers.photographs
    if models.photograph_grammar is None or photographs is None:
        return models.grammar
    is_photograph = photographs.are_photographs([image])[0]
    return models.photograph_grammar if is_photograph else models.grammar


def require_readable(
    grammar: Grammar, labels: Sequence[str] | None, scenes: Sequence[str] | None
) -> None:
    """Refuse readers that see nothing that a grammar has a word for."""
    require_known("detector", labels, object_words(grammar), grammar.name)
    require_known("scene classifier", scenes, scene_words(grammar), grammar.name)


def _indices(reads: Mapping[str, AxisResult]) -> Encoding:
    """Give the encoding of what was read, with the first value where nothing was."""
    return tuple(read.index or 0 for read in reads.values())


def _record(
    grammar: Grammar, reads: Mapping[str, AxisResult], seen: SceneContents
) -> ReadingRecord:
    warnings = reasons(reads)
    if seen.ignored:
        warnings.append(
            f"grammar {grammar.name} has no word for what the detector sees: "
            f"{', '.join(seen.ignored)}"
        )
    axes = {axis.symbol: axis_reading(axis, reads[axis.symbol]) for axis in grammar.axes}
    return ReadingRecord(axes=axes, warnings=tuple(warnings))


def _seen(
    grammar: Grammar, detections: list[Detection], places: dict[str, float], area: float
) -> SceneContents:
    names, humans = _nouns(grammar), set(map(plain_label, grammar.people))
    people: list[Detection] = []
    boxes: dict[str, list[Detection]] = {}
    ignored: set[str] = set()
    actions: dict[str, float] = {}
    for detection in detections:
        label = plain_label(detection.label)
        if label in humans:
            people.append(detection)
            actions[label] = actions.get(label, 0.0) + detection.confidence
        elif label in names:
            boxes.setdefault(names[label], []).append(detection)
        else:
            ignored.add(detection.label)
    objects = [
        SeenObject(
            value=name,
            count=len(found),
            confidence=sum(d.confidence for d in found) / len(found),
            weight=sum(d.confidence * d.area for d in found) / area,
        )
        for name, found in boxes.items()
    ]
    scenes, elsewhere = _scene_values(grammar, places)
    return SceneContents(
        objects=tuple(sorted(objects, key=lambda o: (-o.weight, o.value))),
        people=len(people),
        people_confidence=sum(d.confidence for d in people) / len(people) if people else None,
        scenes=scenes,
        ignored=tuple(sorted(ignored)),
        boxes=len(detections),
        actions=actions,
        elsewhere=elsewhere,
    )


def _object_of(noun: str, share: float) -> SeenObject:
    return SeenObject(value=noun, count=None, confidence=share, weight=share)


def _nouns(grammar: Grammar) -> dict[str, str]:
    """Name the noun of every label; a noun of several axes has one name, the first axis's."""
    axes = [axis for axis in grammar.axes if axis.kind.has_objects]
    named: dict[str, str] = {}
    for axis in sorted(axes, key=lambda axis: axis.rank):
        for label, i in axis.value_of_label().items():
            named.setdefault(plain_label(label), axis.values[i].name)
    return named


def _objects_by_rank(grammar: Grammar, seen: SceneContents) -> dict[int, SeenObject | None]:
    """Give each object axis the weightiest noun that it has a word for and no lower rank took."""
    free = list(seen.objects)
    taken: dict[int, SeenObject | None] = {}
    axes = [axis for axis in grammar.axes if axis.kind.has_objects]
    for axis in sorted(axes, key=lambda axis: axis.rank):
        words = {value.name for value in axis.values if value.labels}
        thing = next((o for o in free if o.value in words), None)
        taken[axis.rank] = thing
        if thing is not None:
            free.remove(thing)
    return taken


def _scene_values(
    grammar: Grammar, places: dict[str, float]
) -> tuple[dict[str, float], tuple[str, float] | None]:
    """Give the probability of each scene value, and the likeliest label that is of none."""
    axis = grammar.reading("scene")
    if axis is None:
        return {}, None
    seen: dict[str, float] = {}
    for label, probability in places.items():  # classifiers spell places as they like
        sure = probability if math.isfinite(probability) else 0.0
        seen[plain_label(label)] = seen.get(plain_label(label), 0.0) + sure
    values = {
        value.name: sum(
            seen.get(name, 0.0) for name in dict.fromkeys(map(plain_label, value.labels))
        )
        for value in axis.values
    }
    words = set(map(plain_label, scene_words(grammar)))
    others = [(label, seen[plain_label(label)]) for label in places]
    others = [(label, sure) for label, sure in others if plain_label(label) not in words]
    return values, max(others, key=lambda other: other[1], default=None)
