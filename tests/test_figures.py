"""Figures that say how far they can be trusted."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rldf.stats import UNDETERMINED, Figure, read_figure, share, wilson


@given(st.integers(1, 3000), st.floats(0, 1))
def test_a_share_lies_in_its_interval_and_few_samples_do_not_determine_it(n, value):
    found = share(value, n)
    assert 0 <= found.low <= value <= found.high <= 1
    assert found.determined == (found.high - found.low <= 0.2)
    assert found.determined or n < 100
    assert found.determined == (UNDETERMINED not in str(found))


def test_of_no_samples_there_is_no_share():
    for nothing in (share(None, 5), share(0.0, 0, "test images")):
        assert nothing.value is None
        assert not nothing.determined
        assert str(nothing) == "not determined: no samples"
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("figure", "told"),
    [
        (Figure(value=0.25, n=9), "0.25"),
        (Figure(value=0.25, n=9, low=0.1, high=0.5), "0.25 (95 % 0.1 to 0.5)"),
        (
            Figure(value=-2.5, n=9, low=-8, high=3, reason="few"),
            "not determined: -2.5 (95 % -8 to 3)",
        ),
    ],
)
def test_people_and_programs_are_told_the_same(figure, told):
    assert str(figure) == told
    document = json.loads(json.dumps(figure.document()))
    assert document["determined"] == (not figure.reason)
    assert read_figure(document) == figure
