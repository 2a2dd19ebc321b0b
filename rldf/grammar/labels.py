"""The labels of vision models that a grammar has words for."""

from collections.abc import Iterable, Sequence

from rldf.errors import ConfigError
from rldf.grammar.grammar import Axis, Grammar
from rldf.io.text import plain_label

_SHOWN = 3  # labels that an error message lists


def known_labels(labels: Iterable[str], words: Iterable[str]) -> list[str]:
    """List the labels that are among `words`, in any spelling."""
    plain = {plain_label(word) for word in words}
    return [label for label in labels if plain_label(label) in plain]


def object_words(grammar: Grammar) -> list[str]:
    """List the detector labels that a grammar has words for."""
    objects = [axis for axis in grammar.axes if axis.kind.has_objects]
    people = any(axis.kind.needs_people for axis in grammar.axes)
    return axis_words(objects) + list(grammar.people) * people


def scene_words(grammar: Grammar) -> list[str]:
    """List the labels of a scene classifier that a grammar has words for."""
    axis = grammar.reading("scene")
    return [] if axis is None else axis_words([axis])


def axis_words(axes: Iterable[Axis]) -> list[str]:
    """List the labels of all values of some axes."""
    return [label for axis in axes for value in axis.values for label in value.labels]


def require_known(
    reader: str, labels: Sequence[str] | None, words: Sequence[str], grammar: str
) -> None:
    """Raise ConfigError if a grammar has a word for none of a vision model's labels."""
    if labels is None or not words or known_labels(labels, words):
        return
    raise ConfigError(
        f"grammar {grammar} knows none of the labels of the {reader} ({shown(labels)}), but "
        f"{shown(words)}: give the {reader} the option label_map (docs/photographs.md), or name "
        "another grammar"
    )


def shown(labels: Sequence[str]) -> str:
    """Return a text that lists the first few labels."""
    return ", ".join(labels[:_SHOWN]) + ", ..." * (len(labels) > _SHOWN)
