"""Q-learning, which learns the value of the best step whatever step it takes."""

from rldf.agents.base import TabularAgent
from rldf.agents.protocol import Transition
from rldf.agents.updates import q_learning_target


class QLearning(TabularAgent):
    """Q(s, a) += alpha (r + gamma max_b Q(s', b) - Q(s, a)), over the legal b of s'.

    See arXiv:2311.15648, Algorithm 1; Sutton & Barto, "Reinforcement Learning", eq. 6.8.
    """

    def update(self, transition: Transition) -> None:
        """Learn from one step, by the rule above.

        Args:
            transition: the step; its discount is gamma times `continues`.
        """
        q_t = self._row(transition.next_state)
        discount_t = self._discount(transition)
        target = q_learning_target(transition.reward, discount_t, q_t, transition.next_mask)
        self._learn(transition, target)
