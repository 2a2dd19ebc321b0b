"""Tests of rldf.agents.policies."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from rldf.agents.policies import best_actions, epsilon_greedy, greedy, uniform

Q = np.array([0.0, 5.0, 9.0, 5.0, -1.0])
MASK = np.array([1, 1, 0, 1, 1], dtype=np.int8)  # the highest value is illegal
DRAWS = 8000


def shares(draw: Callable[[np.random.Generator], int]) -> NDArray[np.float64]:
    """Measure how often each of five actions is drawn; one standard deviation is below 0.006."""
    rng = np.random.default_rng(0)
    return np.bincount([draw(rng) for _ in range(DRAWS)], minlength=5) / DRAWS


def test_best_actions_are_the_legal_ties() -> None:
    """The highest legal value counts, with all actions that share it."""
    assert best_actions(Q, MASK).tolist() == [1, 3]


def test_near_ties_are_none() -> None:
    """The smallest difference decides."""
    q = np.array([0.0, np.nextafter(5.0, 0.0), 9.0, 5.0, -1.0])
    assert best_actions(q, MASK).tolist() == [3]


def test_uniform_draws_legal_actions_equally() -> None:
    """Each legal action has the same share, an illegal one none."""
    found = shares(lambda rng: uniform(MASK, rng))
    np.testing.assert_allclose(found, [0.25, 0.25, 0, 0.25, 0.25], atol=0.02)
    assert found[2] == 0.0


def test_greedy_breaks_ties_at_random() -> None:
    """Tied actions have equal shares, all others none."""
    found = shares(lambda rng: greedy(Q, MASK, rng))
    np.testing.assert_allclose(found, [0, 0.5, 0, 0.5, 0], atol=0.02)
    assert found[1] + found[3] == 1.0


def test_epsilon_1_never_exploits() -> None:
    """Full exploration draws what `uniform` draws, number for number, whatever the values."""
    ours, theirs = np.random.default_rng(1), np.random.default_rng(1)
    for _ in range(200):
        theirs.random()
        assert uniform(MASK, theirs) == epsilon_greedy(Q, MASK, 1.0, ours)


def test_epsilon_0_never_explores() -> None:
    """Without exploration only the best actions are drawn."""
    rng = np.random.default_rng(2)
    assert {1, 3} == {epsilon_greedy(Q, MASK, 0.0, rng) for _ in range(2000)}


def test_epsilon_shares_exploration_among_all_legal_actions() -> None:
    """With epsilon 0.4 and a single best of 4 legal actions, it has 0.6 + 0.1, each other 0.1."""
    q = np.array([0.0, 6.0, 9.0, 5.0, -1.0])
    found = shares(lambda rng: epsilon_greedy(q, MASK, 0.4, rng))
    np.testing.assert_allclose(found, [0.1, 0.7, 0, 0.1, 0.1], atol=0.02)


def test_no_legal_action_is_an_error() -> None:
    """A state that cannot be left is said to be one."""
    with pytest.raises(ValueError, match="no action is legal"):
        uniform(np.zeros(4, dtype=np.int8), np.random.default_rng(0))
