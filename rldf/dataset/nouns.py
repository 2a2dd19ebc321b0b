"""The classes of a data set as the nouns of a grammar."""

import re
from collections.abc import Sequence
from dataclasses import replace

from rldf.axes import Value
from rldf.dataset.classes import Label
from rldf.dataset.imagenet import gloss
from rldf.errors import ConfigError, GrammarError
from rldf.grammar import Grammar


def object_axis(grammar: Grammar) -> int:
    """Find the axis that holds the class.

    Args:
        grammar: any.

    Returns:
        Number of its first object axis.

    Raises:
        ConfigError: it has none.
    """
    for number, axis in enumerate(grammar.axes):
        if axis.reads == "object" and axis.rank == 1:
            return number
    raise ConfigError(
        f"grammar {grammar.name} has no axis that reads an object, so it cannot tell classes "
        "apart: name another --grammar"
    )


def with_nouns(grammar: Grammar, labels: Sequence[Label], *, definitions: bool) -> Grammar:
    """Put classes in the place of a grammar's own nouns.

    Args:
        grammar: whose first object axis is to hold the classes; it has no axis of counts, since a
            class has no plural here, and no word that agrees with a noun.
        labels: the classes, whose nouns stand with their article.
        definitions: whether each is followed by its definition, shortened, in brackets.

    Returns:
        The grammar over these nouns.

    Raises:
        ConfigError: the grammar is not of that form.
    """
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


def check_world(grammar: Grammar, world: Grammar, models: str) -> None:
    """Make sure that a generator of a small world understands a grammar.

    Args:
        grammar: whose sentences are to be drawn.
        world: the grammar of all sentences that the generator understands.
        models: name of the model set, for the message.

    Raises:
        ConfigError: some word of the grammar is not of that world.
    """
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
