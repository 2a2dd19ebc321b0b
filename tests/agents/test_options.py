"""Tests of rldf.agents.options: agents of other packages."""

from typing import Any

import numpy as np
import pytest

from rldf import registry as catalog
from rldf.agents import QLearning, World
from rldf.agents.options import check_options, make_agent, takes
from rldf.errors import UsageError
from rldf.gridworld import Gridworld

EVERY = {"rng", "alpha", "epsilon", "gamma", "optimism", "step_size", "momentum", "batch", "first"}


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
        (Anything, EVERY),
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


@pytest.mark.parametrize("name", catalog.names("agents"))
def test_every_agent_of_the_catalogue_is_made(name: str) -> None:
    agent = make_agent(
        name, Gridworld((2, 3)), np.random.default_rng(0), alpha="0.5", epsilon="0.1", gamma=0.8
    )
    agent.begin_episode((0, 1))
    wanted = agent.propose((0, 1), Gridworld((2, 3)).action_mask((0, 1)))
    assert len(wanted) >= 1
    assert all(len(cell) == 2 for cell in wanted)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("gamma", 1.0),
        ("optimism", float("inf")),
        ("optimism", float("nan")),
        ("step_size", 0.0),
        ("momentum", 1.0),
        ("momentum", -0.1),
        ("batch", 0),
    ],
)
def test_options_out_of_range_are_refused(option: str, value: float) -> None:
    options: dict[str, Any] = {"gamma": 0.9, option: value}
    with pytest.raises(UsageError, match=f"--{option.replace('_', '-')}"):
        check_options("planner", alpha="0.5", epsilon="0.1", **options)


def test_an_agent_tells_what_it_takes() -> None:
    assert takes("planner", "batch")
    assert takes("q", "optimism")
    assert not takes("q", "batch")
    assert not takes("dyna-q", "alpha")
