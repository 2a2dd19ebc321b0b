"""The context-free grammar: a vector of words derives a sentence, and a sentence parses back.

A grammar file (`grammars/*.yaml`) holds the paper's productions in the paper's symbols, the
terminals, and the axes: pre-terminals whose values, in order of semantic locality, are the
coordinates of the grid (paper §3, arXiv:2311.15648). Surface forms are data: a terminal or a
value may have several texts, and `agreement` says which axis chooses among them.

    derivation ψ (axis -> value name)  -- encode -->  encoding υ  -- derive -->  sentence
                                       <-- decode --              <-- parse --
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from rldf.encoding import Encoding, fits, format_encoding
from rldf.errors import GrammarError
from rldf.resources import find, names
from rldf.yaml_files import Strict, read_text, validate_yaml

Reads = Literal["object", "object_count", "people_count", "scene", "action", "attribute"]
Text = str | dict[str, str]

class ValueFile(Strict):
    """One value of an axis as a file states it."""

    text: Text | None = None
    labels: tuple[str, ...] = ()
    count: tuple[int, int | None] | None = None
    form: str | None = None
    phrase: str | None = None
    wnid: str | None = Field(default=None, pattern=r"^n\d{8}$")


class AxisFile(Strict):
    """One axis as a file states it."""

    reads: Reads
    rank: int = Field(default=1, ge=1, le=9)
    values: dict[str, ValueFile] = Field(min_length=1)


class GrammarFile(Strict):
    """A grammar file."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    description: str = ""
    start: str = "S"
    productions: dict[str, str]
    terminals: dict[str, Text] = {}
    agreement: dict[str, str] = {}
    axes: dict[str, AxisFile] = Field(min_length=1)
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One word of an axis.

    Attributes:
        name: What the value is called in derivations.
        forms: Surface form by agreement form; the key "" serves every form.
        labels: Labels of the detector or the scene classifier that mean this value.
        count: Lowest and highest count (None: no limit) of a count axis.
        form: The form that this value asks of the symbols that agree with its axis.
        phrase: The text that CLIP compares an image with, for action and attribute axes.
        wnid: The ImageNet (ILSVRC-1k) class of this value, if it is one.
    """

    name: str
    forms: dict[str, str]
    labels: tuple[str, ...] = ()
    count: tuple[int, int | None] | None = None
    form: str | None = None
    phrase: str = ""
    wnid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis of the grid.

    Attributes:
        symbol: Its pre-terminal in the productions.
        reads: What of an image it holds.
        rank: Which object it reads: 1 the dominant one, 2 the next.
        values: In order of semantic locality: index i of an encoding is values[i].
    """

    symbol: str
    reads: Reads
    rank: int
    values: tuple[Value, ...]

    def index(self, name: str) -> int:
        """Finds a value by name.

        Args:
            name: The value's name.

        Returns:
            Its place on the axis.

        Raises:
            GrammarError: If the axis has no such value.
        """
        for i, value in enumerate(self.values):
            if value.name == name:
                return i
        known = ", ".join(value.name for value in self.values)
        raise GrammarError(f"axis {self.symbol} has no value '{name}'; it has: {known}")

    def value_of_label(self) -> dict[str, int]:
        """Inverts the label mapping.

        Returns:
            Index on the axis by detector or scene label.
        """
        return {label: i for i, value in enumerate(self.values) for label in value.labels}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One place of the flattened start rule: an axis (by number) or a fixed terminal.

    Attributes:
        axis: Number of the axis, or None for a terminal.
        forms: Surface forms of the terminal (empty for an axis).
        agrees: Number of the axis that chooses the form, or None.
    """

    axis: int | None
    forms: dict[str, str]
    agrees: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """A finite grammar G = <T, N, S, R> whose sentences are the points of a grid.

    Attributes:
        name: The name users type.
        description: One line for lists.
        productions: Right-hand side by non-terminal, as written.
        axes: In the order of the encoding.
        slots: The start rule, flattened to axes and terminals.
        people: Detector labels that are people.
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
        """How many sentences the grammar derives."""
        return math.prod(self.shape)

    def axis(self, symbol: str) -> Axis:
        """Finds an axis.

        Args:
            symbol: The axis's symbol, such as "Noun".

        Returns:
            The axis.

        Raises:
            GrammarError: If there is none of that symbol.
        """
        for axis in self.axes:
            if axis.symbol == symbol:
                return axis
        known = ", ".join(axis.symbol for axis in self.axes)
        raise GrammarError(f"grammar {self.name} has no axis '{symbol}'; it has: {known}")

    def reading(self, reads: Reads, rank: int = 1) -> Axis | None:
        """Finds the axis that reads something of an image.

        Args:
            reads: What it reads.
            rank: Which object, for object axes.

        Returns:
            The axis, or None if the grammar has none such.
        """
        matches = (a for a in self.axes if a.reads == reads and a.rank == rank)
        return next(matches, None)

    def encode(self, derivation: dict[str, str]) -> Encoding:
        """Label-encodes a derivation (paper §3: ψ to υ).

        Args:
            derivation: Value name by axis symbol, one for every axis.

        Returns:
            The encoding.

        Raises:
            GrammarError: If an axis or value is missing or unknown.
        """
        unknown = set(derivation) - {axis.symbol for axis in self.axes}
        missing = {axis.symbol for axis in self.axes} - set(derivation)
        if unknown or missing:
            named = ", ".join(sorted(unknown | missing))
            raise GrammarError(f"a derivation of {self.name} names each axis once; check: {named}")
        return tuple(axis.index(derivation[axis.symbol]) for axis in self.axes)

    def decode(self, encoding: Encoding) -> dict[str, str]:
        """Names the values of an encoding: the inverse of `encode`.

        Args:
            encoding: Label indices, one per axis.

        Returns:
            Value name by axis symbol.

        Raises:
            GrammarError: If the encoding is outside the grid.
        """
        self._check(encoding)
        return {
            axis.symbol: axis.values[i].name
            for axis, i in zip(self.axes, encoding, strict=True)
        }

    def derive(self, encoding: Encoding) -> str:
        """Derives the one sentence of an encoding.

        Args:
            encoding: Label indices, one per axis.

        Returns:
            The sentence: the prompt of the image generator.

        Raises:
            GrammarError: If the encoding is outside the grid.
        """
        self._check(encoding)
        return " ".join(filter(None, (self._surface(slot, encoding) for slot in self.slots)))

    def parse(self, sentence: str) -> Encoding:
        """Reads a sentence back: the inverse of `derive` on every state.

        Args:
            sentence: A sentence of the language; runs of white space count as one.

        Returns:
            The encoding that derives it.

        Raises:
            GrammarError: If no state derives it.
        """
        wanted = " ".join(sentence.split())
        readings = self._matches(wanted.split(" "), 0, {})
        found = next((e for e in readings if self.derive(e) == wanted), None)
        if found is None:
            raise GrammarError(
                f"'{wanted}' is not a sentence of grammar {self.name}; one such is "
                f"'{self.derive((0,) * len(self.axes))}'"
            )
        return found

    def _check(self, encoding: Encoding) -> None:
        if not fits(encoding, self.shape):
            raise GrammarError(
                f"vector {format_encoding(encoding)} is outside grammar {self.name}, whose "
                f"shape is {' x '.join(str(n) for n in self.shape)}"
            )

    def _surface(self, slot: Slot, encoding: Encoding) -> str:
        form = ""
        if slot.agrees is not None:
            form = self.axes[slot.agrees].values[encoding[slot.agrees]].form or ""
        forms = slot.forms
        if slot.axis is not None:
            forms = self.axes[slot.axis].values[encoding[slot.axis]].forms
        return forms[form] if form in forms else forms[""]

    def _matches(
        self, words: list[str], place: int, chosen: dict[int, int]
    ) -> Iterator[Encoding]:
        """Backtracks over the slots; `parse` then checks agreement by deriving again."""
        if place == len(self.slots):
            if not words:
                yield tuple(chosen[i] for i in range(len(self.axes)))
            return
        slot = self.slots[place]
        values = (
            [(-1, slot.forms)]
            if slot.axis is None
            else [(i, value.forms) for i, value in enumerate(self.axes[slot.axis].values)]
        )
        for i, forms in values:
            for text in dict.fromkeys(forms.values()):
                head = text.split()
                if words[: len(head)] == head:
                    picked = chosen if slot.axis is None else chosen | {slot.axis: i}
                    yield from self._matches(words[len(head) :], place + 1, picked)


def load_grammar(name_or_path: str) -> Grammar:
    """Loads a grammar by the name of a shipped one or by a file's path.

    Args:
        name_or_path: "base", or a path that ends in .yaml or .yml.

    Returns:
        The grammar.

    Raises:
        GrammarError: With every problem at once: file, dotted path, what is wrong.
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
    """Checks a grammar file's text.

    Args:
        text: YAML.

    Returns:
        The grammar (None if anything is wrong) and every problem, one line each.
    """
    file, problems = validate_yaml(GrammarFile, text)
    if file is None:
        return None, problems
    problems = problems + _axis_problems(file) + _production_problems(file)
    if problems:
        return None, problems
    grammar = _build(file)
    return grammar, []


def _forms(text: Text) -> dict[str, str]:
    return {"": text} if isinstance(text, str) else dict(text)


def _forms_of_value(name: str, value: ValueFile) -> dict[str, str]:
    return _forms(name if value.text is None else value.text)


def _build(file: GrammarFile) -> Grammar:
    axes = tuple(_build_axis(symbol, axis) for symbol, axis in file.axes.items())
    number = {axis.symbol: i for i, axis in enumerate(axes)}
    agrees = {symbol: number[axis] for symbol, axis in file.agreement.items()}
    slots = []
    for symbol in _flatten(file, file.start):
        if symbol in number:
            slots.append(Slot(axis=number[symbol], forms={}, agrees=agrees.get(symbol)))
        else:
            forms = _forms(file.terminals.get(symbol, symbol.strip('"')))
            slots.append(Slot(axis=None, forms=forms, agrees=agrees.get(symbol)))
    return Grammar(
        name=file.name,
        description=file.description,
        productions=dict(file.productions),
        axes=axes,
        slots=tuple(slots),
        people=file.people,
    )


def _build_axis(symbol: str, axis: AxisFile) -> Axis:
    return Axis(
        symbol=symbol,
        reads=axis.reads,
        rank=axis.rank,
        values=tuple(
            Value(
                name=name,
                forms=_forms_of_value(name, value),
                labels=value.labels,
                count=value.count,
                form=value.form,
                phrase=value.phrase or name,
                wnid=value.wnid,
            )
            for name, value in axis.values.items()
        ),
    )


def _flatten(file: GrammarFile, symbol: str) -> list[str]:
    """Expands a symbol to axes, named terminals and quoted terminals, left to right."""
    if symbol not in file.productions:
        return [symbol]
    return [leaf for part in symbols(file.productions[symbol]) for leaf in _flatten(file, part)]


def symbols(rule: str) -> list[str]:
    """Splits the right-hand side of a production.

    Args:
        rule: Symbols and quoted terminals, such as 'Frequency NOM' or '"a photo of"'.

    Returns:
        The parts, terminals still in their quotes.
    """
    return re.findall(r'"[^"]*"|\S+', rule)


def _production_problems(file: GrammarFile) -> list[str]:
    """Finds undefined and unused symbols, cycles, and axes that the start rule does not hold once."""
    problems = []
    defined = set(file.productions) | set(file.terminals) | set(file.axes)
    for symbol, rule in file.productions.items():
        problems += [
            f"productions.{symbol}: '{part}' is no production, terminal or axis"
            for part in symbols(rule)
            if part not in defined and not part.startswith('"')
        ]
    if file.start not in file.productions:
        problems.append(f"start: '{file.start}' is no production")
    cycle = _cycle(file, file.start, ())
    if cycle:
        problems.append(f"productions.{cycle}: derives itself, so its language is infinite")
    if problems:
        return problems
    leaves = _flatten(file, file.start)
    problems += [
        f"axes.{axis}: no production uses it" for axis in file.axes if axis not in leaves
    ]
    problems += [
        f"axes.{axis}: the start rule uses it {leaves.count(axis)} times, an axis stands once"
        for axis in file.axes
        if leaves.count(axis) > 1
    ]
    return problems


def _cycle(file: GrammarFile, symbol: str, above: tuple[str, ...]) -> str | None:
    if symbol in above:
        return symbol
    parts = symbols(file.productions.get(symbol, ""))
    found = (_cycle(file, part, (*above, symbol)) for part in parts)
    return next(filter(None, found), None)


def _axis_problems(file: GrammarFile) -> list[str]:
    problems = []
    for symbol, axis in file.axes.items():
        at = f"axes.{symbol}"
        problems += _label_problems(at, axis)
        problems += _surface_problems(at, axis)
        if axis.reads.endswith("_count"):
            problems += _count_problems(at, axis)
    return problems + _agreement_problems(file)


def _label_problems(at: str, axis: AxisFile) -> list[str]:
    problems, owner = [], dict[str, str]()
    for name, value in axis.values.items():
        for label in value.labels:
            if label in owner:
                problems.append(
                    f"{at}.values.{name}.labels: '{label}' is a label of '{owner[label]}' too"
                )
            owner[label] = name
        # One empty value of a further object means that there is none.
        if axis.reads in ("object", "scene") and not value.labels and axis.rank == 1:
            problems.append(f"{at}.values.{name}.labels: an {axis.reads} needs at least one label")
    return problems


def _surface_problems(at: str, axis: AxisFile) -> list[str]:
    problems, owner = [], dict[str, str]()
    for name, value in axis.values.items():
        for text in set(_forms_of_value(name, value).values()):
            if text in owner:
                problems.append(f"{at}.values.{name}: reads '{text}', as '{owner[text]}' does")
            owner[text] = name
    return problems


def _count_problems(at: str, axis: AxisFile) -> list[str]:
    """Bins must follow each other without hole or overlap, and the last must be open."""
    problems = []
    due = 0 if axis.reads == "people_count" else 1
    last = list(axis.values)[-1]
    for name, value in axis.values.items():
        if value.count is None:
            return [f"{at}.values.{name}.count: a count axis needs [lowest, highest]"]
        low, high = value.count
        if low != due or (high is not None and high < low):
            problems.append(f"{at}.values.{name}.count: must start at {due} and not end below it")
        if (high is None) != (name == last):
            problems.append(f"{at}.values.{name}.count: the last bin alone ends with null")
        due = (low if high is None else high) + 1
    return problems


def _agreement_problems(file: GrammarFile) -> list[str]:
    problems = []
    for symbol, axis in file.agreement.items():
        at = f"agreement.{symbol}"
        if axis not in file.axes:
            problems.append(f"{at}: '{axis}' is no axis")
            continue
        wanted = {value.form or "" for value in file.axes[axis].values.values()}
        if symbol in file.axes:
            texts = {n: _forms_of_value(n, v) for n, v in file.axes[symbol].values.items()}
        elif symbol in file.terminals:
            texts = {symbol: _forms(file.terminals[symbol])}
        else:
            problems.append(f"{at}: '{symbol}' is no axis or terminal")
            continue
        for name, forms in texts.items():
            if "" not in forms and wanted - set(forms):
                lacks = ", ".join(sorted(wanted - set(forms)))
                problems.append(f"{at}: '{name}' has no form '{lacks}' that {axis} asks for")
    return problems + [
        f"{at}: has forms, so `agreement` must say which axis chooses"
        for at, text in _all_texts(file)
        if isinstance(text, dict) and at.split(".")[1] not in file.agreement
    ]


def _all_texts(file: GrammarFile) -> Iterator[tuple[str, Text | None]]:
    for symbol, text in file.terminals.items():
        yield f"terminals.{symbol}", text
    for symbol, axis in file.axes.items():
        for name, value in axis.values.items():
            yield f"axes.{symbol}.values.{name}.text", value.text
