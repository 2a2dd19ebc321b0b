"""Which sentences of the world are drawn for training and for checks."""

import numpy as np

from rldf.grammar.encoding import Encoding
from rldf.grammar.grammar import Axis, Grammar

CHECK_SEEDS = 1_000_000_000
"""Drawings with seeds from here on are for checks; training uses the seeds below."""

PLAIN = 0.6
"""Share of pictures that take the neutral (first) value of an attribute or companion axis."""


def sample_encoding(grammar: Grammar, rng: np.random.Generator) -> Encoding:
    """Draw a state: uniform over objects, counts, people, actions and scenes.

    Attribute axes and the second object take their first, neutral value in 60 % of the draws, so
    that most pictures differ from a plain photo in one or two ways, as users' sentences do. A
    second object is another one than the first.

    Args:
        grammar: base or pocket, or a grammar over a part of their words.
        rng: random source.

    Returns:
        An encoding.
    """
    while True:
        encoding = tuple(_sample(axis, rng) for axis in grammar.axes)
        words = grammar.decode(encoding)
        if words.get("Noun") != words.get("Companion", "nothing"):
            return grammar.canonical(encoding)


def _sample(axis: Axis, rng: np.random.Generator) -> int:
    special = axis.reads == "attribute" or (axis.reads == "object" and axis.rank > 1)
    if special and rng.random() < PLAIN:
        return 0
    return int(rng.integers(1 if special else 0, len(axis.values)))
