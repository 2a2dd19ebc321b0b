"""What is read in an image, how sure that is, and what no model could know.

The encoder alone decides what is doubtful and says why; documents, run folders, reports and cards
carry its `ReadingRecord`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from rldf.grammar.axis_kinds import AxisResult, Source
from rldf.grammar.contents import SceneContents
from rldf.grammar.encoding import Encoding
from rldf.grammar.grammar import Axis, Grammar
from rldf.grammar.labels import axis_words, known_labels
from rldf.models.schema import ModelSetFile

DOUBTFUL = "the input's reading is doubtful"
"""What is said beside every goal that rests on such a reading."""

Medium = Literal["drawing", "photograph"]
"""What an image is taken for by models that read the two in different ways."""


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
        medium: what the image was taken for, which decides who reads it; None where the same models
            read everything, and in runs of older versions.
    """

    axes: dict[str, AxisReading]
    warnings: tuple[str, ...] = ()
    medium: Medium | None = None

    @property
    def doubtful(self) -> bool:
        """Whether any axis is a guess."""
        return not all(axis.known for axis in self.axes.values())

    @property
    def words(self) -> str:
        """What was read, by whom and how surely, and which axes are not known."""
        read = {
            symbol: f"{axis.value} ({axis.source}"
            + ("" if axis.probability is None else f", {axis.probability:.2f}")
            + ")"
            for symbol, axis in self.axes.items()
            if axis.value is not None
        }
        said = ", ".join(f"{symbol} {how}" for symbol, how in read.items()) or "nothing"
        unknown = ", ".join(symbol for symbol in self.axes if symbol not in read)
        return f"{said}; not known: {unknown}" if unknown else said


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReading:
    """An image in a grammar's words.

    Attributes:
        seen: what the models saw.
        encoding: the image's encoding, None if an axis could not be read.
        nearest: the encoding as far as it could be read, with the first value of the other axes.
        sentence: what the encoding derives, or None.
        record: how sure each axis is, and what is doubtful.
        likeness: cosine of the image and its sentence by CLIP, None without an encoding.
        shares: by symbol of an axis that a classifier weighs, the probability of each value that it
            takes for possible.
    """

    seen: SceneContents
    encoding: Encoding | None
    nearest: Encoding
    sentence: str | None
    record: ReadingRecord
    likeness: float | None
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def confidence(self) -> dict[str, float | None]:
        """Sureness by axis symbol, of the axes that could be read."""
        axes = self.record.axes.items()
        return {symbol: axis.probability for symbol, axis in axes if axis.value is not None}

    @property
    def unknown(self) -> tuple[str, ...]:
        """Symbols of the axes that could not be read."""
        return tuple(symbol for symbol, axis in self.record.axes.items() if axis.value is None)

    def indices(self, grammar: Grammar) -> dict[str, int]:
        """Number the values that were read, by axis symbol."""
        return {
            axis.symbol: axis.index(value)
            for axis in grammar.axes
            if (value := self.record.axes[axis.symbol].value) is not None
        }

    @property
    def by_words(self) -> bool:
        """Whether rewards go by the words that were read, since its pixels mean nothing to them."""
        return self.record.medium == "photograph"

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


def axis_reading(axis: Axis, result: AxisResult) -> AxisReading:
    """Say what was read on an axis in the axis's words."""
    return AxisReading(
        value=None if result.index is None else axis.values[result.index].name,
        probability=result.probability,
        source="nobody" if result.index is None else result.source,
        known=not result.doubt,
    )


def unreadable_axes(grammar: Grammar, labels: Sequence[str] | None) -> dict[str, str]:
    """Find the axes that a detector of such labels cannot read, and why, by axis symbol."""
    if labels is None:
        return {}
    found: dict[str, str] = {}
    blind = {
        axis.rank
        for axis in grammar.axes
        if axis.kind.has_objects and not known_labels(labels, axis_words([axis]))
    }
    no_people = not known_labels(labels, grammar.people)
    for axis in grammar.axes:
        if axis.kind.needs_objects and axis.rank in blind:
            found[axis.symbol] = "the detector has no label for any such thing"
        if axis.kind.needs_people and no_people:
            found[axis.symbol] = "the detector has no label for people"
    return found


def reasons(results: Mapping[str, AxisResult]) -> list[str]:
    """Say what is not known and what is doubtful, one line for each reason."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for symbol, result in results.items():
        if result.doubt:
            how = "not known" if result.index is None else "doubtful"
            grouped.setdefault((how, result.doubt), []).append(symbol)
    return [f"{', '.join(axes)} {how}: {doubt}" for (how, doubt), axes in grouped.items()]


def photograph_hint(models: ModelSetFile, reading: ImageReading) -> tuple[str, ...]:
    """Say so if models that know drawings were given something else, such as a photograph.

    Such an image has no object of the drawn world, or is unlike the sentence it was read as: the
    cosine of the two stays below the model set's limit.
    """
    if models.domain != "drawings":
        return ()
    if reading.likeness is not None and reading.likeness >= models.min_clip_similarity:
        return ()
    if models.photographs is not None:  # which took it for a drawing
        return (f"this is unlike the drawings that the {models.name} models know",)
    return (
        f"this looks like a photograph; the {models.name} models know drawings: use --models "
        "with a model set for photographs",
    )
