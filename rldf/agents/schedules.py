"""Numbers that change as training goes on: learning rates and exploration rates.

A schedule is called with a count. For a learning rate the count is N(s, a), the visits of the
state-action pair including the present one, so it starts at 1. For an exploration rate it is the
number of steps that the agent has learned from, so it starts at 0.
"""

import contextlib
from dataclasses import dataclass
from typing import Protocol

from rldf.errors import UsageError


class Schedule(Protocol):
    """A function from counts to numbers in [0, 1]."""

    def __call__(self, count: int, /) -> float:
        """Return the number for a count of 0 or more."""


@dataclass(frozen=True, slots=True)
class Constant:
    """The same number at every count.

    Attributes:
        value: in [0, 1].
    """

    value: float

    def __post_init__(self) -> None:
        """Refuse a value outside [0, 1]."""
        _check_rate("value", self.value)

    def __call__(self, count: int, /) -> float:
        """Return the number, which is the same for every count."""
        return self.value


@dataclass(frozen=True, slots=True)
class VisitCount:
    """The learning rate 1 / N(s, a)^omega, whose sum diverges while that of its squares does not.

    Those are the Robbins-Monro conditions, under which arXiv:2311.15648 claims convergence to Q*;
    see Sutton & Barto, "Reinforcement Learning", eq. 2.7.

    Attributes:
        omega: in (0.5, 1]; with 1 a value is the mean of all its targets, with less the early
            targets weigh less.
    """

    omega: float

    def __post_init__(self) -> None:
        """Refuse an exponent that breaks the Robbins-Monro conditions."""
        if not 0.5 < self.omega <= 1.0:
            raise ValueError(f"omega {self.omega!r}: give a number above 0.5 and at most 1")

    def __call__(self, count: int, /) -> float:
        """Return the learning rate of visit number `count`, counted from 1."""
        return float(count**-self.omega)


@dataclass(frozen=True, slots=True)
class LinearDecay:
    """A number that moves linearly from `start` to `end`, then stays at `end`.

    Attributes:
        start: in [0, 1], the number at count 0.
        end: in [0, 1], the number from count `steps` on.
        steps: the count at which `end` is reached, 1 or more.
    """

    start: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        """Refuse ends outside [0, 1], and fewer than 1 step."""
        _check_rate("start", self.start)
        _check_rate("end", self.end)
        if self.steps < 1:
            raise ValueError(f"steps {self.steps!r}: give 1 or more")

    def __call__(self, count: int, /) -> float:
        """Return the number for a count."""
        return self.start + (self.end - self.start) * min(count / self.steps, 1.0)


def _check_rate(name: str, rate: float) -> None:
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"{name} {rate!r}: give a number in [0, 1]")


def parse_alpha(text: str) -> Schedule:
    """Parse a learning rate, such as "0.1" or "visits:0.7"."""
    kind, _, omega = text.partition(":")
    with contextlib.suppress(ValueError):
        if kind == "visits":
            return VisitCount(float(omega or 1))
        if float(text) > 0:
            return Constant(float(text))
    raise UsageError(
        f"--alpha {text}: give a number above 0 and at most 1, or visits:OMEGA with OMEGA "
        "above 0.5 and at most 1"
    )


def parse_epsilon(text: str) -> Schedule:
    """Parse an exploration rate, such as "0.1" or "0.9:0.05:300"."""
    parts = text.split(":")
    with contextlib.suppress(ValueError):
        rates = [float(part) for part in parts[:2]]
        if len(parts) == 1:
            return Constant(rates[0])
        if len(parts) == 3:
            return LinearDecay(rates[0], rates[1], int(parts[2]))
    raise UsageError(
        f"--epsilon {text}: give a number from 0 to 1, or START:END:STEPS such as 0.9:0.05:300"
    )
