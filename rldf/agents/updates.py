"""The update rules, one pure function for each.

The names carry time, as in rlax: `q_tm1` and `a_tm1` belong to the state that the step left,
`r_t`, `discount_t`, `q_t` and `a_t` to the step and to the state it led to. A step into a
terminal state has `discount_t = 0`, so that no rule needs a case for it.
"""

import numpy as np
from numpy.typing import NDArray

from rldf.agents.policies import legal_actions


def q_learning_target(
    r_t: float, discount_t: float, q_t: NDArray[np.float64], mask_t: NDArray[np.int8]
) -> float:
    """Value a step by its reward and by the best legal action after it.

    r + gamma max_b Q(s', b), over the legal b of s': see arXiv:2311.15648, Algorithm 1; Sutton &
    Barto, "Reinforcement Learning", eq. 6.8.

    Args:
        r_t: the reward of the step.
        discount_t: the discount in [0, 1], 0 for a step into a terminal state.
        q_t: (n_actions,) the action values of the state that the step led to.
        mask_t: (n_actions,) int8, 1 where an action is legal there, at least one.

    Returns:
        The value that Q(s, a) is moved towards.
    """
    return r_t + discount_t * float(q_t[legal_actions(mask_t)].max())


def sarsa_target(r_t: float, discount_t: float, q_t: NDArray[np.float64], a_t: int) -> float:
    """Value a step by its reward and by the action that will be taken after it.

    r + gamma Q(s', a'): see arXiv:2311.15648, Algorithm 1; Sutton & Barto, "Reinforcement
    Learning", eq. 6.7.

    Args:
        r_t: the reward of the step.
        discount_t: the discount in [0, 1], 0 for a step into a terminal state.
        q_t: (n_actions,) the action values of the state that the step led to.
        a_t: the action that will be taken there.

    Returns:
        The value that Q(s, a) is moved towards.
    """
    return r_t + discount_t * float(q_t[a_t])


def expected_sarsa_target(
    r_t: float, discount_t: float, q_t: NDArray[np.float64], pi_t: NDArray[np.float64]
) -> float:
    """Value a step by its reward and by what the policy earns after it, on average.

    r + gamma sum_b pi(b|s') Q(s', b): see H. van Seijen et al., "A theoretical and empirical
    analysis of Expected Sarsa", 2009, doi:10.1109/ADPRL.2009.4927542; Sutton & Barto,
    "Reinforcement Learning", eq. 6.9.

    Args:
        r_t: the reward of the step.
        discount_t: the discount in [0, 1], 0 for a step into a terminal state.
        q_t: (n_actions,) the action values of the state that the step led to.
        pi_t: (n_actions,) the probabilities of the actions there, which sum to 1; 0 where an
            action is not legal.

    Returns:
        The value that Q(s, a) is moved towards.
    """
    return r_t + discount_t * float(pi_t @ q_t)


def step_towards(q_tm1: float, target: float, alpha: float) -> float:
    """Move a value a part of the way to its target.

    See Sutton & Barto, "Reinforcement Learning", eq. 2.4.

    Args:
        q_tm1: the value before.
        target: what one step says it is.
        alpha: the learning rate, in [0, 1].

    Returns:
        The value after.
    """
    return q_tm1 + alpha * (target - q_tm1)
