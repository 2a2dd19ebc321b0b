"""The options of agents: each agent class has a record class `Options`.

Only this record states name, type, range, help and default of an option. The command line, the
checks and the run record are made from it.
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
    """One option of one or more agents, as a help text describes it.

    Attributes:
        name: the field name of the option.
        is_flag: whether the option is a switch.
        default: the default value.
        help: what the option does, with the range of its values.
        agents: the agents of the catalogue that have the option.
    """

    name: str
    is_flag: bool
    default: Any
    help: str
    agents: tuple[str, ...]

    @property
    def flag(self) -> str:
        """The option as users type it, such as `--step-size`."""
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
    """Check given options of an agent, and add the defaults of those not given."""
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
        rng: random generator of the agent alone.
        options: values of the options of the agent class by name; the others have their defaults.
        first: (n_axes,) the cell that a planner proposes before all others, or None.

    Raises:
        UsageError: the agent has no such option, or its value is out of range.
        ConfigError: there is no such agent.
    """
    keywords = read_options(name, options or {}).keywords()
    if first is not None:
        keywords["first"] = first
    return cast(Agent, registry.find("agents", name)(world, rng=rng, **keywords))


def _kind(agent: str) -> type[AgentOptions]:
    """Return the `Options` class of an agent; `AgentOptions`, which is empty, where it has none."""
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
