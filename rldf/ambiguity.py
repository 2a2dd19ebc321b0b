"""Whether a sentence could be read as two vectors, for grids too large to walk.

Two readings of one sentence advance side by side, word by word; pairs that have met before, or
whose words differ, go no further. So the work follows the words, not the number of states.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rldf.axes import Axis, Slot
from rldf.encoding import Encoding


@dataclass(frozen=True, slots=True)
class _Reading:
    """A sentence read in part: the next slot, words chosen but not compared yet, and choices.

    `asked` holds the agreement form of each axis that decides one, as soon as a word shows it.
    """

    slot: int
    words: tuple[str, ...]
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
        if not a.words and a.slot < len(slots):
            due += [(further, b) for further in _steps(axes, slots, a)]
        elif not b.words and b.slot < len(slots):
            due += [(a, further) for further in _steps(axes, slots, b)]
        elif not a.words and not b.words and a.chosen != b.chosen:
            return _encoding(a), _encoding(b)
    return None


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


def _steps(axes: Sequence[Axis], slots: Sequence[Slot], at: _Reading) -> Iterator[_Reading]:
    """Take each value and each form that the next slot can have here."""
    slot = slots[at.slot]
    if slot.axis is None:
        options = [(at.chosen, at.asked, slot.forms)]
    else:
        options = [
            (at.chosen | {slot.axis: i}, at.asked | {slot.axis: value.form or ""}, value.forms)
            for i, value in enumerate(axes[slot.axis].values)
            if at.asked.get(slot.axis, value.form or "") == (value.form or "")
        ]
    for chosen, asked, forms in options:
        if slot.agrees is None:
            yield _Reading(at.slot + 1, tuple(forms[""].split()), chosen, asked)
            continue
        known = asked.get(slot.agrees)
        wanted = {value.form or "" for value in axes[slot.agrees].values}
        for form in sorted(wanted) if known is None else [known]:
            words = tuple(forms.get(form, forms.get("", "")).split())
            yield _Reading(at.slot + 1, words, chosen, asked | {slot.agrees: form})
