"""Tests of the update rules, against arithmetic.

The numbers are those of `tests/learner_tests` of prabhatnagarajan/table-rl@8280e6ec145f (MIT):
Q = [[1, 2], [3, 4], [5, 6]], s = 0, a = 0, r = 2, s' = 1, alpha = 0.1, gamma = 0.9.
"""

import numpy as np
import pytest

from rldf.agents.updates import q_learning_target, sarsa_target, step_towards

Q_NEXT = np.array([3.0, 4.0])
BOTH = np.array([1, 1], dtype=np.int8)


def test_q_learning_step_of_table_rl() -> None:
    """1 + 0.1 (2 + 0.9 * 4 - 1) = 1.46."""
    assert pytest.approx(1.46) == step_towards(1.0, q_learning_target(2.0, 0.9, Q_NEXT, BOTH), 0.1)


def test_sarsa_step_of_table_rl() -> None:
    """The greedy next action gives SARSA the same: 1 + 0.1 (2 + 0.9 * 4 - 1) = 1.46."""
    assert pytest.approx(1.46) == step_towards(1.0, sarsa_target(2.0, 0.9, Q_NEXT, 1), 0.1)


def test_sarsa_follows_the_action_taken() -> None:
    """The other next action gives 1 + 0.1 (2 + 0.9 * 3 - 1) = 1.37."""
    assert pytest.approx(1.37) == step_towards(1.0, sarsa_target(2.0, 0.9, Q_NEXT, 0), 0.1)


def test_terminal_step_of_table_rl() -> None:
    """A discount of 0 leaves the reward alone: 1 + 0.1 (2 - 1) = 1.1, in both rules."""
    assert pytest.approx(1.1) == step_towards(1.0, sarsa_target(2.0, 0.0, Q_NEXT, 1), 0.1)
    assert pytest.approx(1.1) == step_towards(1.0, q_learning_target(2.0, 0.0, Q_NEXT, BOTH), 0.1)


def test_q_learning_ignores_illegal_actions() -> None:
    """The best value of an illegal action does not count: 2 + 0.9 * 3 = 4.7."""
    mask = np.array([1, 0], dtype=np.int8)
    assert pytest.approx(4.7) == q_learning_target(2.0, 0.9, Q_NEXT, mask)


def test_q_learning_needs_a_legal_action() -> None:
    """A next state without a legal action is an error, not a value."""
    with pytest.raises(ValueError, match="no action is legal"):
        q_learning_target(2.0, 0.9, Q_NEXT, np.zeros(2, dtype=np.int8))


def test_full_step_arrives() -> None:
    """A learning rate of 1 replaces the value by the target; one of 0 leaves it."""
    assert (step_towards(1.0, 7.0, 1.0), step_towards(1.0, 7.0, 0.0)) == (7.0, 1.0)
