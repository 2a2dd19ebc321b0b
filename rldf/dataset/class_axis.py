"""Makes the classes of a data set the nouns of a grammar."""

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
    """Return the index of the axis whose value is the class; ConfigError if there is none."""
    for number, axis in enumerate(grammar.axes):
        if axis.kind.has_objects and axis.rank == 1:
            return number
    raise ConfigError(
        f"grammar {grammar.name} has no axis for the main object, so its sentences cannot name "
        "a class: name another --grammar"
    )


def with_nouns(grammar: Grammar, labels: Sequence[Label], *, definitions: bool) -> Grammar:
    """Return a grammar whose nouns are the classes, with their definitions if `definitions`."""
    place = object_axis(grammar)
    if grammar.reading("object_count") or any(slot.agrees == place for slot in grammar.slots):
        raise ConfigError(
            f"grammar {grammar.name} needs plurals or other forms of its nouns, and ImageNet's "
            "classes have one form each: type --grammar imagenet, or name a grammar like it"
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
    """Raise UsageError if two classes share a sentence; upper and lower case are the same."""
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
    """Return axes and slots with their words in lower case."""

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
        "leave out one of the two classes, or name another --grammar"
    )


def check_world(grammar: Grammar, world: Grammar, models: str) -> None:
    """Raise ConfigError if a grammar has a value that the model set's grammar `world` lacks."""
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
