"""Tests of SARSA: it learns the value of what it does, and does what it planned."""

import gymnasium
import numpy as np
import pytest

from rldf.agents.sarsa import Sarsa
from rldf.agents.schedules import Constant, LinearDecay, Schedule, VisitCount
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
from tests.oracles import grid_transitions, policy_values, to_mdp, value_iteration


def make(toy: Toy, alpha: Schedule, epsilon: Schedule, gamma: float = 0.9, seed: int = 0) -> Sarsa:
    """Make an agent."""
    rng = np.random.default_rng(seed)
    return Sarsa(toy, rng=rng, alpha=alpha, epsilon=epsilon, gamma=gamma)


def filled(toy: Toy, epsilon: float, seed: int = 0) -> Sarsa:
    """An agent with the table of table-rl's learner tests."""
    agent = make(toy, Constant(0.1), Constant(epsilon), seed=seed)
    fill_as_table_rl(agent.q)
    return agent


@pytest.mark.parametrize(("continues", "expected"), [(1.0, 1.46), (0.0, 1.1)])
def test_one_step_of_table_rl(continues: float, expected: float) -> None:
    """One greedy update gives the numbers of table-rl's learner tests: 1.46, and 1.1 at the end."""
    toy = Toy(CHAIN, 2, [0])
    agent = filled(toy, epsilon=0.0)
    agent.update(table_rl_step(continues))
    assert pytest.approx([expected, 2.0]) == agent.q.row(0).tolist()


def test_the_step_learned_from_is_the_step_taken() -> None:
    """Exploring or not, the next action is the one that the value was learned from."""
    toy, taken = Toy(CHAIN, 2, [0]), set()
    for seed in range(20):
        agent = filled(toy, epsilon=1.0, seed=seed)
        agent.update(table_rl_step(continues=1.0))
        action = agent.select_action((1,), toy.mask((1,)))
        taken.add(action)
        assert pytest.approx({0: 1.37, 1: 1.46}[action]) == agent.q.row(0)[0]
    assert {0, 1} == taken


def test_a_new_episode_drops_the_planned_step() -> None:
    """After `begin_episode` the step is drawn anew, in the state of the new walk."""
    toy, mask = Toy(CHAIN, 2, [0]), np.array([1, 0], dtype=np.int8)
    agent = filled(toy, epsilon=0.0)
    agent.update(table_rl_step(continues=1.0))  # plans action 1, illegal by the mask below
    agent.begin_episode((0,))
    assert agent.select_action((0,), mask) == 0


def test_values_are_those_of_the_policy() -> None:
    """With epsilon 1, SARSA learns the value of walking at random, not that of the best walk."""
    toy, mdp = Toy(CHAIN, 2, [0, 1]), to_mdp(CHAIN, 2)
    agent = make(toy, VisitCount(0.8), Constant(1.0))
    train(agent, toy, 25_000, np.random.default_rng(1))
    found = np.array([agent.q.row(s) for s in (0, 1)])
    np.testing.assert_allclose(found, policy_values(mdp, np.full((3, 2), 0.5), 0.9)[:2], atol=0.03)


def test_fading_exploration_finds_the_best_policy() -> None:
    """As epsilon goes to 0, the greedy policy becomes optimal in every state."""
    world, goal = Gridworld((4, 3, 2)), (2, 1, 0)
    transitions = grid_transitions(world, goal)
    starts = [s for s in range(world.n_states) if s != world.index(goal)]
    toy = Toy(transitions, world.n_actions, starts)
    agent = make(toy, Constant(0.2), LinearDecay(1.0, 0.0, 15_000))
    train(agent, toy, 20_000, np.random.default_rng(2))
    q = value_iteration(to_mdp(transitions, world.n_actions), 0.9)
    for s, action in enumerate(greedy_actions(agent, toy)):
        assert s == world.index(goal) or pytest.approx(q[s].max()) == q[s, action]


def test_the_cliff_is_kept_away_from() -> None:
    """SARSA takes a longer path than the edge's 13 steps, since exploring there costs 100.

    See Sutton & Barto, example 6.6.
    """
    world = gymnasium.make("CliffWalking-v1").unwrapped
    toy = Toy(world.P, 4, [36])  # type: ignore[attr-defined]
    agent = make(toy, Constant(0.2), Constant(0.1), gamma=1.0)
    train(agent, toy, 25_000, np.random.default_rng(3))
    assert -21.0 <= sum(greedy_rewards(agent, toy, 100, np.random.default_rng(0))) <= -15.0
