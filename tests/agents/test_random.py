"""Tests of the random agent."""

import numpy as np

from rldf.agents.protocol import Transition
from rldf.agents.random import RandomAgent
from rldf.gridworld import Gridworld

WORLD = Gridworld((3, 3))
MASK = WORLD.action_mask((0, 1))  # three of four actions are legal


def test_legal_steps_are_equally_likely() -> None:
    """The chi-square over 3 legal actions is below its 99.9 % point; no other is drawn."""
    agent = RandomAgent(WORLD, rng=np.random.default_rng(0))
    counts = np.bincount([agent.select_action((0, 1), MASK) for _ in range(9000)], minlength=4)
    assert counts[0] == 0
    assert ((counts[1:] - 3000) ** 2 / 3000).sum() < 13.8  # 2 degrees of freedom


def test_rewards_teach_nothing() -> None:
    """A large reward changes no later step."""
    taught, left = (RandomAgent(WORLD, rng=np.random.default_rng(1)) for _ in range(2))
    transition = Transition(
        state=(0, 1), action=1, reward=1e6, continues=1.0, next_state=(1, 1), next_mask=MASK
    )
    steps = []
    for _ in range(100):
        taught.update(transition)
        steps.append(taught.select_action((0, 1), MASK))
    assert [left.select_action((0, 1), MASK) for _ in range(100)] == steps
