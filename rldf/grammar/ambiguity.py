"""Whether a sentence could be read as two vectors, for grids too large to walk.

Two readings of one sentence advance side by side, word by word; pairs that have met before, or
whose words differ, go no further. So the work follows the words, not the number of states.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rldf.grammar.axes import Axis, Slot
from rldf.grammar.encoding import Encoding

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Option:
    """A way to fill a slot: a value (None in a terminal), and the forms that it goes with.

    `asks` is the form that the value asks of what agrees with its axis, `stands` the form that its
    own words stand in, None where no axis decides that.
    """

    value: int | None
    asks: str
    stands: str | None
    words: Words


class _Slot:
    """A slot with its options, found by the words that they have to agree with."""

    def __init__(self, axes: Sequence[Axis], slot: Slot) -> None:
        self.axis, self.agrees = slot.axis, slot.agrees
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

    `asked` holds the agreement form of each axis that decides one, as soon as a word shows it.
    """

    slot: int
    words: Words
    chosen: dict[int, int]
    asked: dict[int, str]


def two_readings(axes: Sequence[Axis], slots: Sequence[Slot]) -> tuple[Encoding, Encoding] | None:
    """Find two vectors that derive the same sentence.

    Args:
        axes: the axes of a grammar.
        slots: its start rule, flattened.

    Returns:
        Two encodings with one sentence, or None if every sentence has one reading.
    """
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
    """List each value of a slot in each form that can be asked of it."""
    filled: list[tuple[int | None, str, dict[str, str]]] = [(None, "", slot.forms)]
    if slot.axis is not None:
        values = axes[slot.axis].values
        filled = [(i, value.form or "", value.forms) for i, value in enumerate(values)]
    wanted: list[str | None] = [None]
    if slot.agrees is not None:
        wanted = [*sorted({value.form or "" for value in axes[slot.agrees].values})]
    for value, asks, forms in filled:
        for form in wanted:
            text = forms.get(form or "", forms.get("", ""))
            yield _Option(value, asks, form, tuple(text.split()))


def _without(reading: _Reading, n: int) -> _Reading:
    return _Reading(reading.slot, reading.words[n:], reading.chosen, reading.asked)


def _encoding(reading: _Reading) -> Encoding:
    return tuple(reading.chosen[axis] for axis in sorted(reading.chosen))


def _key(a: _Reading, b: _Reading) -> tuple[object, ...]:
    """Name what decides how a pair can go on: once two choices differ, the others do not count."""
    differ = any(a.chosen[axis] != b.chosen[axis] for axis in a.chosen.keys() & b.chosen.keys())
    pending = frozenset() if differ else frozenset(a.chosen.items() ^ b.chosen.items())
    sides = ((r.slot, r.words, frozenset(r.asked.items())) for r in (a, b))
    return (*sides, differ, pending)


def _steps(place: _Slot, at: _Reading, words: Words) -> Iterator[_Reading]:
    """Fill the next slot in each way that suits what was read, and the words of the other side."""
    for option in place.beside(words):
        chosen, asked = at.chosen, at.asked
        if place.axis is not None and option.value is not None:
            if asked.get(place.axis, option.asks) != option.asks:
                continue
            chosen = chosen | {place.axis: option.value}
            asked = asked | {place.axis: option.asks}
        if place.agrees is not None and option.stands is not None:
            if asked.get(place.agrees, option.stands) != option.stands:
                continue
            asked = asked | {place.agrees: option.stands}
        yield _Reading(at.slot + 1, option.words, chosen, asked)
