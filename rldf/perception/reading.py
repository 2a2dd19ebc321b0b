"""What is read in an image, how sure that is, and what no reader could know.

The encoder alone decides what is doubtful and says why; documents, run folders, reports and cards
carry its `ReadingRecord`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rldf.grammar.encoding import Encoding

Source = Literal["detector", "scene classifier", "CLIP", "nobody"]

DOUBTFUL = "the input's reading is doubtful"
"""What is said beside every goal that rests on such a reading."""


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
        people_confidence: mean confidence of the people's boxes; None if there are none.
        scenes: probability by scene value (they sum to less than 1 where the classifier knows
            more scenes than the grammar).
        ignored: labels that the detector saw and the grammar has no word for.
        boxes: number of boxes in all.
        actions: sum of confidences by label of the people, in plain spelling.
        elsewhere: the classifier's most probable scene that the grammar has no word for, with its
            probability.
    """

    objects: tuple[SeenObject, ...]
    people: int
    people_confidence: float | None
    scenes: dict[str, float]
    ignored: tuple[str, ...]
    boxes: int = 0
    actions: Mapping[str, float] = field(default_factory=dict)
    elsewhere: tuple[str, float] | None = None

    @property
    def scene(self) -> str | None:
        """The most probable scene value; None where no scene of the grammar has a probability."""
        if not any(share > 0 for share in self.scenes.values()):
            return None
        return max(self.scenes, key=self.scenes.__getitem__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisReading:
    """What one axis of an image reads as.

    Attributes:
        value: name of the value; None where nothing could be read.
        probability: how sure the reader is, 0 to 1; None where it gives no figure, such as for
            what it does not see.
        source: who read it.
        known: whether the reader could know it; False for a guess.
    """

    value: str | None
    probability: float | None
    source: Source
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRecord:
    """How sure a reading is: what documents, run folders, reports and cards say of it.

    Attributes:
        axes: by axis symbol, all axes of the grammar.
        warnings: what is doubtful, unknown or left out, one line each.
    """

    axes: dict[str, AxisReading]
    warnings: tuple[str, ...] = ()

    @property
    def doubtful(self) -> bool:
        """Whether any axis is a guess."""
        return not all(axis.known for axis in self.axes.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An image in a grammar's words.

    Attributes:
        seen: what the models saw.
        encoding: the image's encoding, None if an axis could not be read.
        nearest: the encoding as far as it could be read, with the first value of the other axes.
        sentence: what the encoding derives, or None.
        record: how sure each axis is, and what is doubtful.
        likeness: cosine of the image and its sentence by CLIP, None without an encoding.
    """

    seen: Seen
    encoding: Encoding | None
    nearest: Encoding
    sentence: str | None
    record: ReadingRecord
    likeness: float | None

    @property
    def confidence(self) -> dict[str, float | None]:
        """Sureness by axis symbol, of the axes that could be read."""
        axes = self.record.axes.items()
        return {symbol: axis.probability for symbol, axis in axes if axis.value is not None}

    @property
    def unknown(self) -> tuple[str, ...]:
        """Symbols of the axes that could not be read."""
        return tuple(symbol for symbol, axis in self.record.axes.items() if axis.value is None)

    def lack(self, grammar: str) -> str:
        """Say why there is no encoding."""
        return f"{', '.join(self.unknown)} of grammar {grammar} cannot be read in the image"


def axes_document(record: ReadingRecord) -> dict[str, dict[str, Any]]:
    """Describe the axes for a JSON document."""
    return {
        symbol: {
            "value": axis.value,
            "probability": None if axis.probability is None else round(axis.probability, 4),
            "source": axis.source,
            "known": axis.known,
        }
        for symbol, axis in record.axes.items()
    }
