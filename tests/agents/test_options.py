"""Tests of rldf.agents.options: an option is written once, on its agent."""

from typing import Any, ClassVar

import numpy as np
import pytest
from pydantic import Field

from rldf import registry as catalog
from rldf.agents.options import AgentOptions, all_options, make_agent, read_options, takes
from rldf.agents.protocol import World
from rldf.agents.q_learning import QLearning
from rldf.errors import UsageError
from rldf.gridworld import Gridworld

WORLD = Gridworld((2, 3))


class PatientOptions(AgentOptions):
    """One option."""

    patience: int = Field(3, ge=1, le=9, description="Steps to wait.")


class Patient:
    """An agent of another package."""

    Options: ClassVar[type[AgentOptions]] = PatientOptions

    def __init__(self, world: World, *, rng: np.random.Generator, patience: int) -> None:
        self.taken = patience


class Plain:
    """Has no options."""

    def __init__(self, world: World, *, rng: np.random.Generator) -> None:
        self.taken = None


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    ("maker", "options", "taken"),
    [(Patient, {}, 3), (Patient, {"patience": "5"}, 5), (Plain, {}, None)],
)
def test_an_outside_agent_is_given_its_options(
    maker: type, options: dict[str, Any], taken: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "find", lambda kind, name: maker)
    agent: Any = make_agent("mine", WORLD, rng(), options)
    assert agent.taken == taken


def test_a_new_option_reaches_the_help_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalog.CATALOG["agents"], "mine", f"{__name__}:Patient")
    option = next(option for option in all_options() if option.name == "patience")
    assert (option.flag, option.default, option.agents) == ("--patience", 3, ("mine",))
    with pytest.raises(UsageError, match="--patience 12: give a whole number from 1 and up to 9"):
        read_options("mine", {"patience": 12})


def test_a_subclass_of_ours_is_given_every_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "find", lambda kind, name: type("Mine", (QLearning,), {}))
    agent: Any = make_agent("mine", WORLD, rng(), {"alpha": 0.25, "gamma": 0.8})
    assert (agent._gamma, agent._alpha(1), agent._epsilon(0)) == (0.8, 0.25, 0.1)


@pytest.mark.parametrize("name", catalog.names("agents"))
def test_every_agent_of_the_catalogue_is_made(name: str) -> None:
    agent = make_agent(name, WORLD, rng())
    agent.begin_episode((0, 1))
    wanted = agent.propose((0, 1), WORLD.action_mask((0, 1)))
    assert len(wanted) >= 1
    assert all(len(cell) == 2 for cell in wanted)


def test_every_option_is_listed_once_with_its_agents_and_a_text() -> None:
    options = all_options()
    assert len({option.name for option in options}) == len(options)
    assert all(option.help.endswith(".") for option in options)
    assert {option.name: option.agents for option in options}["batch"] == ("planner",)


@pytest.mark.parametrize(
    ("agent", "option", "value"),
    [
        ("q", "gamma", 1.0),
        ("q", "optimism", float("inf")),
        ("dyna-q", "optimism", float("nan")),
        ("gradient", "step_size", 0.0),
        ("gradient", "momentum", 1.0),
        ("gradient", "momentum", -0.1),
        ("planner", "batch", 0),
        ("planner", "batch", "many"),
        ("sarsa", "alpha", "visits:0.5"),
        ("sarsa", "epsilon", 2),
    ],
)
def test_options_out_of_range_are_refused(agent: str, option: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"--{option.replace('_', '-')} .*: give") as refusal:
        read_options(agent, {option: value})
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("agent", "option", "told"),
    [
        ("planner", "alpha", "use it with --agent q or sarsa or expected-sarsa"),
        ("q", "batch", "use it with --agent planner"),
        ("q", "speed", "leave it out"),
    ],
)
def test_options_of_other_agents_are_refused(agent: str, option: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_options(agent, {option: 1})


def test_an_agent_tells_what_it_takes() -> None:
    assert takes("planner", "batch")
    assert takes("q", "optimism")
    assert not takes("q", "batch")
    assert not takes("dyna-q", "alpha")
