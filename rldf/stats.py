"""95 % confidence intervals, and figures that state whether their sample is large enough.

Terminal, JSON and reports show a figure from the same `Figure` record, so a figure from too small a
sample is marked in all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

LEVEL = 0.95

WIDEST = 0.2
"""A share with a wider interval is not determined; near one half that takes about 100 samples."""

UNDETERMINED = "not determined"


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """Compute the 95 % confidence interval of a rate by Wilson's score, valid near 0 and 1 too.

    See E. Wilson, 1927, doi:10.1080/01621459.1927.10502953.

    Args:
        hits: number of successes, 0 to `trials`.
        trials: number of trials; 0 gives (0, 1).

    Returns:
        Lower and upper end, in [0, 1].
    """
    if trials == 0:
        return 0.0, 1.0
    from scipy.stats import binomtest  # takes half a second to import

    low, high = binomtest(hits, trials).proportion_ci(LEVEL, method="wilson")
    return float(low), float(high)


def t_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Compute the 95 % confidence interval of the mean of independent values by Student's t.

    Returns:
        Lower and upper end; None for fewer than two values.
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
    """A measured value with its 95 % interval; it is determined if the sample is large enough."""

    value: float | None  # None where there is nothing to measure
    n: int  # sample size
    low: float | None = None  # lower end of the interval; None if unknown
    high: float | None = None  # upper end of the interval; None if unknown
    reason: str = ""  # why the value is not determined, "" if it is

    @property
    def determined(self) -> bool:
        """Whether the sample is large enough to determine the value."""
        return not self.reason

    def document(self) -> dict[str, Any]:
        """Return all fields and "determined", as JSON."""
        return {**asdict(self), "determined": self.determined}

    @property
    def interval(self) -> str:
        """The interval as text; "" if it is unknown."""
        if self.low is None or self.high is None:
            return ""
        return f"95 % {self.low:.4g} to {self.high:.4g}"

    def __str__(self) -> str:
        """Format the value with its interval, and mark it if it is not determined."""
        value = "no samples" if self.value is None else f"{self.value:.4g}"
        text = f"{value} ({self.interval})" if self.interval else value
        return text if self.determined else f"{UNDETERMINED}: {text}"


def read_figure(document: Mapping[str, Any]) -> Figure:
    """Make the figure whose `Figure.document` returned this dictionary."""
    return Figure(**{name: document[name] for name in ("value", "n", "low", "high", "reason")})


def share(value: float | None, n: int, what: str = "samples") -> Figure:
    """Make the figure of a share with Wilson's interval; it is not determined if wider than 0.2.

    Args:
        value: the share, 0 to 1; as a mean over repetitions it need not be a multiple of 1 / n.
        n: sample size.
        what: what the samples are, for the text of `reason`.
    """
    if value is None or n == 0:
        return Figure(value=None, n=n, reason=f"there are no {what}")
    low, high = wilson(round(value * n), n)
    low, high = min(low, value), max(high, value)
    few = f"{n} {what} are few" if high - low > WIDEST else ""
    return Figure(value=value, n=n, low=low, high=high, reason=few)
