"""The kinds of axes: what an axis holds of an image, one class for each.

A grammar file names the kind of an axis as `reads`. Everything that differs between kinds is a
method or an attribute here: which problems a file can have, how the axis is read in an image, when
CLIP is asked, and how its values are ordered. A new kind is a class, and its line in `KINDS`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from rldf.grammar.contents import SceneContents, SeenObject
from rldf.io.text import plain_label

if TYPE_CHECKING:
    from rldf.grammar.axes import Axis
    from rldf.grammar.encoding import Encoding
    from rldf.grammar.grammar import Grammar
    from rldf.grammar.schema import AxisFile, GrammarFile

Source = Literal["detector", "scene classifier", "CLIP", "image classifier", "nobody"]

SCENES = "coco-places"
"""The grammar whose scene axis is the taxonomy of scenes: indoors, then outdoors, by kind."""

_TIE = 1e-6  # two probabilities this near are one


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What an axis is read from.

    Attributes:
        grammar: the axis's.
        contents: what was seen in the image.
        objects: the noun of each rank, None where there is no such thing.
        max_boxes: how many boxes the detector gives at most; None where that is not known.
        labels: what the detector can see; None where that is not known.
    """

    grammar: "Grammar"
    contents: SceneContents
    objects: Mapping[int, SeenObject | None]
    max_boxes: int | None = None
    labels: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisResult:
    """What was read on an axis.

    Attributes:
        index: of the value; None where nothing could be read.
        source: which model read it.
        probability: 0 to 1; None where the model gives no figure.
        doubt: why it is a guess or was not read; "" for what is known.
    """

    index: int | None
    source: Source = "detector"
    probability: float | None = None
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """The value of one axis, as read from an image that was drawn.

    Attributes:
        value: its number on the axis; None where nothing was seen that the axis has a word for.
        number: how many things were seen, on axes of counts; None on others.
    """

    value: int | None
    number: int | None = None


class AxisKind(ABC):
    """One kind of axis, with what most kinds have in common.

    Attributes:
        reader: which model reads it.
        is_single: whether a grammar has at most one axis of this kind and rank.
        has_objects: whether its values are things that the detector finds.
        needs_objects: whether the detector must know things of its rank to read it.
        needs_people: whether the detector must know people to read it.
        needs_labels: whether every value of rank 1 needs a label.
        is_count: whether its values are numbers of things.
    """

    reader: ClassVar[Source] = "detector"
    is_single: ClassVar[bool] = True
    has_objects: ClassVar[bool] = False
    needs_objects: ClassVar[bool] = False
    needs_people: ClassVar[bool] = False
    needs_labels: ClassVar[bool] = False
    is_count: ClassVar[bool] = False

    def check(self, symbol: str, axis: "AxisFile", file: "GrammarFile") -> list[str]:
        """Find what is wrong with such an axis of a grammar file, one line a problem."""
        if not self.is_single:
            return []
        same = (s for s, a in file.axes.items() if (a.reads, a.rank) == (axis.reads, axis.rank))
        first = next(same)
        if first == symbol:
            return []
        return [f"axes.{symbol}: reads {axis.reads} {axis.rank}, as '{first}' does"]

    @abstractmethod
    def read(self, axis: "Axis", seen: Evidence) -> AxisResult:
        """Read an axis from what was seen; where CLIP is asked, this is what holds until then."""

    def asks_clip(self, contents: SceneContents) -> bool:
        """Tell whether CLIP reads the axis where the detector has not."""
        return self.reader == "CLIP"

    def read_back(
        self, axis: "Axis", contents: SceneContents, nouns: Mapping[int, str]
    ) -> ReadBack:
        """Read an axis from an image drawn of known nouns, by rank; CLIP reads what it reads."""
        raise NotImplementedError(f"{self.reader} reads this axis")

    def question(self, axis: int, encoding: "Encoding", n_values: int) -> list["Encoding"]:
        """List the encodings whose sentences CLIP compares with the image: one for each value."""
        return [(*encoding[:axis], k, *encoding[axis + 1 :]) for k in range(n_values)]

    def preset_name(self, reads: str) -> str:
        """Name the rule of a clone's preset for the values of such an axis."""
        return reads

    def fixed_values(self, axis: "Axis") -> int:
        """Count the values that keep their places at the beginning of an ordered axis."""
        return 0

    def taxonomy_keys(self, axis: "Axis") -> Sequence[str | None]:
        """Give the sort key of each value in a taxonomy; None for one that keeps its place."""
        return [None] * len(axis.values)


class Object(AxisKind):
    """A thing that the detector finds; the axis of rank 1 holds the dominant one.

    Where the detector sees nothing, and has no label for some of the values, CLIP is asked which of
    all of them the image shows, nothing among them.
    """

    has_objects = needs_objects = needs_labels = True

    def read(self, axis: "Axis", seen: Evidence) -> AxisResult:
        """Take the noun of the axis's rank, or the value that stands for no such thing."""
        thing = seen.objects.get(axis.rank)
        if thing is not None:
            return AxisResult(index=axis.index(thing.value), probability=thing.confidence)
        empty = [i for i, value in enumerate(axis.values) if not value.labels]
        if empty:
            beyond = axis.rank == 1 and _has_more_words(axis, seen.labels)
            return AxisResult(index=empty[0], source="nobody" if beyond else "detector")
        if _counts_none(seen.grammar, axis.rank):  # of "no bananas" and "no dogs" the first
            doubt = "there is no such thing, and its first value is held"
            return AxisResult(index=0, source="nobody", doubt=doubt)
        return AxisResult(index=None, doubt=_NOTHING)

    def read_back(
        self, axis: "Axis", contents: SceneContents, nouns: Mapping[int, str]
    ) -> ReadBack:
        """Take the first thing that no other axis has asked for, or the value for none."""
        others = {noun for rank, noun in nouns.items() if rank != axis.rank}
        several = {thing.value for thing in contents.objects if (thing.count or 0) > 1}
        shared = several & {nouns[axis.rank]}  # one of several things may be another axis's
        seen = [t.value for t in contents.objects if t.value not in others or t.value in shared]
        words = [value.name for value in axis.values]
        known = [words.index(thing) for thing in seen if thing in words]
        nothing = [i for i, value in enumerate(axis.values) if not value.labels]
        return ReadBack(next(iter(known + nothing), None))

    def asks_clip(self, contents: SceneContents) -> bool:
        """Ask where the detector sees nothing."""
        return not contents.objects

    def preset_name(self, reads: str) -> str:
        """Name a second object, since the first one is the class."""
        return "companion"

    def taxonomy_keys(self, axis: "Axis") -> Sequence[str | None]:
        """Sort by WordNet number."""
        return [value.wnid for value in axis.values]


class Count(AxisKind):
    """How many there are of something, in bins without holes."""

    is_count = True
    lowest: ClassVar[int] = 1

    def check(self, symbol: str, axis: "AxisFile", file: "GrammarFile") -> list[str]:
        """Find holes and overlaps between bins; the last one must be open."""
        found = super().check(symbol, axis, file)
        last = list(axis.values)[-1]
        lowest = next(iter(axis.values.values())).count
        due = self.lowest
        if axis.rank > 1 and lowest is not None and lowest[0] == 0:
            due = 0  # a second object may be absent
        for name, value in axis.values.items():
            here = f"axes.{symbol}.values.{name}.count"
            if value.count is None:
                return [*found, f"{here}: a count axis needs [lowest, highest]"]
            low, high = value.count
            if low != due or (high is not None and high < low):
                found.append(f"{here}: must start at {due} and not end below it")
            if (high is None) != (name == last):
                found.append(f"{here}: the last bin alone ends with null")
            due = (low if high is None else high) + 1
        return found

    def fixed_values(self, axis: "Axis") -> int:
        """Keep all: bins follow each other."""
        return len(axis.values)

    def counted(
        self, axis: "Axis", count: int | None, confidence: float | None, seen: Evidence
    ) -> AxisResult:
        """Read a number; one that the detector may have stopped at is a guess."""
        if count is None:
            return AxisResult(index=None, doubt="nobody counted")
        index = bin_holding(axis, count) or 0
        bounded = (axis.values[index].count or (0, None))[1] is not None
        most = seen.max_boxes
        full = most is not None and seen.contents.boxes >= most and bounded
        doubt = f"the detector sees {most} things at most, and saw as many" if full else ""
        return AxisResult(index=index, probability=confidence, doubt=doubt)


class ObjectCount(Count):
    """How many there are of the object of the same rank."""

    needs_objects = True

    def check(self, symbol: str, axis: "AxisFile", file: "GrammarFile") -> list[str]:
        """Find a count without its object too."""
        found = super().check(symbol, axis, file)
        counted = (a for a in file.axes.values() if kind_of(a.reads).has_objects)
        if axis.rank not in {other.rank for other in counted}:
            found.append(
                f"axes.{symbol}: counts object {axis.rank}, and no axis reads object {axis.rank}"
            )
        return found

    def read(self, axis: "Axis", seen: Evidence) -> AxisResult:
        """Count the boxes of the object."""
        thing = seen.objects.get(axis.rank)
        if thing is not None:
            return self.counted(axis, thing.count, thing.confidence, seen)
        if _counts_none(seen.grammar, axis.rank):
            return AxisResult(index=0)
        return AxisResult(index=None, doubt=_NOTHING)

    def read_back(
        self, axis: "Axis", contents: SceneContents, nouns: Mapping[int, str]
    ) -> ReadBack:
        """Count the boxes of the noun that was asked for."""
        asked = nouns.get(axis.rank)
        count = sum(thing.count or 0 for thing in contents.objects if thing.value == asked)
        return ReadBack(bin_holding(axis, count), count)

    def asks_clip(self, contents: SceneContents) -> bool:
        """Ask how many there are of a thing that CLIP reads."""
        return not contents.objects


class PeopleCount(Count):
    """How many people there are."""

    lowest = 0
    needs_people = True

    def read(self, axis: "Axis", seen: Evidence) -> AxisResult:
        """Count the boxes of people."""
        contents = seen.contents
        return self.counted(axis, contents.people, contents.people_confidence, seen)

    def read_back(
        self, axis: "Axis", contents: SceneContents, nouns: Mapping[int, str]
    ) -> ReadBack:
        """Count the boxes of people."""
        return ReadBack(bin_holding(axis, contents.people or 0), contents.people)


class Scene(AxisKind):
    """The place that the image shows."""

    reader = "scene classifier"
    needs_labels = True

    def read(self, axis: "Axis", seen: Evidence) -> AxisResult:
        """Take the most probable scene; doubt it where a scene without a word is more probable."""
        contents, scene = seen.contents, seen.contents.scene
        if scene is None:
            lack = "the scene classifier gives none of its scenes a probability"
            return AxisResult(index=None, doubt=lack)
        share, tied, doubt = contents.scenes[scene], _tied(contents.scenes), ""
        if contents.elsewhere is not None and contents.elsewhere[1] > share:
            place, more = contents.elsewhere
            doubt = (
                f"the scene classifier sees {place} ({more:.2f}), for which grammar "
                f"{seen.grammar.name} has no word, rather than {scene} ({share:.2f})"
            )
        elif tied:
            doubt = f"the scene classifier finds {tied} equally likely"
        return AxisResult(
            index=axis.index(scene), source="scene classifier", probability=share, doubt=doubt
        )

    def read_back(
        self, axis: "Axis", contents: SceneContents, nouns: Mapping[int, str]
    ) -> ReadBack:
        """Take the most probable scene."""
        return ReadBack(None if contents.scene is None else axis.index(contents.scene))

    def taxonomy_keys(self, axis: "Axis") -> Sequence[str | None]:
        """Sort by the place of a value's first label in the grammar of all scenes."""
        from rldf.grammar.grammar import load_grammar

        order = load_grammar(SCENES).axis("Scene").value_of_label()
        known = {plain_label(label): place for label, place in order.items()}
        labels = (map(plain_label, value.labels) for value in axis.values)
        places = ([known[label] for label in own if label in known] for own in labels)
        return [f"{min(found):04d}" if found else None for found in places]


class Attribute(AxisKind):
    """What CLIP tells by comparing the image with sentences; the first value is the neutral one."""

    reader = "CLIP"
    is_single = False

    def read(self, axis: "Axis", seen: Evidence) -> AxisResult:
        """Hold the first value until CLIP is asked."""
        says_nothing = not any(axis.values[0].forms.values())
        doubt = "" if says_nothing else "nobody is there, and its first value is held"
        return AxisResult(index=0, source="nobody", doubt=doubt)

    def fixed_values(self, axis: "Axis") -> int:
        """Keep the neutral value first."""
        return 1


class Action(Attribute):
    """What people do: read from a detector that names it, else by CLIP if there are people."""

    needs_people = True

    def check(self, symbol: str, axis: "AxisFile", file: "GrammarFile") -> list[str]:
        """Refuse an axis that cannot tell two actions apart."""
        few = len(axis.values) < 2
        return [f"axes.{symbol}.values: an action axis needs two verbs or more"] if few else []

    def read(self, axis: "Axis", seen: Evidence) -> AxisResult:
        """Take the action that the detector is surest of, where it names any."""
        actions = seen.contents.actions
        sums = [
            sum(actions.get(label, 0.0) for label in set(map(plain_label, value.labels)))
            for value in axis.values
        ]
        if not sum(sums):
            return super().read(axis, seen)
        index = int(np.argmax(sums))
        tied = _tied(dict(zip((value.name for value in axis.values), sums, strict=True)))
        doubt = f"the detector finds {tied} equally likely" if tied else ""
        return AxisResult(index=index, probability=sums[index] / sum(sums), doubt=doubt)

    def asks_clip(self, contents: SceneContents) -> bool:
        """Ask only where somebody could act."""
        return bool(contents.people)


KINDS: dict[str, AxisKind] = {
    "object": Object(),
    "object_count": ObjectCount(),
    "people_count": PeopleCount(),
    "scene": Scene(),
    "action": Action(),
    "attribute": Attribute(),
}
"""The kinds by the name that a grammar file gives as `reads`."""

_NOTHING = "the detector sees nothing that it has a word for"


def kind_of(reads: str) -> AxisKind:
    """Find the kind that a grammar file names."""
    return KINDS[reads]


def known_kind(reads: str) -> str:
    """Refuse a name of no kind with a ValueError that lists the kinds."""
    if reads not in KINDS:
        raise ValueError(f"'{reads}' is no kind of axis: name one of {', '.join(KINDS)}")
    return reads


def most_likely(shares: "np.ndarray", axis: "Axis") -> AxisResult:
    """Choose the value of an axis that CLIP reads; (n_values,) probabilities that sum to 1."""
    if not np.isfinite(shares).all():
        return AxisResult(index=None, doubt="CLIP gives no numbers")
    tied = _tied(dict(zip((value.name for value in axis.values), shares.tolist(), strict=True)))
    return AxisResult(
        index=int(shares.argmax()),
        source="CLIP",
        probability=float(shares.max()),
        doubt=f"CLIP finds {tied} equally likely" if tied else "",
    )


def bin_holding(axis: "Axis", count: int) -> int | None:
    """Find the bin of a count; None below the lowest: bins have no holes, and the last is open."""
    for i, value in enumerate(axis.values):
        low, high = value.count or (0, None)
        if low <= count and (high is None or count <= high):
            return i
    return None


def _counts_none(grammar: "Grammar", rank: int) -> bool:
    """Tell whether the counts of a rank have a bin for none."""
    counts = grammar.reading("object_count", rank)
    return counts is not None and (counts.values[0].count or (1, None))[0] == 0


def _has_more_words(axis: "Axis", labels: Sequence[str] | None) -> bool:
    """Tell whether an axis has values that a detector has no label for."""
    if labels is None:
        return False
    known = set(map(plain_label, labels))
    return any(
        value.labels and known.isdisjoint(map(plain_label, value.labels)) for value in axis.values
    )


def _tied(shares: Mapping[str, float]) -> str:
    """Name the two likeliest where they are equally likely."""
    ranked = sorted(shares, key=lambda name: -shares[name])[:2]
    near = len(ranked) == 2 and shares[ranked[0]] - shares[ranked[1]] <= _TIE
    return " and ".join(ranked) if near else ""
