"""What a run of Table 3 is measured by: cases by hand, and properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rldf.experiments.bench.measures import best_at, distances, quartiles


def test_distances_by_hand():
    found = distances([4, 2, 0, 2])
    assert (found.d_t, found.d_max, found.d_min) == (2, 4, 0)
    assert found.sigma2 == pytest.approx(2.0)
    assert found.rho == pytest.approx(2.0**0.5)


def test_the_best_so_far_by_hand():
    assert best_at([(2, 0.5), (4, 0.75)], 5) == [None, 0.5, 0.5, 0.75, 0.75]
    assert best_at([(1, -1.0)], 3) == [-1.0, -1.0, -1.0]


@given(
    st.lists(st.tuples(st.integers(1, 40), st.floats(-5, 5)), min_size=1, unique_by=lambda c: c[0])
)
def test_the_best_so_far_is_that_of_the_last_change(changes):
    changes.sort()
    curve = best_at(changes, 40)
    assert len(curve) == 40
    for spent, best in enumerate(curve, start=1):
        earlier = [value for at, value in changes if at <= spent]
        assert best == (earlier[-1] if earlier else None)


def test_runs_that_never_came_count_as_later_than_all_others():
    assert quartiles([10, 20, 30, 40, 50]) == (20.0, 30.0, 40.0)
    assert quartiles([10, None, None, None, 20]) == (20.0, None, None)
    assert quartiles([None, None]) == (None, None, None)
