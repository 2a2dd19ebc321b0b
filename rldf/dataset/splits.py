"""How many images of a class go to train, val and test."""

import re
from fractions import Fraction
from math import ceil

from rldf.errors import UsageError
from rldf.io.text import counted

SPLITS = ("train", "val", "test")
"""The names that a split may have, in the order of a plan."""

MOST = 100_000_000
"""Images that a class may have."""

USUAL = "train=0.9,val=0.05,test=0.05"
"""The shares where a person names none."""

_EXAMPLE = f"--splits {USUAL}"
_NUMBER = re.compile(r"\d{1,9}(\.\d{0,9})?|\.\d{1,9}")


def parse_splits(text: str, per_class: int | None = None) -> dict[str, int]:
    """Read the splits that a person typed: shares of a class's images, or their numbers.

    Numbers with a point are shares and add up to 1; whole numbers are images of a class.
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
                f"--splits: '{part}' is not one of train=, val=, test= and a number: "
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
        raise UsageError(f"--splits {text} are shares: say of how many images by --per-class")
    counts = apportion(shares, per_class)
    if empty := [name for name, share in shares.items() if share and not counts[name]]:
        least = ceil(1 / min(share for share in shares.values() if share))
        numbers = ",".join(f"{name}={max(1, counts[name])}" for name in shares if shares[name])
        raise UsageError(
            f"--splits {text}: of {counted(per_class, 'image')} of a class {' and '.join(empty)} "
            f"would have none: type --per-class {least}, or in place of both --splits {numbers}"
        )
    return counts


def usual_splits(per_class: int) -> dict[str, int]:
    """Divide a class's images by the usual shares; splits that would be empty are left out."""
    _check_number(per_class)
    shares = {name: Fraction(number) for name, number in _parts(USUAL).items()}
    return {name: count for name, count in apportion(shares, per_class).items() if count}


def _check_number(per_class: int) -> None:
    if not 1 <= per_class <= MOST:
        raise UsageError(f"--per-class {per_class}: type a number from 1 to {MOST}")


def _check_sum(text: str, total: int, per_class: int | None) -> None:
    if per_class is not None and total != per_class:
        raise UsageError(
            f"--splits {text} are {counted(total, 'image')} of a class, --per-class says "
            f"{per_class}: type --per-class {total}, or shares such as {_EXAMPLE}"
        )
    if not 1 <= total <= MOST:
        raise UsageError(f"--splits {text}: a class needs 1 to {MOST} images")


def apportion(shares: dict[str, Fraction], n: int) -> dict[str, int]:
    """Divide n by shares with the largest-remainder method; on ties the first wins."""
    counts = {name: int(share * n) for name, share in shares.items()}
    left = n - sum(counts.values())
    most_due = sorted(shares, key=lambda name: counts[name] - shares[name] * n)
    return {name: count + (name in most_due[:left]) for name, count in counts.items()}
