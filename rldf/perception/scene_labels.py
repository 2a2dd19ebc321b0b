"""The names of the 365 scenes of Places365."""

from functools import cache

from rldf.grammar.grammar import load_grammar

GRAMMAR = "coco-places"
"""The shipped grammar whose scene axis has every one of them, once."""


@cache
def places365() -> tuple[str, ...]:
    """List the scenes of Places365 in the order of their numbers, which is the alphabet's."""
    axis = load_grammar(GRAMMAR).reading("scene")
    assert axis is not None, f"{GRAMMAR} has a scene axis"
    return tuple(sorted(label for value in axis.values for label in value.labels))
