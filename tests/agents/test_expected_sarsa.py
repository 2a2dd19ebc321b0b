"""Tests of expected SARSA: its step against arithmetic, its values against Bellman's equation."""

import numpy as np
import pytest

from rldf.agents.expected_sarsa import ExpectedSarsa
from rldf.agents.policies import epsilon_greedy, epsilon_greedy_probabilities
from rldf.agents.schedules import Constant, Schedule, VisitCount
from rldf.agents.updates import expected_sarsa_target
from tests.agents.toys import CHAIN, Toy, fill_as_table_rl, table_rl_step, train
from tests.oracles import policy_values, to_mdp


def make(toy: Toy, alpha: Schedule, epsilon: float) -> ExpectedSarsa:
    """Make an agent."""
    rng = np.random.default_rng(0)
    return ExpectedSarsa(toy, rng=rng, alpha=alpha, epsilon=Constant(epsilon), gamma=0.9)


def test_the_target_is_an_average_over_the_policy() -> None:
    """1 + 0.5 (0.25 x 2 + 0.75 x 6) = 3.5; a terminal step is worth its reward."""
    q, pi = np.array([2.0, 6.0, 99.0]), np.array([0.25, 0.75, 0.0])
    assert expected_sarsa_target(1.0, 0.5, q, pi) == pytest.approx(3.5)
    assert expected_sarsa_target(1.0, 0.0, q, pi) == 1.0


@pytest.mark.parametrize(
    ("epsilon", "continues", "expected"),
    [
        (0.0, 1.0, 0.9 + 0.1 * (2 + 0.9 * 4.0)),  # greedy: as Q-learning, 1.46
        (1.0, 1.0, 0.9 + 0.1 * (2 + 0.9 * 3.5)),
        (0.2, 1.0, 0.9 + 0.1 * (2 + 0.9 * (0.1 * 3 + 0.9 * 4))),
        (0.2, 0.0, 0.9 + 0.1 * 2),
    ],
)
def test_one_step_against_arithmetic(epsilon: float, continues: float, expected: float) -> None:
    """From table-rl's values, next state worth [3, 4], a learning rate of 0.1."""
    agent = make(Toy(CHAIN, 2, [0]), Constant(0.1), epsilon)
    fill_as_table_rl(agent.q)
    agent.update(table_rl_step(continues))
    assert pytest.approx([expected, 2.0]) == agent.q.row(0).tolist()


def test_values_are_those_of_the_policy() -> None:
    """With epsilon 1 it learns the value of walking at random."""
    toy, mdp = Toy(CHAIN, 2, [0, 1]), to_mdp(CHAIN, 2)
    agent = make(toy, VisitCount(0.8), 1.0)
    train(agent, toy, 10_000, np.random.default_rng(1))
    found = np.array([agent.q.row(s) for s in (0, 1)])
    np.testing.assert_allclose(found, policy_values(mdp, np.full((3, 2), 0.5), 0.9)[:2], atol=0.03)


def test_probabilities_are_those_of_the_draws() -> None:
    """Ties share what is greedy, all legal actions share what explores, the rest has none."""
    q, mask = np.array([1.0, 5.0, 5.0, 9.0]), np.array([1, 1, 1, 0], dtype=np.int8)
    probabilities = epsilon_greedy_probabilities(q, mask, 0.3)
    assert pytest.approx([0.1, 0.45, 0.45, 0.0]) == probabilities.tolist()
    rng = np.random.default_rng(0)
    drawn = [epsilon_greedy(q, mask, 0.3, rng) for _ in range(4_000)]
    np.testing.assert_allclose(np.bincount(drawn, minlength=4) / 4_000, probabilities, atol=0.03)
