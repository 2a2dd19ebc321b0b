"""The context-free grammar: a vector of words derives a sentence, and a sentence parses back.

A grammar file (`grammars/*.yaml`) holds the paper's productions in the paper's symbols, the
terminals, and the axes: pre-terminals whose values, in order of semantic locality, are the
coordinates of the grid (paper §3, arXiv:2311.15648). Surface forms are data: a terminal or a
value may have several texts, and `agreement` says which axis chooses among them.

    derivation ψ (axis -> value name)  -- encode -->  encoding υ  -- derive -->  sentence
                                       <-- decode --              <-- parse --
"""

import hashlib
import json
import math
from collections.abc import Container, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property

from rldf.errors import GrammarError
from rldf.grammar.ambiguity import two_readings
from rldf.grammar.axes import Axis, Slot, Value
from rldf.grammar.encoding import Encoding, fits, format_encoding
from rldf.grammar.schema import (
    AxisFile,
    GrammarFile,
    condition,
    forms,
    leaves,
    resolve,
    value_forms,
)
from rldf.grammar.schema import problems as problems_of
from rldf.io.resources import find, names
from rldf.io.yaml import read_text, validate_yaml
from rldf.sharing import Shared

__all__ = ["Axis", "Grammar", "Slot", "Value", "check_grammar", "load_grammar"]


@dataclass(frozen=True, kw_only=True)
class Grammar(Shared):
    """A finite grammar G = <T, N, S, R> whose sentences are the points of a grid.

    Attributes:
        name: the name users type.
        description: one line for lists.
        productions: right-hand side by non-terminal, as written.
        axes: in the order of the encoding.
        slots: the start rule, flattened to axes and terminals.
        people: detector labels that are people.
    """

    name: str
    description: str
    productions: dict[str, str]
    axes: tuple[Axis, ...]
    slots: tuple[Slot, ...]
    people: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each axis has."""
        return tuple(len(axis.values) for axis in self.axes)

    @property
    def n_states(self) -> int:
        """How many points the grid has; those that differ in an unused axis share a sentence."""
        return math.prod(self.shape)

    @cached_property
    def conditions(self) -> dict[int, tuple[int, frozenset[int]]]:
        """By number of a conditional axis: the axis it depends on, and the values it needs."""
        number = {axis.symbol: i for i, axis in enumerate(self.axes)}
        return {
            i: (number[axis.when[0]], self._indices(*axis.when))
            for i, axis in enumerate(self.axes)
            if axis.when is not None
        }

    def _indices(self, symbol: str, names: Sequence[str]) -> frozenset[int]:
        """Number values; a grammar with fewer values may lack some of a condition's."""
        values = self.axis(symbol).values
        return frozenset(i for i, value in enumerate(values) if value.name in names)

    def uses(self, axis: int, encoding: Encoding) -> bool:
        """Tell whether an axis leaves words in the sentence of an encoding."""
        condition = self.conditions.get(axis)
        if condition is None:
            return True
        control, needed = condition
        return encoding[control] in needed and self.uses(control, encoding)

    def canonical(self, encoding: Encoding) -> Encoding:
        """Set the axes that a sentence does not use to their first value."""
        return tuple(x if self.uses(i, encoding) else 0 for i, x in enumerate(encoding))

    def using(self, axis: int, encoding: Encoding) -> Encoding:
        """Change an encoding so that its sentence uses an axis, where it does not."""
        while axis in self.conditions:
            axis, needed = self.conditions[axis]
            if needed and encoding[axis] not in needed:
                encoding = (*encoding[:axis], min(needed), *encoding[axis + 1 :])
        return encoding

    def unspoken(self, axis: int, encoding: Encoding, varied: Container[int] = ()) -> str:
        """Say which value keeps a sentence from speaking of an axis, "" if none of a fixed axis."""
        while axis in self.conditions:
            axis, needed = self.conditions[axis]
            if axis not in varied and encoding[axis] not in needed:
                control = self.axes[axis]
                return f"{control.symbol} is {control.values[encoding[axis]].name}"
        return ""

    def omits(self, slot: Slot, encoding: Encoding) -> bool:
        """Tell whether a terminal leaves no words in the sentence of an encoding."""
        return any(
            all(encoding[axis] in values for axis, values in case)
            for case in self._cases[slot.omit]
        )

    @cached_property
    def _cases(self) -> dict[object, list[list[tuple[int, frozenset[int]]]]]:
        """By a slot's `omit`: its cases with axes and values by number."""
        number = {axis.symbol: i for i, axis in enumerate(self.axes)}
        return {
            slot.omit: [
                [(number[symbol], self._indices(symbol, names)) for symbol, names in case]
                for case in slot.omit
            ]
            for slot in self.slots
        }

    def axis(self, symbol: str) -> Axis:
        """Find an axis."""
        for axis in self.axes:
            if axis.symbol == symbol:
                return axis
        known = ", ".join(axis.symbol for axis in self.axes)
        raise GrammarError(f"grammar {self.name} has no axis '{symbol}'; it has: {known}")

    def reading(self, reads: str, rank: int = 1) -> Axis | None:
        """Find the axis that reads something of an image."""
        matches = (a for a in self.axes if a.reads == reads and a.rank == rank)
        return next(matches, None)

    def encode(self, derivation: dict[str, str]) -> Encoding:
        """Label-encode a derivation (paper §3: ψ to υ)."""
        unknown = set(derivation) - {axis.symbol for axis in self.axes}
        missing = {axis.symbol for axis in self.axes} - set(derivation)
        if unknown or missing:
            named = ", ".join(sorted(unknown | missing))
            raise GrammarError(f"a derivation of {self.name} names each axis once; check: {named}")
        return tuple(axis.index(derivation[axis.symbol]) for axis in self.axes)

    def decode(self, encoding: Encoding) -> dict[str, str]:
        """Name the values of an encoding: the inverse of `encode`."""
        self._check(encoding)
        return {
            axis.symbol: axis.values[i].name for axis, i in zip(self.axes, encoding, strict=True)
        }

    def derive(self, encoding: Encoding) -> str:
        """Derive the one sentence of an encoding."""
        self._check(encoding)
        return " ".join(filter(None, (self._surface(slot, encoding) for slot in self.slots)))

    def parse(self, sentence: str) -> Encoding:
        """Read a sentence back: the inverse of `derive` on every state."""
        wanted = " ".join(sentence.split())
        readings = self._matches(wanted.split(" "), 0, {})
        matching = (e for e in readings if self.derive(e) == wanted)
        found = next((e for e in matching if e == self.canonical(e)), None)
        if found is None:
            raise GrammarError(
                f"'{wanted}' is not a sentence of grammar {self.name}; one such is "
                f"'{self.derive((0,) * len(self.axes))}'"
            )
        return found

    def digest(self) -> str:
        """Sum up all that the grammar says: texts, labels, bins, agreement, productions, people."""
        record = asdict(self)
        for axis in record["axes"]:  # so that a grammar without conditions keeps its sum
            if axis["when"] is None:
                del axis["when"]
        for slot in record["slots"]:
            if not slot["omit"]:
                del slot["omit"]
        text = json.dumps(record, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def _check(self, encoding: Encoding) -> None:
        if not fits(encoding, self.shape):
            raise GrammarError(
                f"vector {format_encoding(encoding)} is outside grammar {self.name}, whose "
                f"shape is {' x '.join(str(n) for n in self.shape)}"
            )

    def _surface(self, slot: Slot, encoding: Encoding) -> str:
        if slot.axis is not None and not self.uses(slot.axis, encoding):
            return ""
        if slot.omit and self.omits(slot, encoding):
            return ""
        form = ""
        if slot.agrees is not None:
            form = self.axes[slot.agrees].values[encoding[slot.agrees]].form or ""
        forms = slot.forms
        if slot.axis is not None:
            forms = self.axes[slot.axis].values[encoding[slot.axis]].forms
        return forms[form] if form in forms else forms[""]

    def _matches(self, words: list[str], place: int, chosen: dict[int, int]) -> Iterator[Encoding]:
        """Backtrack over the slots; `parse` then checks agreement by deriving again."""
        if place == len(self.slots):
            if not words:
                yield tuple(chosen[i] for i in range(len(self.axes)))
            return
        slot = self.slots[place]
        for i, n in self._options(place, words, chosen):
            picked = chosen if slot.axis is None else chosen | {slot.axis: i}
            yield from self._matches(words[n:], place + 1, picked)

    def _options(
        self, place: int, words: list[str], chosen: dict[int, int]
    ) -> dict[tuple[int, int], None]:
        """List the values that may fill a slot, each with the number of words that it takes."""
        slot, by_word = self.slots[place], self._texts[place]
        fitting = [
            (i, len(head))
            for i, head in by_word.get("", []) + (by_word.get(words[0], []) if words else [])
            if words[: len(head)] == head
        ]
        if slot.axis in self.conditions:  # left out, where the condition is not met
            control, needed = self.conditions[slot.axis]
            if control not in chosen:
                fitting.append((0, 0))
            elif chosen[control] not in needed:
                fitting = [(0, 0)]
        if slot.omit:
            fitting.append((0, 0))
        return dict.fromkeys(fitting)

    @cached_property
    def _texts(self) -> list[dict[str, list[tuple[int, list[str]]]]]:
        """By slot and first word ("" for no words): the values with their words."""
        found = []
        for slot in self.slots:
            owners = [slot.forms]
            if slot.axis is not None:
                owners = [value.forms for value in self.axes[slot.axis].values]
            by_word: dict[str, list[tuple[int, list[str]]]] = {}
            for i, by_form in enumerate(owners):
                for text in dict.fromkeys(by_form.values()):
                    by_word.setdefault(text.split(" ")[0], []).append((i, text.split()))
            found.append(by_word)
        return found


def load_grammar(name_or_path: str) -> Grammar:
    """Load a grammar by the name of a shipped one or by a file's path.

    Args:
        name_or_path: "base", or a path that ends in .yaml or .yml.

    Returns:
        The grammar.

    Raises:
        GrammarError: with every problem at once: file, dotted path, what is wrong.
    """
    path = find("grammars", name_or_path)
    if path is None:
        known = ", ".join(names("grammars"))
        raise GrammarError(
            f"no grammar '{name_or_path}': name one of {known}, or give a path that ends in .yaml"
        )
    grammar, problems = check_grammar(read_text(path, "grammar"))
    if grammar is None:
        raise GrammarError(f"grammar {path}: " + "; ".join(problems))
    return grammar


def check_grammar(text: str) -> tuple[Grammar | None, list[str]]:
    """Check a grammar file's text."""
    file, problems = validate_yaml(GrammarFile, text)
    if file is not None:
        file, unresolved = resolve(file, cache(_shipped))
        problems += unresolved or problems_of(file)
    if file is None or problems:
        return None, problems
    grammar = _build(file)
    twice = two_readings(grammar.axes, grammar.slots)
    if twice:
        first, second = map(format_encoding, twice)
        sentence = grammar.derive(twice[0])
        return None, [f"productions: '{sentence}' is derived by {first} and by {second}"]
    return grammar, []


def _shipped(name: str) -> GrammarFile | None:
    """Read the file of a shipped grammar, for the values that another one takes from it."""
    if name not in names("grammars"):
        return None
    path = find("grammars", name)
    assert path is not None
    return validate_yaml(GrammarFile, read_text(path, "grammar"))[0]


def _build(file: GrammarFile) -> Grammar:
    axes = tuple(_build_axis(symbol, axis, file) for symbol, axis in file.axes.items())
    number = {axis.symbol: i for i, axis in enumerate(axes)}
    slots = []
    for symbol in leaves(file):
        agrees = number.get(file.agreement.get(symbol, ""))
        if symbol in number:
            slots.append(Slot(axis=number[symbol], forms={}, agrees=agrees))
        else:
            text = file.terminals.get(symbol, symbol.strip('"'))
            omit = tuple(tuple(case.items()) for case in file.omit.get(symbol, ()))
            slots.append(Slot(axis=None, forms=forms(text), agrees=agrees, omit=omit))
    return Grammar(
        name=file.name,
        description=file.description,
        productions=dict(file.productions),
        axes=axes,
        slots=tuple(slots),
        people=file.people,
    )


def _build_axis(symbol: str, axis: AxisFile, file: GrammarFile) -> Axis:
    return Axis(
        symbol=symbol,
        reads=axis.reads,
        rank=axis.rank,
        when=condition(axis, file),
        values=tuple(
            Value(
                name=name,
                forms=value_forms(name, value),
                labels=value.labels,
                count=value.count,
                form=value.form,
                wnid=value.wnid,
            )
            for name, value in axis.values.items()
        ),
    )
