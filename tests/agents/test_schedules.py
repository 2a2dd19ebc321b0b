"""Tests of rldf.agents.schedules."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rldf.agents.schedules import Constant, LinearDecay, Schedule, VisitCount


def test_constant_stays() -> None:
    """A constant is the same at every count."""
    assert (Constant(0.3)(0), Constant(0.3)(10**9)) == (0.3, 0.3)


def test_visit_count_averages() -> None:
    """With omega 1 the rates are 1, 1/2, 1/3, ..., those of a mean."""
    assert [VisitCount(1.0)(n) for n in (1, 2, 3, 4)] == [1.0, 1 / 2, 1 / 3, 1 / 4]


def test_visit_count_meets_robbins_and_monro() -> None:
    """The sum of the rates grows without end, that of their squares stops below 3."""
    rates = [VisitCount(0.75)(n) for n in range(1, 20001)]
    assert sum(rates) > 40.0  # about 4 n^(1/4) - 3.4
    assert sum(rate**2 for rate in rates) < 3.0


def test_linear_decay_is_a_line_and_then_flat() -> None:
    """Halfway it is in the middle, at the end and after it at the end."""
    decay = LinearDecay(start=1.0, end=0.2, steps=100)
    assert pytest.approx([1.0, 0.6, 0.2, 0.2]) == [decay(n) for n in (0, 50, 100, 10**6)]


@given(
    st.one_of(
        st.builds(Constant, st.floats(0, 1)),
        st.builds(LinearDecay, st.floats(0, 1), st.floats(0, 1), st.integers(1, 10**6)),
        st.builds(VisitCount, st.floats(0.5, 1, exclude_min=True)),
    ),
    st.integers(1, 10**9),
)
def test_schedules_stay_rates(schedule: Schedule, count: int) -> None:
    """Every schedule is a rate at every count."""
    assert -1e-12 <= schedule(count) <= 1.0 + 1e-12


@pytest.mark.parametrize(
    "make",
    [
        lambda: Constant(1.1),
        lambda: Constant(-0.1),
        lambda: Constant(float("nan")),
        lambda: VisitCount(0.5),
        lambda: VisitCount(1.01),
        lambda: LinearDecay(2.0, 0.0, 10),
        lambda: LinearDecay(1.0, 0.0, 0),
    ],
)
def test_bad_schedules_are_refused(make: Callable[[], Schedule]) -> None:
    """A number that is no rate, or that breaks the conditions of convergence, is an error."""
    with pytest.raises(ValueError, match="give"):
        make()
