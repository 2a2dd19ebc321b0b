"""One axis of an image: the place of what was seen on it, who says so, and why it is doubtful."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rldf.grammar.grammar import Axis, Grammar
from rldf.io.text import plain_label
from rldf.perception.labels import axis_words, known_labels
from rldf.perception.reading import AxisReading, Seen, SeenObject, Source

_TIE = 1e-6  # two probabilities this near are one


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisRead:
    """What was read on an axis.

    Attributes:
        place: of the value; None where nothing could be read.
        source: who read it.
        probability: how sure it is; None where the reader gives no figure.
        doubt: why it is a guess or was not read; "" for what is known.
    """

    place: int | None
    source: Source = "detector"
    probability: float | None = None
    doubt: str = ""

    def named(self, axis: Axis) -> AxisReading:
        """Say it in the axis's words."""
        return AxisReading(
            value=None if self.place is None else axis.values[self.place].name,
            probability=self.probability,
            source="nobody" if self.place is None else self.source,
            known=not self.doubt,
        )


def unreadable_axes(grammar: Grammar, labels: Sequence[str] | None) -> dict[str, str]:
    """Find the axes that a detector cannot read, whatever the image."""
    if labels is None:
        return {}
    found: dict[str, str] = {}
    blind = {
        axis.rank
        for axis in grammar.axes
        if axis.reads == "object" and not known_labels(labels, axis_words([axis]))
    }
    no_people = not known_labels(labels, grammar.people)
    for axis in grammar.axes:
        if axis.reads in ("object", "object_count") and axis.rank in blind:
            found[axis.symbol] = "the detector has no label for any such thing"
        if axis.reads in ("people_count", "action") and no_people:
            found[axis.symbol] = "the detector has no label for people"
    return found


def read_axis(
    grammar: Grammar,
    axis: Axis,
    seen: Seen,
    objects: Mapping[int, SeenObject | None],
    most: int | None,
) -> AxisRead:
    """Read an axis that CLIP does not read."""
    if axis.reads == "scene":
        return _read_scene(grammar, axis, seen)
    if axis.reads == "people_count":
        return _counted(axis, seen.people, seen.people_confidence, seen, most)
    if axis.reads == "action" and (read := _read_action(axis, seen)):
        return read
    if axis.reads in ("attribute", "action"):
        says_nothing = not any(axis.values[0].forms.values())
        doubt = "" if says_nothing else "nobody is there, and its first value is held"
        return AxisRead(place=0, source="nobody", doubt=doubt)
    thing = objects.get(axis.rank)
    if thing is None:
        return _read_absence(grammar, axis)
    if axis.reads == "object_count":
        return _counted(axis, thing.count, thing.confidence, seen, most)
    return AxisRead(place=axis.index(thing.value), probability=thing.confidence)


def told_apart(shares: NDArray[np.float32], axis: Axis) -> AxisRead:
    """Read an axis that CLIP reads."""
    if not np.isfinite(shares).all():
        return AxisRead(place=None, doubt="CLIP gives no numbers")
    tied = _tied(dict(zip((value.name for value in axis.values), shares.tolist(), strict=True)))
    return AxisRead(
        place=int(shares.argmax()),
        source="CLIP",
        probability=float(shares.max()),
        doubt=f"CLIP finds {tied} equally likely" if tied else "",
    )


def reasons(reads: Mapping[str, AxisRead]) -> list[str]:
    """Say what is not known and what is doubtful."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for symbol, read in reads.items():
        if read.doubt:
            how = "not known" if read.place is None else "doubtful"
            grouped.setdefault((how, read.doubt), []).append(symbol)
    return [f"{', '.join(axes)} {how}: {doubt}" for (how, doubt), axes in grouped.items()]


def _read_action(axis: Axis, seen: Seen) -> AxisRead | None:
    """Read what people do from a detector that names it; None where this one does not."""
    sums = [
        sum(seen.actions.get(label, 0.0) for label in set(map(plain_label, value.labels)))
        for value in axis.values
    ]
    if not sum(sums):
        return None
    place = int(np.argmax(sums))
    tied = _tied(dict(zip((value.name for value in axis.values), sums, strict=True)))
    doubt = f"the detector finds {tied} equally likely" if tied else ""
    return AxisRead(place=place, probability=sums[place] / sum(sums), doubt=doubt)


def _read_scene(grammar: Grammar, axis: Axis, seen: Seen) -> AxisRead:
    scene = seen.scene
    if scene is None:
        return AxisRead(
            place=None, doubt="the scene classifier gives none of its scenes a probability"
        )
    share, tied, doubt = seen.scenes[scene], _tied(seen.scenes), ""
    if seen.elsewhere is not None and seen.elsewhere[1] > share:
        place, more = seen.elsewhere
        doubt = (
            f"the scene classifier sees {place} ({more:.2f}), for which grammar {grammar.name} has "
            f"no word, rather than {scene} ({share:.2f})"
        )
    elif tied:
        doubt = f"the scene classifier finds {tied} equally likely"
    return AxisRead(
        place=axis.index(scene), source="scene classifier", probability=share, doubt=doubt
    )


def _tied(shares: Mapping[str, float]) -> str:
    """Name the two likeliest where they are equally likely."""
    ranked = sorted(shares, key=lambda name: -shares[name])[:2]
    near = len(ranked) == 2 and shares[ranked[0]] - shares[ranked[1]] <= _TIE
    return " and ".join(ranked) if near else ""


def _read_absence(grammar: Grammar, axis: Axis) -> AxisRead:
    """Read an object's axis, or that of its counts, where there is no such thing."""
    counts = grammar.reading("object_count", axis.rank)
    none = counts is not None and (counts.values[0].count or (1, None))[0] == 0
    nothing = "the detector sees nothing that it has a word for"
    if axis.reads == "object_count":
        return AxisRead(place=0) if none else AxisRead(place=None, doubt=nothing)
    empty = [i for i, value in enumerate(axis.values) if not value.labels]
    if empty:
        return AxisRead(place=empty[0])
    if none:  # of "no bananas" and "no dogs" the first
        doubt = "there is no such thing, and its first value is held"
        return AxisRead(place=0, source="nobody", doubt=doubt)
    return AxisRead(place=None, doubt=nothing)


def _counted(
    axis: Axis, count: int, sureness: float | None, seen: Seen, most: int | None
) -> AxisRead:
    """Read a number of things; one that the detector may have stopped at is a guess."""
    place = bin_of(axis, count)
    bounded = (axis.values[place].count or (0, None))[1] is not None
    full = most is not None and seen.boxes >= most and bounded
    doubt = f"the detector sees {most} things at most, and saw as many" if full else ""
    return AxisRead(place=place, probability=sureness, doubt=doubt)


def bin_of(axis: Axis, count: int) -> int:
    """Find the bin of a count."""
    for i, value in enumerate(axis.values):
        low, high = value.count or (0, None)
        if low <= count and (high is None or count <= high):
            return i
    return 0


def joined(reads: Iterable[AxisRead]) -> tuple[int, ...]:
    """Give the places, with the first where nothing was read.

    Returns:
        (n_axes,) an encoding.
    """
    return tuple(read.place or 0 for read in reads)
