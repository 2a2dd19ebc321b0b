"""Whether a sentence could be read as two vectors, for grids too large to walk.

Two readings of one sentence advance side by side, word by word; pairs that have met before, or
whose words differ, go no further. So the work follows the words, not the number of states.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import product

from rldf.grammar.axes import Axis, Slot
from rldf.grammar.encoding import Encoding

Words = tuple[str, ...]
Facts = dict[Hashable, object]
Cases = Set[tuple[str, tuple[str, ...]]]
"""Axes, each with the values that a terminal is left out with."""


@dataclass(frozen=True, slots=True)
class _Option:
    """A way to fill a slot: a value (None in a terminal), its words, and what they tell.

    A fact is the form that an axis asks of what agrees with it, by the axis's number, whether a
    conditional axis is in use, by ("uses", number), or whether an axis has one of the values that
    a terminal is left out with, by (symbol, values). The options of one reading must not contradict
    each other.
    """

    value: int | None
    facts: Facts
    words: Words


class _Slot:
    """A slot with its options, found by the words that they have to agree with."""

    def __init__(self, axes: Sequence[Axis], slot: Slot, cases: Cases) -> None:
        self.axis = slot.axis
        self._options = sorted(_options(axes, slot, cases), key=lambda option: option.words)
        self.facts = {name for option in self._options for name in option.facts}
        self._words = [option.words for option in self._options]
        self._whole: defaultdict[Words, list[_Option]] = defaultdict(list)
        for option in self._options:
            self._whole[option.words].append(option)

    def beside(self, words: Words) -> Iterator[_Option]:
        """List the options whose words begin the given ones, or go on from them."""
        for n in range(len(words)):
            yield from self._whole.get(words[:n], ())
        for i in range(bisect_left(self._words, words), len(self._words)):
            if self._words[i][: len(words)] != words:
                return
            yield self._options[i]


@dataclass(frozen=True, slots=True)
class _Reading:
    """A sentence read in part: the next slot, words chosen but not compared yet, and choices.

    `facts` holds what the options chosen so far tell of the slots that are still to come.
    """

    slot: int
    words: Words
    chosen: dict[int, int]
    facts: Facts


def two_readings(axes: Sequence[Axis], slots: Sequence[Slot]) -> tuple[Encoding, Encoding] | None:
    """Find two vectors that derive the same sentence."""
    cases = {(axis, values) for slot in slots for case in slot.omit for axis, values in case}
    places = [_Slot(axes, slot, cases) for slot in slots]
    # What no slot to come speaks of is forgotten, or the pairs would be as many as its values.
    due_facts = [{name for later in places[n:] for name in later.facts} for n in range(len(places))]
    due_facts.append(set())
    start = _Reading(0, (), {}, {})
    due, seen = [(start, start)], set()
    while due:
        a, b = due.pop()
        n = min(len(a.words), len(b.words))
        if a.words[:n] != b.words[:n]:
            continue
        a, b = _without(a, n), _without(b, n)
        key = _key(a, b)
        if key in seen:
            continue
        seen.add(key)
        if not a.words and a.slot < len(places):
            wanted = due_facts[a.slot + 1]
            due += [(further, b) for further in _steps(places[a.slot], a, b.words, wanted)]
        elif not b.words and b.slot < len(places):
            wanted = due_facts[b.slot + 1]
            due += [(a, further) for further in _steps(places[b.slot], b, a.words, wanted)]
        elif not a.words and not b.words and a.chosen != b.chosen:
            return _encoding(a), _encoding(b)
    return None


def _options(axes: Sequence[Axis], slot: Slot, cases: Cases) -> Iterator[_Option]:
    """List each value of a slot in each form that can be asked of it, and its absence."""
    wanted: list[str | None] = [None]
    if slot.agrees is not None:
        wanted = [*sorted({value.form or "" for value in axes[slot.agrees].values})]
    filled: list[tuple[int | None, Facts, dict[str, str]]] = [(None, {}, slot.forms)]
    if slot.axis is not None:
        axis = axes[slot.axis]
        filled = [
            (i, _facts_of(axes, slot.axis, i, cases), value.forms)
            for i, value in enumerate(axis.values)
        ]
        if axis.when is not None:
            told = _facts_of(axes, slot.axis, 0, cases)
            yield _Option(0, told | {("uses", slot.axis): False}, ())
    elif slot.omit:
        told_of = {literal for case in slot.omit for literal in case}
        for facts in _assignments(told_of):
            if any(all(facts[literal] for literal in case) for case in slot.omit):
                yield _Option(None, facts, ())
            else:
                filled = [*filled, (None, facts, slot.forms)]
        filled = filled[1:]  # without what is told of nothing
    for value, facts, forms in filled:
        for form in wanted:
            stands = {} if form is None else {slot.agrees: form}
            if facts.keys() & stands.keys() and facts[slot.agrees] != form:
                continue
            text = forms.get(form or "", forms.get("", ""))
            yield _Option(value, facts | stands, tuple(text.split()))


def _assignments(names: Iterable[Hashable]) -> Iterator[Facts]:
    """List every way in which facts may hold or not."""
    known = list(names)
    for holds in product((False, True), repeat=len(known)):
        yield dict(zip(known, holds, strict=True))


def _facts_of(axes: Sequence[Axis], number: int, value: int, cases: Cases) -> Facts:
    """Name what a value tells: the form it asks for, and what is in use beside it."""
    chosen = axes[number].values[value]
    facts: Facts = {number: chosen.form or ""}
    for symbol, values in cases:
        if symbol == axes[number].symbol:
            facts[symbol, values] = chosen.name in values
    if axes[number].when is not None:
        facts["uses", number] = True
    for i, axis in enumerate(axes):
        if axis.when is not None and axis.when[0] == axes[number].symbol:
            facts["uses", i] = chosen.name in axis.when[1]
    return facts


def _without(reading: _Reading, n: int) -> _Reading:
    return _Reading(reading.slot, reading.words[n:], reading.chosen, reading.facts)


def _encoding(reading: _Reading) -> Encoding:
    return tuple(reading.chosen[axis] for axis in sorted(reading.chosen))


def _key(a: _Reading, b: _Reading) -> tuple[object, ...]:
    """Name what decides how a pair can go on: once two choices differ, the others do not count."""
    differ = any(a.chosen[axis] != b.chosen[axis] for axis in a.chosen.keys() & b.chosen.keys())
    pending = frozenset() if differ else frozenset(a.chosen.items() ^ b.chosen.items())
    sides = ((r.slot, r.words, frozenset(r.facts.items())) for r in (a, b))
    return (*sides, differ, pending)


def _steps(place: _Slot, at: _Reading, words: Words, wanted: Set[Hashable]) -> Iterator[_Reading]:
    """Fill the next slot in each way that suits what was read, and the words of the other side."""
    for option in place.beside(words):
        if any(at.facts.get(name, told) != told for name, told in option.facts.items()):
            continue
        chosen = at.chosen
        if place.axis is not None and option.value is not None:
            chosen = chosen | {place.axis: option.value}
        told = at.facts | option.facts
        facts = {name: told[name] for name in wanted & told.keys()}
        yield _Reading(at.slot + 1, option.words, chosen, facts)
