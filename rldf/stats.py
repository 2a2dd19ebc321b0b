"""95 % confidence intervals of rates and means."""

from collections.abc import Sequence

import numpy as np

LEVEL = 0.95


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
