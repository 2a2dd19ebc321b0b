"""Expected SARSA, which learns the value of its policy without the noise of the action drawn."""

from rldf.agents.base import TabularAgent
from rldf.agents.policies import epsilon_greedy_probabilities
from rldf.agents.protocol import Transition
from rldf.agents.updates import expected_sarsa_target


class ExpectedSarsa(TabularAgent):
    """Q(s, a) += alpha (r + gamma sum_b pi(b|s') Q(s', b) - Q(s, a)), over the legal b of s'.

    See H. van Seijen et al., 2009, doi:10.1109/ADPRL.2009.4927542; Sutton & Barto, "Reinforcement
    Learning", eq. 6.9. The policy pi is the agent's own, epsilon-greedy on the same table.
    """

    def update(self, transition: Transition) -> None:
        """Learn from one step, by the rule above.

        Args:
            transition: the step; its discount is gamma times `continues`.
        """
        q_t = self._row(transition.next_state)
        pi_t = epsilon_greedy_probabilities(q_t, transition.next_mask, self._epsilon(self.steps))
        discount_t = self._discount(transition)
        self._learn(transition, expected_sarsa_target(transition.reward, discount_t, q_t, pi_t))
