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

    See arXiv:2311.15648, Algorithm 1; Sutton & Barto, "Reinforcement Learning", eq. 6.8.
    """
    return r_t + discount_t * float(q_t[legal_actions(mask_t)].max())


def sarsa_target(r_t: float, discount_t: float, q_t: NDArray[np.float64], a_t: int) -> float:
    """Value a step by its reward and by the action that will be taken after it.

    See arXiv:2311.15648, Algorithm 1; Sutton & Barto, "Reinforcement Learning", eq. 6.7.
    """
    return r_t + discount_t * float(q_t[a_t])


def expected_sarsa_target(
    r_t: float, discount_t: float, q_t: NDArray[np.float64], pi_t: NDArray[np.float64]
) -> float:
    """Value a step by its reward and by what the policy earns after it, on average.

    See H. van Seijen et al., "A theoretical and empirical analysis of Expected Sarsa", 2009,
    doi:10.1109/ADPRL.2009.4927542; Sutton & Barto, "Reinforcement Learning", eq. 6.9.
    """
    return r_t + discount_t * float(pi_t @ q_t)


def step_towards(q_tm1: float, target: float, alpha: float) -> float:
    """Move a value a part of the way to its target.

    See Sutton & Barto, "Reinforcement Learning", eq. 2.4.
    """
    return q_tm1 + alpha * (target - q_tm1)
