"""The classes of a data set as the nouns of a grammar."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from rldf.dataset.classes import Label
from rldf.dataset.imagenet import gloss
from rldf.errors import ConfigError, GrammarError, UsageError
from rldf.grammar.ambiguity import two_readings
from rldf.grammar.axes import Axis, Slot, Value
from rldf.grammar.grammar import Grammar
from rldf.io.text import plain


def object_axis(grammar: Grammar) -> int:
    """Return the number of the axis that holds the class; ConfigError if there is none."""
    for number, axis in enumerate(grammar.axes):
        if axis.kind.has_objects and axis.rank == 1:
            return number
    raise ConfigError(
        f"grammar {grammar.name} has no axis that reads an object, so it cannot tell classes "
        "apart: name another --grammar"
    )


def with_nouns(grammar: Grammar, labels: Sequence[Label], *, definitions: bool) -> Grammar:
    """Replace a grammar's nouns by classes, with or without their definitions."""
    place = object_axis(grammar)
    if grammar.reading("object_count") or any(slot.agrees == place for slot in grammar.slots):
        raise ConfigError(
            f"grammar {grammar.name} counts its nouns or has words that agree with them, and "
            "ImageNet's classes have one form: type --grammar imagenet, or name one like it"
        )
    values = tuple(
        Value(name=label.noun, forms={"": _text(label, definitions)}) for label in labels
    )
    axes = list(grammar.axes)
    axes[place] = replace(axes[place], values=values)
    slots = tuple(replace(s, agrees=None) if s.axis == place else s for s in grammar.slots)
    return replace(grammar, axes=tuple(axes), slots=slots)


def _text(label: Label, definitions: bool) -> str:
    if not definitions or not label.definition:
        return label.noun
    return f"{re.sub(r' [(].*[)]$', '', label.noun)} ({gloss(label.definition)})"


def refuse_same_sentences(grammar: Grammar, labels: Sequence[Label]) -> None:
    """Raise UsageError if a sentence belongs to two classes, whatever its capital letters."""
    place, by_noun = object_axis(grammar), dict[str, Label]()
    axis = grammar.axes[place]
    for label in labels:
        if (other := by_noun.setdefault(label.noun, label)) is not label:
            encoding = [0] * len(grammar.axes)
            encoding[place] = axis.index(label.noun)
            raise _same(grammar, other, label, grammar.derive(tuple(encoding)))
    values = tuple(axis.values[axis.index(noun)] for noun in by_noun)
    axes = tuple(
        replace(axis, values=values) if n == place else a for n, a in enumerate(grammar.axes)
    )
    found = two_readings(*_folded(axes, grammar.slots))
    if found is not None and found[0][place] != found[1][place]:
        one, two = (by_noun[values[vector[place]].name] for vector in found)
        raise _same(grammar, one, two, replace(grammar, axes=axes).derive(found[0]))


def _folded(axes: Sequence[Axis], slots: Sequence[Slot]) -> tuple[list[Axis], list[Slot]]:
    """Return axes and slots in lower case."""

    def small(forms: Mapping[str, str]) -> dict[str, str]:
        return {form: text.casefold() for form, text in forms.items()}

    return [
        replace(axis, values=tuple(replace(v, forms=small(v.forms)) for v in axis.values))
        for axis in axes
    ], [replace(slot, forms=small(slot.forms)) for slot in slots]


def _same(grammar: Grammar, one: Label, two: Label, sentence: str) -> UsageError:
    return UsageError(
        f"{one.key} ({plain(one.name)}) and {two.key} ({plain(two.name)}) are both "
        f"'{plain(sentence)}' in grammar {grammar.name}, so two labels would have the same images: "
        "leave one of them out, or name another --grammar"
    )


def check_world(grammar: Grammar, world: Grammar, models: str) -> None:
    """Raise ConfigError if a generator of a small world does not understand a grammar."""
    if grammar == world:
        return
    for place, axis in enumerate(grammar.axes):
        for i in range(len(axis.values)):
            encoding = [0] * len(grammar.axes)
            encoding[place] = i
            sentence = grammar.derive(tuple(encoding))
            try:
                world.parse(sentence)
            except GrammarError:
                raise ConfigError(
                    f"model set {models} cannot draw '{sentence}' of grammar {grammar.name}: "
                    f"type --grammar {world.name}, or name another model set by --models"
                ) from None
