"""95 % confidence intervals, and figures that state whether their sample size determines them.

Every figure is shown in the terminal, in JSON and in reports from the same record, so one that the
samples do not determine is marked as such everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

LEVEL = 0.95

WIDEST = 0.2
"""Width of the interval from which on the samples do not determine a share: about 100 are needed
for one near a half."""

UNDETERMINED = "not determined"


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """Compute the interval of a rate by Wilson's score, which holds near 0 and 1 too.

    E. Wilson, 1927, doi:10.1080/01621459.1927.10502953.

    Args:
        hits: how often it happened, 0 to `trials`.
        trials: how often it could have; 0 says nothing about the rate.

    Returns:
        Lower and upper end, in [0, 1].
    """
    if trials == 0:
        return 0.0, 1.0
    from scipy.stats import binomtest  # takes half a second to import

    low, high = binomtest(hits, trials).proportion_ci(LEVEL, method="wilson")
    return float(low), float(high)


def of_mean(values: Sequence[float]) -> tuple[float, float] | None:
    """Compute the interval of a mean, by Student's t.

    Args:
        values: independent results.

    Returns:
        Lower and upper end; None for fewer than two values, which say nothing of their spread.
    """
    from scipy.stats import t

    n = len(values)
    if n < 2:
        return None
    middle, spread = float(np.mean(values)), float(np.std(values, ddof=1))
    half = float(t.ppf((1 + LEVEL) / 2, n - 1)) * spread / n**0.5
    return middle - half, middle + half


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
