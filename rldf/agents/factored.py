"""A Bayesian linear model of the reward as a sum of functions of one or two axes each.

    f(x) = sum_a f_a(x_a) + sum_(a, b) f_ab(x_a, x_b)

`rldf.agents.tables` holds such functions. See D. Duvenaud et al., "Additive Gaussian processes",
arXiv:1112.4394, for the model; C. Rasmussen and C. Williams, "Gaussian processes for machine
learning", 2006, sections 2.1 and 2.2, for the formulas.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rldf.agents.tables import Cells, Floats, Pair, Tables


@dataclass(frozen=True, kw_only=True)
class Prior:
    """The prior of the function: Gaussian with mean 0, and smooth along each axis.

    On an axis the covariance of the values i and j is
    `smooth exp(-|i - j| / max(1, reach n)) + (1 - smooth) [i = j]`, with n values on the axis. The
    covariance of a pair of axes is the product of the covariances of the two axes.

    Attributes:
        shape: the number of values of each axis.
        smooth: in [0, 1], the part of the variance that is correlated between values.
        reach: above 0, the distance at which `exp` falls to 1/e, as a fraction of n; at least one
            cell.
    """

    shape: tuple[int, ...]
    smooth: float = 0.5
    reach: float = 0.15

    @cached_property
    def covariances(self) -> tuple[Floats, ...]:
        """For each axis, the (size, size) covariance of its values, 1 on the diagonal."""
        return tuple(self._covariance(size) for size in self.shape)

    @cached_property
    def roots(self) -> tuple[Floats, ...]:
        """For each axis, the (size, size) lower root of its covariance."""
        steady = (c + 1e-9 * np.eye(len(c)) for c in self.covariances)
        return tuple(np.asarray(np.linalg.cholesky(c), dtype=np.float64) for c in steady)

    def draw(self, pairs: Sequence[Pair], scale: float, rng: np.random.Generator) -> Tables:
        """Draw a random function from the prior; each table entry has variance `scale`."""
        spread, roots = np.sqrt(scale), self.roots
        axes = tuple(spread * (root @ rng.standard_normal(len(root))) for root in roots)
        drawn = {}
        for a, b in pairs:
            noise = rng.standard_normal((self.shape[a], self.shape[b]))
            drawn[a, b] = spread * (roots[a] @ noise @ roots[b].T)
        return Tables(axes=axes, pairs=drawn)

    def _covariance(self, size: int) -> Floats:
        places = np.arange(size)
        apart = np.abs(places[:, None] - places)
        shared = np.exp(-apart / max(1.0, self.reach * size))
        return np.asarray(self.smooth * shared + (1.0 - self.smooth) * np.eye(size))


class Seen:
    """The visited cells with their prior covariances, which posteriors of any noise share."""

    def __init__(self, prior: Prior, cells: Cells) -> None:
        """Compute what the posteriors need of cells.

        Args:
            prior: the prior of the function.
            cells: (n, n_axes) the visited cells, at least one.
        """
        self.prior, self.cells = prior, cells
        self.columns = [c[:, cells[:, a]] for a, c in enumerate(prior.covariances)]
        """For each axis the (size, n) covariance of its values with the cells."""
        self._kernels = [column[cells[:, a]] for a, column in enumerate(self.columns)]

    @cached_property
    def _single(self) -> Floats:
        return np.asarray(np.sum(self._kernels, axis=0), dtype=np.float64)

    def covariance(self, pairs: Sequence[Pair]) -> Floats:
        """Return the covariance of the cells' rewards, without noise.

        Returns:
            (n, n), in units of the variance of a table's entries.
        """
        return self._single + sum(self._kernels[a] * self._kernels[b] for a, b in pairs)


class Posterior:
    """The posterior of the function given rewards with Gaussian noise."""

    def __init__(
        self,
        seen: Seen,
        rewards: Floats,
        *,
        scale: float,
        noise: float,
        pairs: Sequence[Pair] = (),
    ) -> None:
        """Condition the prior on rewards.

        Args:
            seen: the visited cells and the prior.
            rewards: (n,) the rewards of the cells.
            scale: above 0, the prior variance of each table's entries.
            noise: above 0, the variance of the noise.
            pairs: the pairs of axes that have a table.
        """
        self._seen, self._rewards = seen, rewards
        self._scale, self._noise, self._pairs = scale, noise, tuple(pairs)
        count = len(rewards)
        # The rewards are one more row, so that the same factorisation whitens them as well.
        total = np.empty((count + 1, count + 1))
        total[:count, :count] = scale * seen.covariance(self._pairs)
        total[:count, count] = total[count, :count] = rewards
        total[count, count] = 1.0 + rewards @ rewards / noise  # enough to be positive definite
        total[np.arange(count), np.arange(count)] += noise
        root = np.linalg.cholesky(total)
        self._root, self._white = root[:count, :count], root[count, :count]

    @cached_property
    def _whitener(self) -> Floats:
        """The inverse of the Cholesky factor of the rewards' covariance; every `draw` uses it."""
        return np.asarray(np.linalg.inv(self._root), dtype=np.float64)

    @cached_property
    def evidence(self) -> float:
        """The log density of the rewards under the prior (Rasmussen & Williams, eq. 2.30)."""
        scatter = len(self._white) * np.log(2 * np.pi)
        fit = self._white @ self._white
        return float(-0.5 * (fit + scatter) - np.log(np.diag(self._root)).sum())

    def mean(self) -> Tables:
        """Return the posterior mean of the function."""
        return self._explain(self._rewards)

    def draw(self, rng: np.random.Generator, spread: float = 1.0) -> Tables:
        """Draw a random function from the posterior, whose spread is multiplied by `spread`.

        Matheron's rule adds to a sample of the prior the posterior mean given its errors at the
        visited cells: see J. Wilson et al., arXiv:2002.09309. The covariance matrix of all table
        entries is never computed.
        """
        drawn = self._seen.prior.draw(self._pairs, spread**2 * self._scale, rng)
        noise = spread * np.sqrt(self._noise) * rng.standard_normal(len(self._rewards))
        change = self._explain(self._rewards - drawn.at(self._seen.cells) - noise)
        axes = tuple(x + y for x, y in zip(drawn.axes, change.axes, strict=True))
        pairs = {pair: drawn.pairs[pair] + change.pairs[pair] for pair in self._pairs}
        return Tables(axes=axes, pairs=pairs)

    def _explain(self, rewards: Floats) -> Tables:
        """Return the posterior mean given other rewards (Rasmussen & Williams, eq. 2.25)."""
        weights = self._scale * (self._whitener.T @ (self._whitener @ rewards))
        columns = self._seen.columns
        return Tables(
            axes=tuple(column @ weights for column in columns),
            pairs={(a, b): (columns[a] * weights) @ columns[b].T for a, b in self._pairs},
        )


def fit(
    prior: Prior,
    cells: Cells,
    rewards: Floats,
    *,
    noises: Sequence[float] = (0.03, 0.1, 0.3, 0.6),
    gain: float = 3.0,
    pair_cells: int = 250_000,
) -> Posterior:
    """Fit the model to rewards of any unit, and choose its noise and its pairs of axes.

    The rewards are standardised, and each table entry has the prior variance 1 / n_axes. The noise
    is the one of `noises` with the highest evidence (empirical Bayes; Rasmussen & Williams, section
    5.4.1). Then pairs of axes are added one by one, as long as the best pair raises the log
    evidence by `gain` or more.
    """
    spread = float(rewards.std())
    standard = (rewards - rewards.mean()) / (spread if spread > 0 else 1.0)
    scale, seen = 1.0 / len(prior.shape), Seen(prior, cells)

    def believe(noise: float, pairs: Sequence[Pair]) -> Posterior:
        return Posterior(seen, standard, scale=scale, noise=noise, pairs=pairs)

    def quietest(pairs: Sequence[Pair]) -> tuple[Posterior, float]:
        found = [(believe(noise, pairs), noise) for noise in noises]
        return max(found, key=lambda one: one[0].evidence)

    pairs: list[Pair] = []
    best, noise = quietest(pairs)
    left = [p for p in _pairs(prior.shape) if prior.shape[p[0]] * prior.shape[p[1]] <= pair_cells]
    while left:
        pair = max(left, key=lambda one: believe(noise, [*pairs, one]).evidence)
        richer, richer_noise = quietest([*pairs, pair])
        if richer.evidence < best.evidence + gain:
            break
        best, noise = richer, richer_noise
        pairs.append(pair)
        left.remove(pair)
    return best


def _pairs(shape: tuple[int, ...]) -> list[Pair]:
    """List the pairs of axes whose two axes have more than one value each."""
    long = [axis for axis, size in enumerate(shape) if size > 1]
    return list(itertools.combinations(long, 2))
