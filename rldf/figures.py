"""A figure with its interval, the number of samples that it rests on, and whether that is enough.

Whatever shows a figure, in a terminal, in JSON or on a page, shows this record, so that a figure
that the samples do not determine is marked as such everywhere.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rldf.stats import wilson

WIDEST = 0.2
"""Width of the interval from which on the samples do not determine a share: about 100 are needed
for one near a half."""

UNDETERMINED = "not determined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What was measured, and how far it can be trusted.

    Attributes:
        value: what came out; None where there is nothing to measure.
        n: samples that it rests on.
        low: lower end of its 95 % interval, None where none is known.
        high: upper end, likewise.
        reason: why the samples do not determine it, "" where they do.
    """

    value: float | None
    n: int
    low: float | None = None
    high: float | None = None
    reason: str = ""

    @property
    def determined(self) -> bool:
        """Whether the samples determine it."""
        return not self.reason

    def document(self) -> dict[str, Any]:
        """Say it in JSON.

        Returns:
            All attributes, and "determined".
        """
        return {**asdict(self), "determined": self.determined}

    @property
    def interval(self) -> str:
        """The interval for people, "" where none is known."""
        if self.low is None or self.high is None:
            return ""
        return f"95 % {self.low:.4g} to {self.high:.4g}"

    def __str__(self) -> str:
        """Say it to people, with its interval; marked where it is not determined."""
        value = "no samples" if self.value is None else f"{self.value:.4g}"
        told = f"{value} ({self.interval})" if self.interval else value
        return told if self.determined else f"{UNDETERMINED}: {told}"


def read_figure(document: Mapping[str, Any]) -> Figure:
    """Read back what `Figure.document` gave.

    Args:
        document: the record.

    Returns:
        The figure.
    """
    return Figure(**{name: document[name] for name in ("value", "n", "low", "high", "reason")})


def share(value: float | None, n: int, what: str = "samples") -> Figure:
    """Judge a share by Wilson's interval.

    Args:
        value: 0 to 1; a mean over repetitions with the same samples may lie between two counts.
        n: samples.
        what: what they are, for the reason.

    Returns:
        The figure; not determined where its interval is wider than 0.2.
    """
    if value is None or n == 0:
        return Figure(value=None, n=n, reason=f"there are no {what}")
    low, high = wilson(round(value * n), n)
    low, high = min(low, value), max(high, value)
    few = f"{n} {what} are few" if high - low > WIDEST else ""
    return Figure(value=value, n=n, low=low, high=high, reason=few)
