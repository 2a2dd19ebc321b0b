"""The base classes of the agents that walk cell by cell: options, proposals and a Q-table.

See arXiv:2311.15648, Algorithm 1. The paper gives terminal states random initial values too, and
so does this module; but the discount of a step into a terminal state is 0, so such a value is
never used.
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
    """The options of agents that explore at random and learn action values."""

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
    """The options of agents that have a learning rate."""

    alpha: Annotated[str, AfterValidator(_check_alpha)] = Field(
        "0.5", description="Learning rate: a number, or visits:OMEGA (Robbins-Monro)."
    )
    gain: bool = Field(
        False, description="Learn from the change of the reward instead of the reward itself."
    )

    def keywords(self) -> dict[str, Any]:
        """Return the keyword arguments of the agent's constructor; the search alone uses `gain`."""
        keywords = super().keywords() | {"alpha": parse_alpha(self.alpha)}
        del keywords["gain"]
        return keywords


class WalkingAgent(checkpoint.SavedAgent, ABC):
    """An agent that proposes a neighbour at every step; subclasses select actions and learn."""

    def begin_episode(self, state: Encoding) -> None:
        """Start a new walk.

        Args:
            state: (n_axes,) the first state of the walk.
        """

    def propose(self, state: Encoding, mask: NDArray[np.int8]) -> tuple[Encoding, ...]:
        """Select an action and propose the cell that it leads to.

        Args:
            state: (n_axes,) the current state of the walk.
            mask: (n_actions,) int8, 1 where an action is legal; at least one is.

        Returns:
            One cell, (n_axes,).
        """
        return (self._world.move(state, self.select_action(state, mask)),)

    @abstractmethod
    def select_action(self, state: Encoding, mask: NDArray[np.int8]) -> int:
        """Choose an action to take.

        Args:
            state: (n_axes,) the current state of the walk.
            mask: (n_actions,) int8, 1 where an action is legal; at least one is.

        Returns:
            A legal action, in `[0, n_actions)`.
        """


class TabularAgent(WalkingAgent):
    """An agent with a table of action values and an epsilon-greedy policy; a subclass updates it.

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
            rng: random generator of the agent alone, for the initial table and for the policy;
                loading a checkpoint sets its state.
            alpha: the learning rate as a function of the visits of the state-action pair, from 1.
            epsilon: the exploration rate as a function of the steps learned from, from 0.
            gamma: the discount, in [0, 1]; the paper requires it to be below 1.
            initial_q: the initial values are uniform in [0, initial_q). The default is small
                compared to rewards of about 1, so that it only breaks ties.
            optimism: added to every initial value. Where it is above r_max / (1 - gamma), with
                r_max the highest reward, a greedy agent tries each action of a state before it
                repeats one: see Sutton & Barto, "Reinforcement Learning", section 2.6.

        Raises:
            ValueError: gamma is outside [0, 1], initial_q is negative, or a value is not finite.
        """
        if not 0.0 <= gamma <= 1.0:
            raise ValueError(f"gamma {gamma!r}: give a number in [0, 1]")
        super().__init__(world, rng)
        seed = int(rng.integers(2**63))
        self.q = QTable(world.n_states, world.n_actions, seed=seed, scale=initial_q, base=optimism)
        self.steps = 0
        self._alpha, self._epsilon, self._gamma = alpha, epsilon, gamma

    def select_action(self, state: Encoding, mask: NDArray[np.int8]) -> int:
        """Choose an action epsilon-greedily, ties broken at random.

        See arXiv:2311.15648, Algorithm 1. Epsilon follows the number of steps learned from so far.

        Args:
            state: (n_axes,) the current state of the walk.
            mask: (n_actions,) int8, 1 where an action is legal; at least one is.

        Returns:
            A legal action, in `[0, n_actions)`.

        Raises:
            ValueError: no action is legal.
        """
        return epsilon_greedy(self._row(state), mask, self._epsilon(self.steps), self._rng)

    def greedy_action(self, state: Encoding, mask: NDArray[np.int8]) -> int:
        """Choose the action of the highest value; this uses no random number.

        Args:
            state: (n_axes,) the current state of the walk.
            mask: (n_actions,) int8, 1 where an action is legal; at least one is.

        Returns:
            The legal action of the highest value; the first one where several have that value.

        Raises:
            ValueError: no action is legal.
        """
        return int(best_actions(self._row(state), mask)[0])

    def state_dict(self) -> dict[str, NDArray[np.generic]]:
        """Return everything that training changes, as arrays."""
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
