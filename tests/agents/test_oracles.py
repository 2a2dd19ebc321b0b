"""Tests of the oracles themselves, and of the grid's edges, against published values."""

import gymnasium
import numpy as np
import pytest

from rldf.gridworld import Gridworld
from tests.agents.toys import CHAIN
from tests.oracles import Mdp, Transitions, policy_values, to_mdp, value_iteration


def sutton_grid() -> Mdp:
    """The 4x4 grid of Sutton & Barto, example 4.1: -1 a step, two terminal corners."""
    world = Gridworld((4, 4))
    corners = {(0, 0), (3, 3)}
    transitions: Transitions = {
        world.index(s): {
            a: [(1.0, world.index(world.move(s, a)), -float(s not in corners), s in corners)]
            for a in range(4)
        }
        for s in world.states()
    }
    return to_mdp(transitions, 4)


def test_random_walk_on_the_grid_of_sutton_and_barto() -> None:
    """The uniform policy, bumping into the edges, has the values of figure 4.1."""
    v = policy_values(sutton_grid(), np.full((16, 4), 0.25), gamma=1.0).mean(axis=1)
    printed = [0, -14, -20, -22, -14, -18, -20, -20, -20, -20, -18, -14, -22, -20, -14, 0]
    np.testing.assert_allclose(v, printed, atol=1e-9)


def test_best_walk_on_the_grid_of_sutton_and_barto() -> None:
    """The optimal value of a cell is its distance to the nearer corner, negated."""
    v = value_iteration(sutton_grid(), gamma=1.0).max(axis=1)
    printed = [0, -1, -2, -3, -1, -2, -3, -2, -2, -3, -2, -1, -3, -2, -1, 0]
    np.testing.assert_allclose(v, printed, atol=1e-9)


def test_best_values_of_the_chain() -> None:
    """Q* of the chain, from `tests/test_dp.py` of table-rl@8280e6ec145f."""
    q = value_iteration(to_mdp(CHAIN, 2), gamma=0.9)
    printed = [[0.79345359, 0.8708637], [0.80539959, 0.97837773], [0.0, 0.0]]
    np.testing.assert_allclose(q, printed, atol=1e-8)


def test_policy_values_of_the_chain() -> None:
    """Q of a policy on the chain, from `tests/test_dp.py` of table-rl@8280e6ec145f."""
    policy = np.array([[0.3, 0.7], [0.2, 0.8], [0.4, 0.6]])
    q = policy_values(to_mdp(CHAIN, 2), policy, gamma=0.9)
    printed = [[0.72479142, 0.82079478], [0.7415119, 0.9712791], [0.0, 0.0]]
    np.testing.assert_allclose(q, printed, atol=1e-5)


def test_cliff_walking_costs_13_steps() -> None:
    """The best return of Gymnasium's CliffWalking is -13."""
    world = gymnasium.make("CliffWalking-v1").unwrapped
    q = value_iteration(to_mdp(world.P, 4), gamma=1.0)  # type: ignore[attr-defined]
    assert pytest.approx(-13.0) == q[36].max()
