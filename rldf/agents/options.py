"""The options of agents: each agent class carries a record of its own, `Options`.

The record is the one place where an option is written: name, type, range, help and default. The
command line, the checks and the run record follow from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from rldf import registry
from rldf.agents.protocol import Agent
from rldf.errors import UsageError
from rldf.grammar.encoding import Encoding
from rldf.gridworld import Gridworld

_BOUNDS = {"ge": "from {}", "gt": "above {}", "le": "up to {}", "lt": "below {}"}


class AgentOptions(BaseModel):
    """The options of an agent; a subclass adds fields with a default, bounds and a description."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", coerce_numbers_to_str=True, allow_inf_nan=False
    )

    def keywords(self) -> dict[str, Any]:
        """Return the keyword arguments of the agent's constructor."""
        return dict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionInfo:
    """One option, for a help text.

    Attributes:
        name: its field name.
        is_flag: whether it is a switch.
        default: its default value.
        help: what it does, with the range of its values.
        agents: the agents of the catalogue that have it.
    """

    name: str
    is_flag: bool
    default: Any
    help: str
    agents: tuple[str, ...]

    @property
    def flag(self) -> str:
        """The option as it is typed."""
        return _flag(self.name)


def all_options() -> list[OptionInfo]:
    """List every option of every agent once, in the order of the catalogue."""
    fields: dict[str, FieldInfo] = {}
    users: dict[str, list[str]] = {}
    for agent in registry.names("agents"):
        for name, field in _kind(agent).model_fields.items():
            fields.setdefault(name, field)
            users.setdefault(name, []).append(agent)
    return [
        OptionInfo(
            name=name,
            is_flag=field.annotation is bool,
            default=field.default,
            help=field.description or "",
            agents=tuple(users[name]),
        )
        for name, field in fields.items()
    ]


def read_options(agent: str, given: Mapping[str, object]) -> AgentOptions:
    """Check the options of an agent, and complete them with the defaults."""
    kind = _kind(agent)
    for name in given:
        if name not in kind.model_fields:
            users = next((option.agents for option in all_options() if option.name == name), ())
            where = f"use it with --agent {' or '.join(users)}" if users else "leave it out"
            raise UsageError(f"{_flag(name)}: agent {agent} has no such option; {where}")
    try:
        return kind.model_validate(dict(given))
    except ValidationError as error:
        name = str(error.errors(include_url=False)[0]["loc"][0])
        allowed = _allowed(kind.model_fields[name])
        raise UsageError(f"{_flag(name)} {given[name]}: give {allowed}") from None


def takes(agent: str, option: str) -> bool:
    """Return whether an agent has an option."""
    return option in _kind(agent).model_fields


def make_agent(
    name: str,
    world: Gridworld,
    rng: np.random.Generator,
    options: Mapping[str, object] | None = None,
    *,
    first: Encoding | None = None,
) -> Agent:
    """Make an agent that has learned nothing.

    Args:
        name: an entry of the catalogue.
        world: the grid.
        rng: the agent's own random generator.
        options: its options, see its class; those left out have their defaults.
        first: (n_axes,) a cell that a planner sees before all others, or None.

    Raises:
        UsageError: the agent has no such option, or its value is out of range.
        ConfigError: there is no such agent.
    """
    keywords = read_options(name, options or {}).keywords()
    if first is not None:
        keywords["first"] = first
    return cast(Agent, registry.find("agents", name)(world, rng=rng, **keywords))


def _kind(agent: str) -> type[AgentOptions]:
    """Return the record of an agent's options; an agent without one has no options."""
    return cast(
        type[AgentOptions], getattr(registry.find("agents", agent), "Options", AgentOptions)
    )


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _allowed(field: FieldInfo) -> str:
    """Describe the values that a field takes."""
    kinds = {int: "a whole number", float: "a finite number", bool: "true or false"}
    bounds = [
        said.format(getattr(rule, name))
        for rule in field.metadata
        for name, said in _BOUNDS.items()
        if hasattr(rule, name)
    ]
    annotation = field.annotation if isinstance(field.annotation, type) else str
    return " ".join([kinds.get(annotation, "text"), " and ".join(bounds)]).strip()
