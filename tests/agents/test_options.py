"""Tests of rldf.agents.options: agents of other packages."""

from typing import Any

import numpy as np
import pytest

from rldf import catalog
from rldf.agents import QLearning, World
from rldf.agents.options import make_agent
from rldf.gridworld import Gridworld


class Plain:
    """Takes a discount and no rates."""

    def __init__(self, world: World, *, rng: np.random.Generator, gamma: float) -> None:
        self.taken = {"rng": rng, "gamma": gamma}


class Greedy:
    """Takes no option at all."""

    def __init__(self, world: World) -> None:
        self.taken: dict[str, object] = {}


class Anything:
    """Takes every option."""

    def __init__(self, world: World, **options: object) -> None:
        self.taken = options


@pytest.mark.parametrize(
    ("maker", "names"),
    [
        (Plain, {"rng", "gamma"}),
        (Greedy, set()),
        (Anything, {"rng", "alpha", "epsilon", "gamma"}),
    ],
)
def test_an_outside_agent_is_given_what_it_takes(
    maker: type, names: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "find", lambda kind, name: maker)
    rng = np.random.default_rng(0)
    agent: Any = make_agent("mine", Gridworld((2, 3)), rng, alpha="0.5", epsilon="0.1", gamma=0.8)
    assert set(agent.taken) == names
    assert agent.taken.get("gamma", 0.8) == 0.8


def test_a_subclass_of_ours_is_given_every_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "find", lambda kind, name: type("Mine", (QLearning,), {}))
    rng = np.random.default_rng(0)
    agent: Any = make_agent("mine", Gridworld((2, 3)), rng, alpha="0.25", epsilon="0.1", gamma=0.8)
    assert (agent._gamma, agent._alpha(1), agent._epsilon(0)) == (0.8, 0.25, 0.1)
