"""How many images go to train, val and test."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rldf.dataset.splits import apportion, parse_splits, usual_splits
from rldf.errors import UsageError

SHARES = "train=0.9,val=0.05,test=0.05"


@pytest.mark.parametrize(
    ("text", "per_class", "splits"),
    [
        (SHARES, 1000, {"train": 900, "val": 50, "test": 50}),
        (SHARES, 50, {"train": 45, "val": 3, "test": 2}),  # of equal remainders the first is served
        ("train=0.5,val=0.25,test=0.25", 3, {"train": 1, "val": 1, "test": 1}),
        ("train=1.0,val=0.0", 1, {"train": 1}),
        ("test=.5, train = 0.5", 3, {"train": 2, "test": 1}),
        ("train=1508,val=56,test=100", None, {"train": 1508, "val": 56, "test": 100}),
        ("train=1508,val=56,test=100", 1664, {"train": 1508, "val": 56, "test": 100}),
        ("train=5,val=0", 5, {"train": 5}),
        ("train=1.0", 7, {"train": 7}),
    ],
)
def test_shares_and_numbers(text, per_class, splits):
    assert list(parse_splits(text, per_class).items()) == list(splits.items())


@given(st.integers(0, 100), st.integers(0, 100), st.integers(1, 10_000))
def test_shares_give_every_image_away_and_are_less_than_one_off(a, b, n):
    low, high = sorted((a, b))
    shares = {"train": low, "val": high - low, "test": 100 - high}
    found = apportion({name: Fraction(share, 100) for name, share in shares.items()}, n)
    assert sum(found.values()) == n
    for name, share in shares.items():
        assert abs(found[name] - share * n / 100) < 1


@given(st.integers(0, 100), st.integers(0, 100), st.integers(1, 300))
def test_a_split_that_was_asked_for_has_images_or_both_ways_out_work(a, b, n):
    low, high = sorted((a, b))
    shares = {"train": low, "val": high - low, "test": 100 - high}
    text = ",".join(f"{name}={share / 100:.2f}" for name, share in shares.items())
    wanted = {name for name, share in shares.items() if share}
    try:
        assert parse_splits(text, n).keys() == wanted
    except UsageError as error:
        told = re.search(r"type --per-class (\d+), or in place of both --splits (\S+)$", str(error))
        assert parse_splits(text, int(told[1])).keys() == wanted
        assert parse_splits(told[2]).keys() == wanted


@pytest.mark.parametrize(
    ("n", "splits"),
    [(1, {"train": 1}), (10, {"train": 9, "val": 1}), (14, {"train": 12, "val": 1, "test": 1})],
)
def test_where_no_splits_were_asked_for_few_images_make_fewer(n, splits):
    assert usual_splits(n) == splits


@pytest.mark.parametrize(
    ("text", "per_class", "said"),
    [
        ("train=0.9,val=0.2", 10, "add up to 1.1, not 1: type for example --splits train=0.9"),
        (
            "train=10,val=5",
            50,
            "are 15 images of a class, --per-class says 50: type --per-class 15",
        ),
        ("train=1", 50, "are 1 image of a class"),
        ("train=0,val=0", None, "a class needs 1 to"),
        (SHARES, 5, "of 5 images of a class val and test would have none: type --per-class 20"),
        ("train=0.99,test=0.01", 40, "or in place of both --splits train=40,test=1"),
        (SHARES, None, "are shares: say of how many images by --per-class"),
        (SHARES, 0, "--per-class 0: type a number from 1 to"),
        (SHARES, -3, "--per-class -3"),
        ("train=0.5,train=0.5", 10, "'train=0.5' is not one of"),
        ("dev=0.5,train=0.5", 10, "'dev=0.5' is not one of"),
        ("train=nan", 10, "'train=nan' is not one of"),
        ("train=1e999999999", 10, "is not one of"),
        ("train=-1.0,val=2.0", 10, "'train=-1.0' is not one of"),
        ("train", 10, "type for example --splits train=0.9,val=0.05,test=0.05"),
        ("", 10, "is not one of"),
    ],
)
def test_what_does_not_add_up_is_refused_with_what_to_type(text, per_class, said):
    with pytest.raises(UsageError) as caught:
        parse_splits(text, per_class)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
