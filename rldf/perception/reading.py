"""The result of reading an image: values of a grammar's axes, their probabilities and warnings.

Only the encoder decides which values are doubtful, and why. Documents, run folders, reports and
cards contain its `ReadingRecord`.
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
"""Warning for every goal that was derived from a doubtful reading."""

Medium = Literal["drawing", "photograph"]
"""Kind of an image, as decided by a photograph reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisReading:
    """The value of one axis, as read in an image.

    Attributes:
        value: name of the value; None if the axis could not be read.
        probability: the reader's probability of the value, 0 to 1; None where it gives none, such
            as for the absence of an object.
        source: the model that read it.
        known: False if the value is a guess.
    """

    value: str | None
    probability: float | None
    source: Source
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRecord:
    """The values that were read in an image, how certain they are, and warnings.

    Attributes:
        axes: the reading of every axis of the grammar, by axis symbol.
        warnings: what is doubtful, unknown or left out, one line each.
        medium: whether the image was read as a drawing or as a photograph; None for model sets
            without a photograph reader, and in runs of older versions.
    """

    axes: dict[str, AxisReading]
    warnings: tuple[str, ...] = ()
    medium: Medium | None = None

    @property
    def doubtful(self) -> bool:
        """Whether the value of any axis is a guess or could not be read."""
        return not all(axis.known for axis in self.axes.values())

    @property
    def words(self) -> str:
        """One line: each value that was read, its reader and probability, and the unknown axes."""
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
    """An image as read with a grammar.

    Attributes:
        seen: the objects, people and scenes that the models found.
        encoding: the image's encoding; None if an axis could not be read.
        nearest: the encoding, with index 0 for the axes that could not be read.
        sentence: the encoding's sentence; None without an encoding.
        record: the reading of each axis, and the warnings.
        likeness: CLIP's cosine of the image and its sentence; None without an encoding.
        shares: for axes that an image classifier read: by axis symbol, the probability of each
            value that is likelier than by chance.
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
        """Probability of the value by axis symbol, for the axes that could be read."""
        axes = self.record.axes.items()
        return {symbol: axis.probability for symbol, axis in axes if axis.value is not None}

    @property
    def unknown(self) -> tuple[str, ...]:
        """Symbols of the axes that could not be read."""
        return tuple(symbol for symbol, axis in self.record.axes.items() if axis.value is None)

    def indices(self, grammar: Grammar) -> dict[str, int]:
        """Return the index of the value by axis symbol, for the axes that could be read."""
        return {
            axis.symbol: axis.index(value)
            for axis in grammar.axes
            if (value := self.record.axes[axis.symbol].value) is not None
        }

    @property
    def by_words(self) -> bool:
        """Whether rewards compare images with the sentence that was read, not with this image.

        They do so for a photograph, if the other models were trained on drawings.
        """
        return self.record.medium == "photograph"

    def lack(self, grammar: str) -> str:
        """Return the reason why there is no encoding: the axes that could not be read."""
        return f"{', '.join(self.unknown)} of grammar {grammar} cannot be read in the image"


def axes_document(record: ReadingRecord) -> dict[str, dict[str, Any]]:
    """Return the axes of a record for a JSON document, with rounded probabilities."""
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
    """Return one line for each reason of unknown or doubtful axes, with the axes' symbols."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for symbol, result in results.items():
        if result.doubt:
            how = "not known" if result.index is None else "doubtful"
            grouped.setdefault((how, result.doubt), []).append(symbol)
    return [f"{', '.join(axes)} {how}: {doubt}" for (how, doubt), axes in grouped.items()]


def photograph_hint(models: ModelSetFile, reading: ImageReading) -> tuple[str, ...]:
    """Return a warning if models trained on drawings were given another kind of image, else ().

    The sign of such an image is that it has no encoding, or that CLIP's cosine of the image and its
    sentence is below the model set's `min_clip_similarity`.
    """
    if models.domain != "drawings":
        return ()
    if reading.likeness is not None and reading.likeness >= models.min_clip_similarity:
        return ()
    if models.photographs is not None:  # which took it for a drawing
        return (f"this is unlike the drawings that the {models.name} models were trained on",)
    return (
        f"this may be a photograph, and the {models.name} models know only drawings: type --models "
        "with a model set for photographs",
    )
