"""Splits: how many images of each class go to train, val and test."""

import re
from fractions import Fraction
from math import ceil

from rldf.errors import UsageError
from rldf.io.text import counted

SPLITS = ("train", "val", "test")
"""The allowed names of splits, in the order of a plan."""

MOST = 100_000_000
"""The largest number of images of a class."""

USUAL = "train=0.9,val=0.05,test=0.05"
"""The default value of --splits."""

_EXAMPLE = f"--splits {USUAL}"
_NUMBER = re.compile(r"\d{1,9}(\.\d{0,9})?|\.\d{1,9}")


def parse_splits(text: str, per_class: int | None = None) -> dict[str, int]:
    """Return the number of images of each class by split, from the value of --splits.

    If a number has a decimal point, all are shares of `per_class` and must add up to 1. Otherwise
    they are numbers of images. A split with 0 images is left out. UsageError if the text is wrong.
    """
    if per_class is not None:
        _check_number(per_class)
    given = _parts(text)
    if any("." in number for number in given.values()):
        counts = _from_shares(text, given, per_class)
    else:
        counts = {name: int(number) for name, number in given.items()}
        _check_sum(text, sum(counts.values()), per_class)
    return {name: count for name, count in counts.items() if count}


def _parts(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        if name not in SPLITS or name in found or not _NUMBER.fullmatch(number):
            raise UsageError(
                f"--splits: '{part}' is not train=, val= or test= with a number, each once: "
                f"type for example {_EXAMPLE}"
            )
        found[name] = number
    return {name: found[name] for name in SPLITS if name in found}


def _from_shares(text: str, given: dict[str, str], per_class: int | None) -> dict[str, int]:
    shares = {name: Fraction(number) for name, number in given.items()}
    total = sum(shares.values())
    if total != 1:
        raise UsageError(
            f"--splits {text}: the shares add up to {float(total):g}, not 1: type for example "
            f"{_EXAMPLE}"
        )
    if per_class is None:
        raise UsageError(
            f"--splits {text} are shares: type the number of images, too: --per-class N"
        )
    counts = apportion(shares, per_class)
    if empty := [name for name, share in shares.items() if share and not counts[name]]:
        least = ceil(1 / min(share for share in shares.values() if share))
        numbers = ",".join(f"{name}={max(1, counts[name])}" for name in shares if shares[name])
        raise UsageError(
            f"--splits {text}: {' and '.join(empty)} would get none of the "
            f"{counted(per_class, 'image')} of a class: type --per-class {least}, or --splits "
            f"{numbers} without --per-class"
        )
    return counts


def usual_splits(per_class: int) -> dict[str, int]:
    """Divide per_class images by the default shares; a split without images is left out."""
    _check_number(per_class)
    shares = {name: Fraction(number) for name, number in _parts(USUAL).items()}
    return {name: count for name, count in apportion(shares, per_class).items() if count}


def _check_number(per_class: int) -> None:
    if not 1 <= per_class <= MOST:
        raise UsageError(f"--per-class {per_class}: type a number from 1 to {MOST}")


def _check_sum(text: str, total: int, per_class: int | None) -> None:
    if per_class is not None and total != per_class:
        raise UsageError(
            f"--splits {text}: this is {counted(total, 'image')} of a class, but --per-class is "
            f"{per_class}: type --per-class {total}, or shares such as {_EXAMPLE}"
        )
    if not 1 <= total <= MOST:
        raise UsageError(f"--splits {text}: a class needs 1 to {MOST} images: type other numbers")


def apportion(shares: dict[str, Fraction], n: int) -> dict[str, int]:
    """Divide n into whole numbers by shares with the largest-remainder method.

    Each name gets floor(share * n); the names with the largest remainders get one more each. Of
    equal remainders, the first name's has priority.
    """
    counts = {name: int(share * n) for name, share in shares.items()}
    left = n - sum(counts.values())
    most_due = sorted(shares, key=lambda name: counts[name] - shares[name] * n)
    return {name: count + (name in most_due[:left]) for name, count in counts.items()}
