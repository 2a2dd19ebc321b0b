"""What a grammar file may say, and every problem that one can have.

The records are the file, key by key. `problems` finds what a schema cannot: symbols that nothing
defines, axes that nothing uses, words and labels that stand for two values, holes between counts.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Annotated

from pydantic import AfterValidator, Field

from rldf.grammar.axis_kinds import kind_of, known_kind
from rldf.io.text import plain_label
from rldf.io.yaml import Strict

Reads = Annotated[str, AfterValidator(known_kind)]
_Words = Annotated[str, Field(max_length=2_000)]  # of a file that may be a stranger's
_Rule = Annotated[str, Field(max_length=8_000)]
_Case = Annotated[dict[str, tuple[_Words, ...]], Field(min_length=1, max_length=3)]
Text = _Words | dict[str, _Words]

_MAX_SYMBOLS = 1_000


class ValueFile(Strict):
    """One value of an axis as a file states it."""

    text: Text | None = None
    labels: tuple[str, ...] = ()
    count: tuple[int, int | None] | None = None
    form: str | None = None
    wnid: str | None = Field(default=None, pattern=r"^n\d{8}$")


class AxisFile(Strict):
    """One axis as a file states it.

    `from` takes the values of another axis ("Noun") or of another grammar's axis ("pocket.Noun")
    after those stated here; `only` lists which of them. `when` names the one axis, and its values,
    with which this axis has a meaning, or `unless` those with which it has none; there it leaves
    no words. In these lists "A .. B" stands for the values from A to B, in the order of their axis.
    """

    reads: Reads
    rank: int = Field(default=1, ge=1, le=9)
    values: Annotated[dict[_Words, ValueFile], Field(min_length=1)] = Field(default_factory=dict)
    source: _Words | None = Field(default=None, alias="from")
    only: tuple[_Words, ...] | None = None
    when: dict[str, tuple[_Words, ...]] = Field(default_factory=dict, max_length=1)
    unless: dict[str, tuple[_Words, ...]] = Field(default_factory=dict, max_length=1)


class GrammarFile(Strict):
    """A grammar file.

    `omit` names terminals that are left out in some cases: in each of them, every axis that the
    case names has one of the values listed.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    description: str = ""
    start: str = "S"
    productions: dict[str, _Rule]
    terminals: dict[str, Text] = Field(default_factory=dict)
    agreement: dict[str, str] = Field(default_factory=dict)
    omit: dict[str, Annotated[tuple[_Case, ...], Field(max_length=4)]] = Field(default_factory=dict)
    axes: dict[str, AxisFile] = Field(min_length=1)
    people: tuple[str, ...] = ()


def forms(text: Text) -> dict[str, str]:
    """Give the surface forms of a text, with single spaces."""
    by_form = {"": text} if isinstance(text, str) else text
    return {form: " ".join(surface.split()) for form, surface in by_form.items()}


def value_forms(name: str, value: ValueFile) -> dict[str, str]:
    """Give the surface forms of a value: its name where the file states no text."""
    return forms(name if value.text is None else value.text)


def symbols(rule: str) -> list[str]:
    """Split the right-hand side of a production."""
    return re.findall(r'"[^"]*"|\S+', rule)


def leaves(file: GrammarFile) -> list[str]:
    """Expand the start rule to axes, named terminals and quoted terminals, left to right."""
    found: list[str] = []
    due = [file.start]
    while due and len(found) <= _MAX_SYMBOLS:
        symbol = due.pop()
        if symbol in file.productions:
            due += reversed(symbols(file.productions[symbol]))
        else:
            found.append(symbol)
    return found


def resolve(
    file: GrammarFile, other: Callable[[str], GrammarFile | None]
) -> tuple[GrammarFile, list[str]]:
    """Give every axis that takes its values from another one those values."""
    found: list[str] = []
    axes: dict[str, AxisFile] = {}
    for symbol, axis in file.axes.items():
        here = dict(axis.values)
        if axis.source is not None:
            so_far = file.model_copy(update={"axes": file.axes | axes})
            shared, problem = _shared_values(axis, so_far, other)
            found += [f"axes.{symbol}.{problem}"] if problem else []
            here |= {name: value for name, value in shared.items() if name not in here}
        elif axis.only is not None:
            found.append(f"axes.{symbol}.only: goes with `from`")
        if not here:
            found.append(f"axes.{symbol}.values: is missing")
        axes[symbol] = axis.model_copy(update={"values": here, "source": None, "only": None})
    return _with_spans(file.model_copy(update={"axes": axes})), found


def _with_spans(file: GrammarFile) -> GrammarFile:
    """List the values of every span in the conditions of a file."""
    values = {symbol: tuple(axis.values) for symbol, axis in file.axes.items()}

    def listed(case: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return {s: spanned(names, values.get(s, ())) for s, names in case.items()}

    axes = {
        symbol: axis.model_copy(update={"when": listed(axis.when), "unless": listed(axis.unless)})
        for symbol, axis in file.axes.items()
    }
    omit = {symbol: tuple(map(listed, cases)) for symbol, cases in file.omit.items()}
    return file.model_copy(update={"axes": axes, "omit": omit})


def spanned(names: Sequence[str], values: Sequence[str]) -> tuple[str, ...]:
    """List the values that names and spans ("A .. B") stand for; what is unknown stays as it is."""
    found: list[str] = []
    for name in names:
        first, _, last = name.partition(" .. ")
        if first in values and last in values:
            found += values[values.index(first) : values.index(last) + 1]
        else:
            found.append(name)
    return tuple(found)


def _shared_values(
    axis: AxisFile,
    file: GrammarFile,
    other: Callable[[str], GrammarFile | None],
    *,
    nested: bool = False,
) -> tuple[dict[str, ValueFile], str]:
    """Find the values that `from` and `only` name, and what is wrong with them."""
    assert axis.source is not None
    grammar, _, symbol = axis.source.rpartition(".")
    owner = other(grammar) if grammar else file
    if owner is None:
        return {}, f"from: there is no shipped grammar '{grammar}'"
    if symbol not in owner.axes:
        return {}, f"from: grammar {owner.name} has no axis '{symbol}'"
    named = owner.axes[symbol]
    values = named.values
    if named.source is not None:
        if "." not in named.source or not grammar or nested:  # no circles
            return {}, f"from: {axis.source} takes its values from elsewhere: name that axis"
        further, problem = _shared_values(named, owner, other, nested=True)
        if problem:
            return {}, problem
        values = values | {name: v for name, v in further.items() if name not in values}
    wanted = spanned(axis.only or tuple(values), tuple(values))
    unknown = [name for name in wanted if name not in values]
    if unknown:
        return {}, f"only: {axis.source} has no value '{unknown[0]}'"
    return {name: values[name] for name in wanted}, ""


def problems(file: GrammarFile) -> list[str]:
    """Find everything that is wrong with a grammar file that fits the schema."""
    found = _production_problems(file) or _use_problems(file)
    for symbol, axis in file.axes.items():
        at = f"axes.{symbol}"
        found += _label_problems(at, axis, file.people)
        found += _surface_problems(at, axis)
        found += _condition_problems(at, axis, file)
        found += kind_of(axis.reads).check(symbol, axis, file)
    if not file.people and any(kind_of(axis.reads).needs_people for axis in file.axes.values()):
        found.append("people: must name the detector's labels of people, who are counted and act")
    return found + _agreement_problems(file) + _omit_problems(file)


def _production_problems(file: GrammarFile) -> list[str]:
    """Find undefined symbols, symbols defined twice, odd quotes, and cycles."""
    defined = [*file.productions, *file.terminals, *file.axes]
    found = [
        f"axes.{symbol}: '{symbol}' names a production or terminal too"
        for symbol in file.axes
        if defined.count(symbol) > 1
    ]
    if file.start not in file.productions:
        found.append(f"start: '{file.start}' is no production")
    for symbol, rule in file.productions.items():
        at = f"productions.{symbol}"
        if rule.count('"') % 2:
            found.append(f"{at}: a quote is not closed")
            continue
        if not symbols(rule):
            found.append(f"{at}: derives nothing")
        found += [
            f"{at}: '{part}' is no production, terminal or axis"
            for part in symbols(rule)
            if part not in defined and not part.startswith('"')
        ]
    try:
        TopologicalSorter({s: symbols(rule) for s, rule in file.productions.items()}).prepare()
    except CycleError as error:
        found.append(f"productions.{error.args[1][0]}: derives itself, so sentences never end")
    return found


def _use_problems(file: GrammarFile) -> list[str]:
    """Find axes that the start rule does not hold exactly once; it must be free of cycles."""
    uses = Counter(leaves(file))
    if uses.total() > _MAX_SYMBOLS:
        return [f"productions.{file.start}: derives more than {_MAX_SYMBOLS} symbols"]
    return [
        f"axes.{axis}: no production uses it"
        if uses[axis] == 0
        else f"axes.{axis}: the start rule uses it {uses[axis]} times, an axis stands once"
        for axis in file.axes
        if uses[axis] != 1
    ]


def _label_problems(at: str, axis: AxisFile, people: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    kind = kind_of(axis.reads)
    owner = dict.fromkeys(map(plain_label, people if kind.has_objects else ()), "people")
    for name, value in axis.values.items():
        here = f"{at}.values.{name}.labels"
        for label in value.labels:
            plain = plain_label(label)  # readers' labels are compared so
            if owner.get(plain, name) != name or value.labels.count(label) > 1:
                found.append(f"{here}: '{label}' is a label of '{owner.get(plain, name)}' too")
            owner[plain] = name
        # An object may be absent: a value of its axis without labels says so.
        may_be_absent = kind.has_objects and (axis.rank > 1 or name == next(iter(axis.values)))
        if kind.needs_labels and not value.labels and not may_be_absent:
            found.append(f"{here}: a value that reads {axis.reads} needs at least one label")
    return found


def _surface_problems(at: str, axis: AxisFile) -> list[str]:
    found = []
    owner: dict[str, str] = {}
    for name, value in axis.values.items():
        for text in dict.fromkeys(value_forms(name, value).values()):
            if text in owner:
                found.append(f"{at}.values.{name}: reads '{text}', as '{owner[text]}' does")
            owner[text] = name
    return found


def _condition_problems(at: str, axis: AxisFile, file: GrammarFile) -> list[str]:
    """Find conditions on axes or values that are not there, and circles of conditions."""
    found = []
    if axis.when and axis.unless:
        return [f"{at}.unless: goes without `when`"]
    key = "when" if axis.when else "unless"
    for control, names in (axis.when or axis.unless).items():
        if control not in file.axes or file.axes[control] is axis:
            return [f"{at}.{key}: '{control}' is no other axis"]
        if _depends_on_itself(control, file):
            return [f"{at}.{key}: {control} depends on itself"]
        met = condition(axis, file)
        first = next(iter(file.axes[control].values))
        if condition(file.axes[control], file) and met and first in met[1]:
            found.append(
                f"{at}.{key}: {control} has a condition itself, and is '{first}' where that is not "
                "met, so this axis needs other values of it"
            )
        unknown = [name for name in names if name not in file.axes[control].values]
        found += [f"{at}.{key}.{control}: has no value '{name}'" for name in unknown]
        if not names:
            found.append(f"{at}.{key}.{control}: names no value")
    return found


def condition(axis: AxisFile, file: GrammarFile) -> tuple[str, tuple[str, ...]] | None:
    """Give the axis that decides whether one has a meaning, and the values that it needs."""
    for control, names in axis.unless.items():
        return control, tuple(name for name in file.axes[control].values if name not in names)
    return next(iter(axis.when.items()), None)


def _depends_on_itself(symbol: str, file: GrammarFile) -> bool:
    """Follow conditions from an axis to the axes that they are on."""
    seen: set[str] = set()
    while symbol in file.axes and symbol not in seen:
        seen.add(symbol)
        conditions = file.axes[symbol].when or file.axes[symbol].unless
        if not conditions:
            return False
        symbol = next(iter(conditions))
    return symbol in seen


def _omit_problems(file: GrammarFile) -> list[str]:
    """Find cases that name no terminal, axis or value, or an axis that has a condition."""
    found = []
    for symbol, cases in file.omit.items():
        at = f"omit.{symbol}"
        if symbol not in file.terminals:
            found.append(f"{at}: is no terminal")
        for control, names in (item for case in cases for item in case.items()):
            if control not in file.axes:
                found.append(f"{at}: '{control}' is no axis")
            elif file.axes[control].when or file.axes[control].unless:
                found.append(f"{at}: {control} has a condition itself")
            else:
                unknown = [name for name in names if name not in file.axes[control].values]
                found += [f"{at}.{control}: has no value '{name}'" for name in unknown]
    return found


def _agreement_problems(file: GrammarFile) -> list[str]:
    found = []
    for symbol, axis in file.agreement.items():
        at = f"agreement.{symbol}"
        if axis not in file.axes:
            found.append(f"{at}: '{axis}' is no axis")
        elif symbol not in file.axes and symbol not in file.terminals:
            found.append(f"{at}: '{symbol}' is no axis or terminal")
        else:
            wanted = {value.form or "" for value in file.axes[axis].values.values()}
            found += [
                f"{at}: '{name}' has no form '{form}' that {axis} asks for"
                for name, by_form in _texts_of(file, symbol)
                if "" not in by_form
                for form in sorted(wanted - set(by_form))
            ]
    return found + [
        f"{at}: has forms, so `agreement` must say which axis chooses"
        for symbol in (*file.terminals, *file.axes)
        if symbol not in file.agreement
        for at, by_form in _texts_of(file, symbol)
        if set(by_form) != {""}
    ]


def _texts_of(file: GrammarFile, symbol: str) -> Iterator[tuple[str, dict[str, str]]]:
    """List the surface forms of a terminal or of an axis's values, each with its dotted path."""
    if symbol in file.terminals:
        yield f"terminals.{symbol}", forms(file.terminals[symbol])
        return
    for name, value in file.axes[symbol].values.items():
        yield f"axes.{symbol}.values.{name}.text", value_forms(name, value)
