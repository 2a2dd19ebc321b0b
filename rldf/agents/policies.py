"""Policies: how a legal action is chosen from action values, with ties broken at random."""

import numpy as np
from numpy.typing import NDArray


def legal_actions(mask: NDArray[np.int8]) -> NDArray[np.intp]:
    """List the legal actions.

    Returns:
        (n_legal,) the legal actions, in order, at least one.
    """
    legal = np.flatnonzero(mask)
    if not legal.size:
        raise ValueError("mask: no action is legal: give a mask with at least one 1")
    return legal


def best_actions(q: NDArray[np.float64], mask: NDArray[np.int8]) -> NDArray[np.intp]:
    """List the legal actions with the highest value.

    Returns:
        (n_best,) the tied best actions, in order, at least one.
    """
    legal = legal_actions(mask)
    values = q[legal]
    return legal[np.flatnonzero(values == values.max())]


def uniform(mask: NDArray[np.int8], rng: np.random.Generator) -> int:
    """Choose a random legal action, each with the same probability."""
    return _draw(legal_actions(mask), rng)


def greedy(q: NDArray[np.float64], mask: NDArray[np.int8], rng: np.random.Generator) -> int:
    """Take the best legal action, ties broken at random."""
    return _draw(best_actions(q, mask), rng)


def epsilon_greedy(
    q: NDArray[np.float64], mask: NDArray[np.int8], epsilon: float, rng: np.random.Generator
) -> int:
    """Explore with probability epsilon, else take the best legal action.

    Exploring means a random legal action; the best one may be chosen too.
    See arXiv:2311.15648, Algorithm 1; Sutton & Barto, "Reinforcement Learning", section 2.2.
    """
    return uniform(mask, rng) if rng.random() < epsilon else greedy(q, mask, rng)


def epsilon_greedy_probabilities(
    q: NDArray[np.float64], mask: NDArray[np.int8], epsilon: float
) -> NDArray[np.float64]:
    """Return the probability with which `epsilon_greedy` chooses each action.

    Returns:
        (n_actions,) the probabilities, which sum to 1; illegal actions have 0.
    """
    best, legal = best_actions(q, mask), legal_actions(mask)
    probabilities = np.zeros(len(q))
    probabilities[legal] = epsilon / legal.size
    probabilities[best] += (1.0 - epsilon) / best.size
    return probabilities


def _draw(actions: NDArray[np.intp], rng: np.random.Generator) -> int:
    return int(actions[rng.integers(actions.size)])
