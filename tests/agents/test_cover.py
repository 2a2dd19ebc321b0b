"""Tests of the cover: every value of every axis, in as few states as can be."""

import numpy as np
import pytest

from rldf.agents.cover import latin_cover

SHAPES = [(2, 10, 3, 8), (2, 30, 3, 24), (7,), (1, 1), (5, 5, 5), (3, 3, 25, 26, 3, 5, 12, 4, 3)]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_value_is_there_in_as_many_states_as_the_longest_axis_has_values(
    shape: tuple[int, ...],
) -> None:
    for seed in range(5):
        cells = latin_cover(shape, np.random.default_rng(seed))
        assert len(cells) == len(set(cells)) == max(shape)
        for axis, size in enumerate(shape):
            counts = np.bincount([cell[axis] for cell in cells])
            assert len(counts) == size
            assert counts.min() >= max(shape) // size
            assert counts.max() - counts.min() <= 1


def test_the_generator_decides() -> None:
    covers = [latin_cover((4, 9), np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert covers[0] == covers[1] != covers[2]
