"""Tests of the factored model: against linear regression in closed form, and by enumeration."""

import itertools
import tracemalloc
from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from rldf.agents.factored import Posterior, Prior, Seen, fit
from rldf.agents.tables import Pair, Tables, best_cells

SHAPE = (3, 5, 2)
PAIRS: list[Pair] = [(0, 1)]
SCALE, NOISE = 0.4, 0.2


def data(n: int, seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw cells and rewards."""
    rng = np.random.default_rng(seed)
    cells = np.stack([rng.integers(size, size=n) for size in SHAPE], axis=1)
    return cells, rng.standard_normal(n)


def flat(tables: Tables) -> NDArray[np.float64]:
    """Write tables as one vector of weights."""
    return np.concatenate([*tables.axes, *(table.ravel() for table in tables.pairs.values())])


def design(cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """One-hot features, in the order of `flat`."""
    columns = [np.eye(size)[cells[:, axis]] for axis, size in enumerate(SHAPE)]
    for a, b in PAIRS:
        columns.append(np.eye(SHAPE[a] * SHAPE[b])[cells[:, a] * SHAPE[b] + cells[:, b]])
    return np.concatenate(columns, axis=1)


def closed_form(
    prior: Prior, cells: NDArray[np.int64], rewards: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bayesian linear regression in its precision form (Bishop, 2006, eq. 3.50 and 3.51)."""
    kernels = prior.covariances
    blocks = [*kernels, *(np.kron(kernels[a], kernels[b]) for a, b in PAIRS)]
    size = sum(map(len, blocks))
    before, at = np.zeros((size, size)), 0
    for block in blocks:
        before[at : at + len(block), at : at + len(block)] = SCALE * block
        at += len(block)
    x = design(cells)
    covariance = np.linalg.inv(np.linalg.inv(before) + x.T @ x / NOISE)
    return covariance @ x.T @ rewards / NOISE, covariance


def believe(n: int) -> Posterior:
    """The model's posterior of the same data."""
    cells, rewards = data(n)
    seen = Seen(Prior(shape=SHAPE), cells)
    return Posterior(seen, rewards, scale=SCALE, noise=NOISE, pairs=PAIRS)


@pytest.mark.parametrize("n", [1, 7, 60])
def test_the_mean_is_that_of_linear_regression(n: int) -> None:
    """Kernel form and one-hot features give the same weights."""
    mean, _ = closed_form(Prior(shape=SHAPE), *data(n))
    np.testing.assert_allclose(flat(believe(n).mean()), mean, atol=1e-8)


def test_draws_have_the_mean_and_covariance_of_linear_regression() -> None:
    """Matheron's rule draws from the posterior in closed form."""
    mean, covariance = closed_form(Prior(shape=SHAPE), *data(12))
    belief, rng = believe(12), np.random.default_rng(1)
    draws = np.stack([flat(belief.draw(rng)) for _ in range(4_000)])
    np.testing.assert_allclose(draws.mean(axis=0), mean, atol=0.05)
    np.testing.assert_allclose(np.cov(draws.T), covariance, atol=0.05)


def test_the_spread_of_the_draws_is_a_choice() -> None:
    """0 draws the mean; a half halves the deviations, of the same random numbers."""
    belief, mean = believe(12), flat(believe(12).mean())
    whole, half, none = (
        flat(belief.draw(np.random.default_rng(1), spread)) - mean for spread in (1.0, 0.5, 0.0)
    )
    np.testing.assert_allclose(half, whole / 2, atol=1e-12)
    np.testing.assert_allclose(none, 0.0, atol=1e-12)


def test_what_is_seen_more_often_is_known_better() -> None:
    """The spread of the draws shrinks with every look, and no look makes it grow."""
    prior, spreads = Prior(shape=SHAPE), []
    for n in (1, 10, 100, 300):
        _, covariance = closed_form(prior, *data(n))
        belief, rng = believe(n), np.random.default_rng(2)
        at = np.array([[1, 2, 1]])
        spreads.append(np.std([belief.draw(rng).at(at)[0] for _ in range(300)]))
        x = design(at)[0]
        assert spreads[-1] == pytest.approx(np.sqrt(x @ covariance @ x), rel=0.2)
    assert spreads[0] > spreads[1] > 2 * spreads[2] > 2 * spreads[3]


def test_the_evidence_is_the_density_of_the_rewards() -> None:
    """log N(y; 0, X S X' + noise I), with the covariance written out."""
    prior, (cells, rewards) = Prior(shape=SHAPE), data(9)
    kernels = prior.covariances
    total = np.zeros((9, 9))
    for i, j in itertools.product(range(9), repeat=2):
        parts = [k[cells[i, a], cells[j, a]] for a, k in enumerate(kernels)]
        total[i, j] = SCALE * (sum(parts) + sum(parts[a] * parts[b] for a, b in PAIRS))
    total += NOISE * np.eye(9)
    log_det = np.linalg.slogdet(2 * np.pi * total)[1]
    expected = -0.5 * (rewards @ np.linalg.inv(total) @ rewards + log_det)
    assert believe(9).evidence == pytest.approx(expected)


def test_neighbours_share_strength() -> None:
    """A good look at one value raises its neighbour more than a far one, and itself most."""
    seen = Seen(Prior(shape=(1, 9, 1)), np.array([[0, 2, 0]]))
    belief = Posterior(seen, np.array([2.0]), scale=1.0, noise=0.1)
    raised = belief.mean().axes[1]
    assert raised[2] > raised[3] > raised[8] > 0
    assert raised[1] == pytest.approx(raised[3])


def all_values(tables: Tables) -> Mapping[tuple[int, ...], float]:
    """Evaluate a function everywhere."""
    cells = list(itertools.product(*(range(len(table)) for table in tables.axes)))
    return dict(zip(cells, tables.at(np.array(cells)).tolist(), strict=True))


@pytest.mark.parametrize("width", [1, 10, 70, 1000])
def test_without_pairs_the_beam_is_exact(width: int) -> None:
    """It gives the best cells of the whole grid, in order."""
    for seed in range(10):
        tables = Prior(shape=(4, 7, 3, 2)).draw([], 1.0, np.random.default_rng(seed))
        values = all_values(tables)
        best = sorted(values.values(), reverse=True)[:width]
        found = best_cells(tables, width)
        assert len(found) == len(set(found)) == min(width, 168)
        np.testing.assert_allclose([values[cell] for cell in found], best)


def test_with_pairs_a_beam_of_64_finds_the_best_of_a_thousand() -> None:
    """Over 20 draws it misses none."""
    for seed in range(20):
        prior, rng = Prior(shape=(4, 7, 6, 6)), np.random.default_rng(seed)
        tables = prior.draw([(0, 3), (1, 2)], 1.0, rng)
        values = all_values(tables)
        assert values[best_cells(tables, 64)[0]] == pytest.approx(max(values.values()))


def test_pairs_come_in_where_the_data_asks_for_them() -> None:
    """A reward for two values that only count together is no sum over axes; a sum asks for none."""
    rng, shape = np.random.default_rng(0), (6, 5, 4)
    cells = np.stack([rng.integers(size, size=120) for size in shape], axis=1)
    together = (cells[:, 0] % 2 == cells[:, 2] % 2).astype(float)
    alone = (cells[:, 0] == 2).astype(float) + (cells[:, 1] == 3)
    noise = 0.1 * rng.standard_normal(120)
    assert list(fit(Prior(shape=shape), cells, together + noise).mean().pairs) == [(0, 2)]
    assert list(fit(Prior(shape=shape), cells, alone + noise).mean().pairs) == []
    unused = fit(Prior(shape=shape), cells, together + noise, pair_cells=20)
    assert list(unused.mean().pairs) == []


def test_equal_rewards_say_nothing() -> None:
    """No spread to divide by: the belief is finite, and flat."""
    cells = np.array([[0, 0, 0], [1, 2, 1]])
    mean = flat(fit(Prior(shape=SHAPE), cells, np.array([3.0, 3.0])).mean())
    np.testing.assert_allclose(mean, 0.0)


def test_memory_does_not_grow_with_the_number_of_states() -> None:
    """Worlds with the same sum of axes, of 1,600 and 10^12 states, both take under a megabyte."""
    peaks = []
    for shape in ((40, 40), (4,) * 20):
        rng = np.random.default_rng(0)
        cells = np.stack([rng.integers(size, size=40) for size in shape], axis=1)
        prior = Prior(shape=shape)
        tracemalloc.start()
        best_cells(fit(prior, cells, rng.standard_normal(40), gain=np.inf).draw(rng), 64)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert max(peaks) < 1_000_000, peaks
