"""Whether a sentence could be read as two vectors, for grids too large to walk.

Two readings of one sentence advance side by side, word by word; pairs that have met before, or
whose words differ, go no further. So the work follows the words, not the number of states.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from rldf.grammar.axes import Axis, Slot
from rldf.grammar.encoding import Encoding

Words = tuple[str, ...]
Facts = dict[Hashable, object]


@dataclass(frozen=True, slots=True)
class _Option:
    """A way to fill a slot: a value (None in a terminal), its words, and what they tell.

    A fact is the form that an axis asks of what agrees with it, by the axis's number, or whether a
    conditional axis is in use, by ("uses", number). The options of one reading must not
    contradict each other.
    """

    value: int | None
    facts: Facts
    words: Words


class _Slot:
    """A slot with its options, found by the words that they have to agree with."""

    def __init__(self, axes: Sequence[Axis], slot: Slot) -> None:
        self.axis = slot.axis
        self._options = sorted(_options(axes, slot), key=lambda option: option.words)
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

    `facts` holds what the options chosen so far tell.
    """

    slot: int
    words: Words
    chosen: dict[int, int]
    facts: Facts


def two_readings(axes: Sequence[Axis], slots: Sequence[Slot]) -> tuple[Encoding, Encoding] | None:
    """Find two vectors that derive the same sentence."""
    places = [_Slot(axes, slot) for slot in slots]
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
            due += [(further, b) for further in _steps(places[a.slot], a, b.words)]
        elif not b.words and b.slot < len(places):
            due += [(a, further) for further in _steps(places[b.slot], b, a.words)]
        elif not a.words and not b.words and a.chosen != b.chosen:
            return _encoding(a), _encoding(b)
    return None


def _options(axes: Sequence[Axis], slot: Slot) -> Iterator[_Option]:
    """List each value of a slot in each form that can be asked of it, and its absence."""
    wanted: list[str | None] = [None]
    if slot.agrees is not None:
        wanted = [*sorted({value.form or "" for value in axes[slot.agrees].values})]
    filled: list[tuple[int | None, Facts, dict[str, str]]] = [(None, {}, slot.forms)]
    if slot.axis is not None:
        axis = axes[slot.axis]
        filled = [
            (i, _facts_of(axes, slot.axis, i), value.forms) for i, value in enumerate(axis.values)
        ]
        if axis.when is not None:
            asks = axis.values[0].form or ""
            yield _Option(0, {slot.axis: asks, ("uses", slot.axis): False}, ())
    for value, facts, forms in filled:
        for form in wanted:
            stands = {} if form is None else {slot.agrees: form}
            if facts.keys() & stands.keys() and facts[slot.agrees] != form:
                continue
            text = forms.get(form or "", forms.get("", ""))
            yield _Option(value, facts | stands, tuple(text.split()))


def _facts_of(axes: Sequence[Axis], number: int, value: int) -> Facts:
    """Name what a value tells: the form it asks for, and which axes are in use beside it."""
    chosen = axes[number].values[value]
    facts: Facts = {number: chosen.form or ""}
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


def _steps(place: _Slot, at: _Reading, words: Words) -> Iterator[_Reading]:
    """Fill the next slot in each way that suits what was read, and the words of the other side."""
    for option in place.beside(words):
        if any(at.facts.get(name, told) != told for name, told in option.facts.items()):
            continue
        chosen = at.chosen
        if place.axis is not None and option.value is not None:
            chosen = chosen | {place.axis: option.value}
        yield _Reading(at.slot + 1, option.words, chosen, at.facts | option.facts)
