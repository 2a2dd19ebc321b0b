"""Tests of Q-learning: one step against arithmetic, many against value iteration."""

from dataclasses import replace

import gymnasium
import numpy as np
import pytest

from rldf.agents.q_learning import QLearning
from rldf.agents.schedules import Constant, Schedule, VisitCount
from rldf.gridworld import Gridworld
from tests.agents.toys import (
    CHAIN,
    Toy,
    fill_as_table_rl,
    greedy_actions,
    greedy_rewards,
    table_rl_step,
    train,
)
from tests.oracles import grid_transitions, to_mdp, value_iteration

EXPLORE = Constant(1.0)
GRID = grid_transitions(Gridworld((4, 3, 2)), goal=(2, 1, 0))
GOAL = 14  # the number of (2, 1, 0): no step starts there
GRID_Q = value_iteration(to_mdp(GRID, 6), 0.9)


def make(
    toy: Toy, alpha: Schedule, epsilon: Schedule = EXPLORE, gamma: float = 0.9, seed: int = 0
) -> QLearning:
    """Make an agent."""
    rng = np.random.default_rng(seed)
    return QLearning(toy, rng=rng, alpha=alpha, epsilon=epsilon, gamma=gamma)


def grid() -> Toy:
    """A grid of 24 states with its goal inside, and a start anywhere but there."""
    return Toy(GRID, 6, [s for s in range(24) if s != GOAL])


@pytest.mark.parametrize(("continues", "expected"), [(1.0, 1.46), (0.0, 1.1)])
def test_one_step_of_table_rl(continues: float, expected: float) -> None:
    """One update gives the numbers of table-rl's learner tests: 1.46, and 1.1 at the end."""
    toy = Toy(CHAIN, 2, [0])
    agent = make(toy, alpha=Constant(0.1))
    fill_as_table_rl(agent.q)
    agent.update(table_rl_step(continues))
    assert pytest.approx([expected, 2.0]) == agent.q.row(0).tolist()
    assert (agent.steps, agent.q.visits(0)[0]) == (1, 2)


def test_first_visit_uses_the_full_rate() -> None:
    """Visits are counted from 1, this one included: 1/N replaces the random start by the target."""
    toy = Toy(CHAIN, 2, [0])
    agent = make(toy, alpha=VisitCount(1.0))
    for reward, expected in ((2.0, 2.0), (5.0, 3.5), (-1.0, 2.0)):
        agent.update(replace(table_rl_step(continues=0.0), reward=reward))
        assert pytest.approx(expected) == agent.q.row(0)[0]


def test_full_steps_are_value_iteration() -> None:
    """In a deterministic world a learning rate of 1 arrives at Q* exactly."""
    toy = grid()
    agent = make(toy, alpha=Constant(1.0))
    train(agent, toy, 12_000, np.random.default_rng(1))
    found = np.array([agent.q.row(s) for s in range(toy.n_states)])
    legal = np.isfinite(GRID_Q)
    legal[GOAL] = False
    np.testing.assert_allclose(found[legal], GRID_Q[legal], atol=1e-9)


def test_visit_counts_find_the_best_policy() -> None:
    """With the rates of Robbins and Monro the greedy policy is optimal in every state."""
    toy = grid()
    agent = make(toy, alpha=VisitCount(0.6))
    train(agent, toy, 12_000, np.random.default_rng(2))
    for s, action in enumerate(greedy_actions(agent, toy)):
        assert s == GOAL or pytest.approx(GRID_Q[s].max()) == GRID_Q[s, action]


def test_slipping_moves_are_averaged() -> None:
    """In the stochastic chain the values come near table-rl's Q*."""
    toy = Toy(CHAIN, 2, [0, 1])
    agent = make(toy, alpha=VisitCount(0.8))
    train(agent, toy, 25_000, np.random.default_rng(3))
    found = np.array([agent.q.row(s) for s in (0, 1)])
    np.testing.assert_allclose(found, [[0.793, 0.871], [0.805, 0.978]], atol=0.02)


def test_frozen_lake_is_crossed() -> None:
    """On the ice that does not slip, the greedy walk reaches the goal in the fewest steps, 6."""
    world = gymnasium.make("FrozenLake-v1", is_slippery=False).unwrapped
    toy = Toy(world.P, 4, [0])  # type: ignore[attr-defined]
    agent = make(toy, alpha=Constant(1.0))
    train(agent, toy, 12_000, np.random.default_rng(4))
    rewards = greedy_rewards(agent, toy, 100, np.random.default_rng(0))
    assert rewards == [0.0] * 5 + [1.0]


def test_the_cliff_is_walked_along_its_edge() -> None:
    """Q-learning walks the best path, at the edge, for a return of -13."""
    world = gymnasium.make("CliffWalking-v1").unwrapped
    toy = Toy(world.P, 4, [36])  # type: ignore[attr-defined]
    agent = make(toy, alpha=Constant(0.5), epsilon=Constant(0.1), gamma=1.0)
    train(agent, toy, 15_000, np.random.default_rng(5))
    assert sum(greedy_rewards(agent, toy, 100, np.random.default_rng(0))) == -13.0
