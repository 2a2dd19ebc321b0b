"""Tests of rldf.seeding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rldf import seeding as seeds

PART = st.text(max_size=5) | st.integers()


def test_derive_is_pinned() -> None:
    """A derived seed never changes: half of `printf '[7,"dog",3]' | sha256sum`, first 16 digits."""
    assert int("2b6d09f5ac2b1de0", 16) // 2 == seeds.derive(7, "dog", 3)


@given(st.integers(), st.lists(PART, max_size=3))
def test_derive_fits_63_bits(seed: int, parts: list[str | int]) -> None:
    """A derived seed is never negative and fits a signed 64-bit integer."""
    assert 0 <= seeds.derive(seed, *parts) < 2**63


@given(st.lists(PART, max_size=3), st.lists(PART, max_size=3))
def test_different_uses_get_different_seeds(a: list[str | int], b: list[str | int]) -> None:
    """Two uses share a seed only if all their parts are equal, whatever the parts join to."""
    assert (a == b) == (seeds.derive(0, *a) == seeds.derive(0, *b))


@pytest.mark.parametrize(
    ("a", "b"), [(("1",), (1,)), (("a", "b"), ("ab",)), (("a",), ("a", "")), ((1, 2), (12,))]
)
def test_parts_do_not_run_together(a: tuple[str | int, ...], b: tuple[str | int, ...]) -> None:
    """A number is not its digits, and the borders between parts count."""
    assert seeds.derive(0, *a) != seeds.derive(0, *b)


def test_numpy_integers_count_as_integers() -> None:
    """An index that comes out of an array gives the seed of the plain number."""
    assert seeds.derive(0, 5) == seeds.derive(np.int64(0), np.int64(5))  # type: ignore[arg-type]


def test_floats_are_refused() -> None:
    """A part whose text could differ between machines is an error."""
    with pytest.raises(TypeError):
        seeds.derive(0, 0.5)  # type: ignore[arg-type]


def test_rng_is_made_afresh() -> None:
    """Two generators of the same use draw the same numbers, and share no state."""
    first, second = seeds.rng(1, "walk"), seeds.rng(1, "walk")
    assert first.random(4).tolist() == second.random(4).tolist()


def test_rng_differs_by_use() -> None:
    """Two uses of one seed draw different numbers."""
    assert seeds.rng(1, "walk").random() != seeds.rng(1, "start").random()
