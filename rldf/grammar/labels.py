"""Which of the labels that vision models give a grammar knows."""

from collections.abc import Iterable, Sequence

from rldf.errors import ConfigError
from rldf.grammar.grammar import Axis, Grammar
from rldf.io.text import plain_label

_SHOWN = 3  # labels of an error


def known_labels(labels: Iterable[str], words: Iterable[str]) -> list[str]:
    """List the labels that are among some words, in any spelling."""
    plain = {plain_label(word) for word in words}
    return [label for label in labels if plain_label(label) in plain]


def object_words(grammar: Grammar) -> list[str]:
    """List the labels that a grammar knows of a detector."""
    objects = [axis for axis in grammar.axes if axis.kind.has_objects]
    people = any(axis.kind.needs_people for axis in grammar.axes)
    return axis_words(objects) + list(grammar.people) * people


def scene_words(grammar: Grammar) -> list[str]:
    """List the labels that a grammar knows of a scene classifier."""
    axis = grammar.reading("scene")
    return [] if axis is None else axis_words([axis])


def axis_words(axes: Iterable[Axis]) -> list[str]:
    """List the labels of axes."""
    return [label for axis in axes for value in axis.values for label in value.labels]


def require_known(
    reader: str, labels: Sequence[str] | None, words: Sequence[str], grammar: str
) -> None:
    """Refuse a reader whose labels a grammar does not know."""
    if labels is None or not words or known_labels(labels, words):
        return
    raise ConfigError(
        f"grammar {grammar} knows none of the labels of the {reader} ({shown(labels)}), but "
        f"{shown(words)}: give the {reader} the option label_map (docs/photographs.md), or name "
        "another grammar"
    )


def shown(labels: Sequence[str]) -> str:
    """Name the first few labels."""
    return ", ".join(labels[:_SHOWN]) + ", ..." * (len(labels) > _SHOWN)
