"""Which words an open-vocabulary detector looks for, and which of them its answers mean."""

import re
from collections.abc import Sequence

from rldf.errors import ConfigError
from rldf.grammar.grammar import load_grammar


def words_to_find(labels: str, grammar: str) -> tuple[str, ...]:
    """List what a detector is to look for."""
    if bool(labels) == bool(grammar):
        raise ConfigError(
            "a zero-shot detector needs to know what to look for: give it the option labels "
            '("sea otter, lawn mower") or the option grammar (the name of one), not both'
        )
    if labels:
        words = [" ".join(word.split()) for word in labels.split(",")]
    else:
        spoken = load_grammar(grammar)
        objects = [axis for axis in spoken.axes if axis.kind.has_objects]
        words = [label for axis in objects for value in axis.values for label in value.labels]
        words += spoken.people
    found = tuple(dict.fromkeys(filter(None, words)))
    if not found:
        raise ConfigError(f"there is no label in '{labels or grammar}': name at least one")
    return found


def phrase_of(text: str, words: Sequence[str]) -> str | None:
    """Find the word that a detector's answer means."""
    said = text.replace("##", "").replace(".", " ")
    best = max(words, key=lambda word: _likeness(said, word))
    return best if _likeness(said, best) > 0 else None


def _likeness(said: str, word: str) -> float:
    """Share of equal parts of two phrases, 0 to 1."""
    these, those = (set(re.sub(r"[\W_]+", " ", text).lower().split()) for text in (said, word))
    return len(these & those) / max(1, len(these | those))
