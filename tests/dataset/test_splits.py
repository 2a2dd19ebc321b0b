"""How many images go to train, val and test."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rldf.dataset.splits import parse_splits
from rldf.errors import UsageError

SHARES = "train=0.9,val=0.05,test=0.05"


@pytest.mark.parametrize(
    ("text", "per_class", "splits"),
    [
        (SHARES, 1000, {"train": 900, "val": 50, "test": 50}),
        (SHARES, 50, {"train": 45, "val": 3, "test": 2}),  # of equal remainders the first is served
        (SHARES, 1, {"train": 1}),
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
    text = ",".join(f"{name}={share / 100:.2f}" for name, share in shares.items())
    found = parse_splits(text, n)
    assert sum(found.values()) == n
    for name, share in shares.items():
        assert abs(found.get(name, 0) - share * n / 100) < 1


@pytest.mark.parametrize(
    ("text", "per_class", "said"),
    [
        ("train=0.9,val=0.2", 10, "add up to 1.1, not 1: type for example --splits train=0.9"),
        (
            "train=10,val=5",
            50,
            "are 15 images of a class, --per-class says 50: type --per-class 15",
        ),
        ("train=1", 50, "are 1 images of a class"),
        ("train=0,val=0", None, "a class needs 1 to"),
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
