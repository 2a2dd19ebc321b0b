"""What the agents must arrive at, computed from a world's transitions, which no agent sees.

Transitions have the form of Gymnasium's toy worlds: `transitions[state][action]` is a list of
`(probability, next state, reward, terminated)`; an illegal action is not there.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rldf.grammar.encoding import Encoding
from rldf.gridworld import Gridworld

Transitions = Mapping[int, Mapping[int, list[tuple[float, int, float, bool]]]]


@dataclass(frozen=True, slots=True)
class Mdp:
    """A world as arrays, in the notation of Sutton & Barto.

    Attributes:
        p: (n_states, n_actions, n_states) the probability of going on to a state; a step into a
            terminal state goes on to none.
        r: (n_states, n_actions) the expected reward.
        legal: (n_states, n_actions) True where an action is legal.
    """

    p: NDArray[np.float64]
    r: NDArray[np.float64]
    legal: NDArray[np.bool_]


def to_mdp(transitions: Transitions, n_actions: int) -> Mdp:
    """Write transitions as arrays."""
    n_states = len(transitions)
    p = np.zeros((n_states, n_actions, n_states))
    r = np.zeros((n_states, n_actions))
    legal = np.zeros((n_states, n_actions), dtype=np.bool_)
    for s, actions in transitions.items():
        for a, outcomes in actions.items():
            legal[s, a] = True
            for probability, s_next, reward, terminated in outcomes:
                r[s, a] += probability * reward
                p[s, a, s_next] += probability * (not terminated)
    return Mdp(p, r, legal)


def value_iteration(mdp: Mdp, gamma: float) -> NDArray[np.float64]:
    """Compute Q*, -inf for illegal actions (Sutton & Barto, eq. 4.2, iterated to the end)."""
    v = np.zeros(len(mdp.r))
    while True:
        q = np.where(mdp.legal, mdp.r + gamma * mdp.p @ v, -np.inf)
        if np.abs(q.max(axis=1) - v).max() < 1e-12:
            return q
        v = q.max(axis=1)


def policy_values(mdp: Mdp, policy: NDArray[np.float64], gamma: float) -> NDArray[np.float64]:
    """Compute Q of a policy (n_states, n_actions), by solving Bellman's equation (eq. 4.4)."""
    p = np.einsum("sa,sat->st", policy, mdp.p)
    v = np.linalg.solve(np.eye(len(p)) - gamma * p, (policy * mdp.r).sum(axis=1))
    return np.asarray(mdp.r + gamma * mdp.p @ v)


def grid_transitions(world: Gridworld, goal: Encoding) -> Transitions:
    """Give a grid's legal moves, with a reward of 1 for the step into the goal, the last."""

    def outcome(state: Encoding, action: int) -> list[tuple[float, int, float, bool]]:
        moved = world.move(state, action)
        return [(1.0, world.index(moved), float(moved == goal), moved == goal)]

    return {
        world.index(state): {
            int(action): outcome(state, int(action))
            for action in np.flatnonzero(world.action_mask(state))
        }
        for state in world.states()
    }
