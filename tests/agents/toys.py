"""Small worlds to train in, and the loop that does it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rldf.agents.protocol import Transition, Walker
from rldf.agents.qtable import QTable
from rldf.grammar.encoding import Encoding
from tests.oracles import Transitions

# A chain of three states with slipping moves, its end terminal: `table_rl/envs/test_env.py` of
# prabhatnagarajan/table-rl@8280e6ec145f (MIT). Action 0 is left, action 1 right.
CHAIN: Transitions = {
    0: {
        0: [(0.9, 0, 0.0, False), (0.1, 1, 0.0, False)],
        1: [(0.1, 0, 0.0, False), (0.9, 1, 0.0, False)],
    },
    1: {
        0: [(0.9, 0, 0.0, False), (0.1, 2, 1.0, True)],
        1: [(0.1, 0, 0.0, False), (0.9, 2, 1.0, True)],
    },
    2: {0: [(1.0, 2, 0.0, True)], 1: [(1.0, 2, 0.0, True)]},
}


class Toy:
    """A world made of transitions; a state is a tuple of one number."""

    def __init__(self, transitions: Transitions, n_actions: int, starts: Sequence[int]) -> None:
        """Make a world whose episodes start in one of `starts`, drawn uniformly."""
        self.n_states, self.n_actions = len(transitions), n_actions
        self._transitions, self._starts = transitions, starts
        self._masks = {
            s: np.array([a in actions for a in range(n_actions)], dtype=np.int8)
            for s, actions in transitions.items()
        }

    def index(self, state: Encoding) -> int:
        """Number a state."""
        return state[0]

    def move(self, state: Encoding, action: int) -> Encoding:
        """Take the step that is the most likely one."""
        return (max(self._transitions[state[0]][action])[1],)

    def mask(self, state: Encoding) -> NDArray[np.int8]:
        """Mark the legal actions."""
        return self._masks[state[0]]

    def start(self, rng: np.random.Generator) -> Encoding:
        """Draw where an episode starts."""
        return (int(self._starts[int(rng.integers(len(self._starts)))]),)

    def step(self, state: Encoding, action: int, rng: np.random.Generator) -> Transition:
        """Take a step; an illegal one is a KeyError."""
        outcomes = self._transitions[state[0]][action]
        drawn, past = rng.random(), np.cumsum([outcome[0] for outcome in outcomes])
        _, s_next, reward, terminated = outcomes[int(np.searchsorted(past[:-1], drawn, "right"))]
        return Transition(
            state=state,
            action=action,
            reward=float(reward),
            continues=float(not terminated),
            next_state=(s_next,),
            next_mask=self._masks[s_next],
        )


def table_rl_step(continues: float) -> Transition:
    """The step of `tests/learner_tests` of table-rl@8280e6ec145f, in a world as its chain."""
    return Transition(
        state=(0,),
        action=0,
        reward=2.0,
        continues=continues,
        next_state=(1,),
        next_mask=np.ones(2, dtype=np.int8),
    )


def fill_as_table_rl(q: QTable) -> None:
    """Write the values that those learner tests start from: [[1, 2], [3, 4], [5, 6]]."""
    for cell in range(6):
        q.record(cell // 2, cell % 2, cell + 1.0)


def train(agent: Walker, toy: Toy, steps: int, rng: np.random.Generator) -> None:
    """Let an agent take and learn from some steps, in as many episodes as they fill."""
    state = toy.start(rng)
    agent.begin_episode(state)
    for _ in range(steps):
        transition = toy.step(state, agent.select_action(state, toy.mask(state)), rng)
        agent.update(transition)
        state = transition.next_state
        if not transition.continues:
            state = toy.start(rng)
            agent.begin_episode(state)


def greedy_rewards(agent: Walker, toy: Toy, limit: int, rng: np.random.Generator) -> list[float]:
    """Walk greedily through one episode, of at most so many steps."""
    state, rewards = toy.start(rng), []
    for _ in range(limit):
        transition = toy.step(state, agent.greedy_action(state, toy.mask(state)), rng)
        rewards.append(transition.reward)
        state = transition.next_state
        if not transition.continues:
            break
    return rewards


def greedy_actions(agent: Walker, toy: Toy) -> list[int]:
    """Give the greedy action of each state."""
    return [agent.greedy_action((s,), toy.mask((s,))) for s in range(toy.n_states)]
