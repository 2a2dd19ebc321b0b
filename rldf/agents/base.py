"""What the agents that walk cell by cell share: a table, a policy on it, a step of learning.

See arXiv:2311.15648, Algorithm 1. The paper draws Q at random for terminal states too; so does
this, but a step into a terminal state is learned with a discount of 0, which keeps that value out.
"""

from abc import ABC, abstractmethod
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from rldf.agents import checkpoint
from rldf.agents.options import AgentOptions
from rldf.agents.policies import best_actions, epsilon_greedy
from rldf.agents.protocol import Transition, World
from rldf.agents.qtable import QTable
from rldf.agents.schedules import Schedule, parse_alpha, parse_epsilon
from rldf.agents.updates import step_towards
from rldf.grammar.encoding import Encoding


def _check_alpha(text: str) -> str:
    parse_alpha(text)
    return text


def _check_epsilon(text: str) -> str:
    parse_epsilon(text)
    return text


class ExploringOptions(AgentOptions):
    """Options of agents that explore, and value what they have seen."""

    epsilon: Annotated[str, AfterValidator(_check_epsilon)] = Field(
        "0.1", description="Exploration rate: a number, or START:END:STEPS for a linear decay."
    )
    gamma: float = Field(0.9, ge=0, lt=1, description="Discount of later rewards.")
    optimism: float = Field(
        0.0, description="Added to every initial action value; high values make it explore."
    )

    def keywords(self) -> dict[str, Any]:
        """Return the keyword arguments of the agent's constructor."""
        return super().keywords() | {"epsilon": parse_epsilon(self.epsilon)}


class LearningOptions(ExploringOptions):
    """Options of agents that learn at a rate."""

    alpha: Annotated[str, AfterValidator(_check_alpha)] = Field(
        "0.5", description="Learning rate: a number, or visits:OMEGA (Robbins-Monro)."
    )
    gain: bool = Field(
        False, description="Learn from the change of the reward instead of the reward itself."
    )

    def keywords(self) -> dict[str, Any]:
        """Return the keyword arguments of the agent's constructor; `gain` is the search's."""
        keywords = super().keywords() | {"alpha": parse_alpha(self.alpha)}
        del keywords["gain"]
        return keywords


class WalkingAgent(checkpoint.SavedAgent, ABC):
    """Goes cell by cell and sees each; a subclass says which action it takes, and learns."""

    def begin_episode(self, state: Encoding) -> None:
        """Start a new walk.

        Args:
            state: (n_axes,) where it starts.
        """

    def propose(self, state: Encoding, mask: NDArray[np.int8]) -> tuple[Encoding, ...]:
        """Name the cell that the selected action leads to.

        Args:
            state: (n_axes,) where the walk is.
            mask: (n_actions,) int8, 1 where an action is legal, at least one.

        Returns:
            That one cell, (n_axes,).
        """
        return (self._world.move(state, self.select_action(state, mask)),)

    @abstractmethod
    def select_action(self, state: Encoding, mask: NDArray[np.int8]) -> int:
        """Choose an action to take.

        Args:
            state: (n_axes,) where the walk is.
            mask: (n_actions,) int8, 1 where an action is legal, at least one.

        Returns:
            A legal action, in `[0, n_actions)`.
        """


class TabularAgent(WalkingAgent):
    """A table of action values and a policy on it; a subclass says what a step is worth.

    Attributes:
        q: the table of action values.
        steps: the number of steps learned from.
    """

    Options: ClassVar[type[AgentOptions]] = LearningOptions

    def __init__(
        self,
        world: World,
        *,
        rng: np.random.Generator,
        alpha: Schedule,
        epsilon: Schedule,
        gamma: float = 0.9,
        initial_q: float = 0.01,
        optimism: float = 0.0,
    ) -> None:
        """Make an agent that has learned nothing.

        Args:
            world: the size of the world and the numbering of its states.
            rng: the agent's own generator, for the initial table and for the policy; loading a
                checkpoint sets its state.
            alpha: the learning rate, by the visits of the state-action pair, from 1.
            epsilon: the rate of exploration, by the steps learned from, from 0.
            gamma: the discount, in [0, 1]; the paper's is below 1.
            initial_q: the initial values are uniform in [0, initial_q). The default is small
                beside rewards of about 1, so that it breaks ties and does no more.
            optimism: added to every initial value. Above the value of any state, r / (1 - gamma),
                it makes a greedy agent try each action before it repeats one: see Sutton & Barto,
                "Reinforcement Learning", section 2.6.

        Raises:
            ValueError: gamma is outside [0, 1], initial_q is negative, or a value not finite.
        """
        if not 0.0 <= gamma <= 1.0:
            raise ValueError(f"gamma {gamma!r}: give a number in [0, 1]")
        super().__init__(world, rng)
        seed = int(rng.integers(2**63))
        self.q = QTable(world.n_states, world.n_actions, seed=seed, scale=initial_q, base=optimism)
        self.steps = 0
        self._alpha, self._epsilon, self._gamma = alpha, epsilon, gamma

    def select_action(self, state: Encoding, mask: NDArray[np.int8]) -> int:
        """Choose the step to take: epsilon-greedy, ties broken at random.

        See arXiv:2311.15648, Algorithm 1. The rate is that of the steps learned from so far.

        Args:
            state: (n_axes,) where the walk is.
            mask: (n_actions,) int8, 1 where an action is legal, at least one.

        Returns:
            A legal action, in `[0, n_actions)`.

        Raises:
            ValueError: no action is legal.
        """
        return epsilon_greedy(self._row(state), mask, self._epsilon(self.steps), self._rng)

    def greedy_action(self, state: Encoding, mask: NDArray[np.int8]) -> int:
        """Choose the best step by the table; draws no number, so asking changes no training.

        Args:
            state: (n_axes,) where the walk is.
            mask: (n_actions,) int8, 1 where an action is legal, at least one.

        Returns:
            The legal action of the highest value, of equal ones the first.

        Raises:
            ValueError: no action is legal.
        """
        return int(best_actions(self._row(state), mask)[0])

    def state_dict(self) -> dict[str, NDArray[np.generic]]:
        """Return all that changes in training, as arrays."""
        steps = np.array(self.steps, dtype=np.int64)
        return super().state_dict() | self.q.state_dict() | {"steps": steps}

    def load_state_dict(self, arrays: checkpoint.Arrays) -> None:
        """Load the arrays of `state_dict`."""
        table, steps = QTable.from_state_dict(arrays), int(arrays["steps"].item())
        super().load_state_dict(arrays)
        self.q, self.steps = table, steps

    def _row(self, state: Encoding) -> NDArray[np.float64]:
        return self.q.row(self._world.index(state))

    def _discount(self, transition: Transition) -> float:
        return self._gamma * transition.continues

    def _learn(self, transition: Transition, target: float) -> None:
        index, action = self._world.index(transition.state), transition.action
        alpha = self._alpha(int(self.q.visits(index)[action]) + 1)
        value = step_towards(float(self.q.row(index)[action]), target, alpha)
        self.q.record(index, action, value)
        self.steps += 1
