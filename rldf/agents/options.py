"""Agents from the words that people type."""

import contextlib
import inspect
import math
from collections.abc import Callable
from typing import cast

import numpy as np

from rldf import registry as catalog
from rldf.agents.protocol import Agent
from rldf.agents.schedules import Constant, LinearDecay, Schedule, VisitCount
from rldf.errors import UsageError
from rldf.grammar.encoding import Encoding
from rldf.gridworld import Gridworld


def parse_alpha(text: str) -> Schedule:
    """Read a learning rate.

    Args:
        text: a number in (0, 1], or "visits:OMEGA" for 1 / N(s, a)^OMEGA, 0.5 < OMEGA <= 1.

    Returns:
        The schedule, asked with the visits of a state-action pair.

    Raises:
        UsageError: if the text is neither.
    """
    kind, _, omega = text.partition(":")
    with contextlib.suppress(ValueError):
        if kind == "visits":
            return VisitCount(float(omega or 1))
        if float(text) > 0:
            return Constant(float(text))
    raise UsageError(
        f"--alpha {text}: give a number above 0 and at most 1, or visits:OMEGA with OMEGA "
        "above 0.5 and at most 1"
    )


def parse_epsilon(text: str) -> Schedule:
    """Read a rate of exploration.

    Args:
        text: a number in [0, 1], or "START:END:STEPS" for a linear decay.

    Returns:
        The schedule, asked with the number of steps learned from.

    Raises:
        UsageError: if the text is neither.
    """
    parts = text.split(":")
    with contextlib.suppress(ValueError):
        rates = [float(part) for part in parts[:2]]
        if len(parts) == 1:
            return Constant(rates[0])
        if len(parts) == 3:
            return LinearDecay(rates[0], rates[1], int(parts[2]))
    raise UsageError(
        f"--epsilon {text}: give a number from 0 to 1, or START:END:STEPS such as 0.9:0.05:300"
    )


def check_options(
    name: str,
    *,
    alpha: str,
    epsilon: str,
    gamma: float,
    optimism: float = 0.0,
    step_size: float = 1.0,
    momentum: float = 0.5,
    batch: int = 4,
) -> None:
    """Refuse options that no agent can be made with, before anything is loaded.

    Args:
        name: an entry of the catalogue.
        alpha: learning rate, see `parse_alpha`.
        epsilon: rate of exploration, see `parse_epsilon`.
        gamma: discount, 0 up to but not 1.
        optimism: added to every initial action value, finite.
        step_size: cells that a gradient step goes along the steepest axis, above 0.
        momentum: the part of the last gradient step that is taken again, 0 up to but not 1.
        batch: how many cells a planner proposes together, 1 or more.

    Raises:
        UsageError: if an option is out of range.
        ConfigError: if there is no such agent.
    """
    catalog.find("agents", name)
    parse_alpha(alpha)
    parse_epsilon(epsilon)
    if not 0 <= gamma < 1:
        raise UsageError(f"--gamma {gamma}: give a number from 0 up to, but not, 1")
    if not math.isfinite(optimism):
        raise UsageError(f"--optimism {optimism}: give a finite number")
    if not 0 < step_size < math.inf:
        raise UsageError(f"--step-size {step_size}: give a number above 0")
    if not 0 <= momentum < 1:
        raise UsageError(f"--momentum {momentum}: give a number from 0 up to, but not, 1")
    if batch < 1:
        raise UsageError(f"--batch {batch}: give 1 or more")


def make_agent(
    name: str,
    world: Gridworld,
    rng: np.random.Generator,
    *,
    alpha: str,
    epsilon: str,
    gamma: float,
    optimism: float = 0.0,
    step_size: float = 1.0,
    momentum: float = 0.5,
    batch: int = 4,
    first: Encoding | None = None,
) -> Agent:
    """Make an agent that has learned nothing, of the options that its class takes.

    Args:
        name: an entry of the catalogue.
        world: the grid.
        rng: the agent's own generator.
        alpha: learning rate, see `parse_alpha`.
        epsilon: rate of exploration, see `parse_epsilon`.
        gamma: discount, 0 up to but not 1.
        optimism: added to every initial action value, finite.
        step_size: cells that a gradient step goes along the steepest axis, above 0.
        momentum: the part of the last gradient step that is taken again, 0 up to but not 1.
        batch: how many cells a planner proposes together, 1 or more.
        first: a cell that a planner sees before all others, or None.

    Returns:
        The agent.

    Raises:
        UsageError: if an option is out of range.
        ConfigError: if there is no such agent.
    """
    plain = {
        "gamma": gamma,
        "optimism": optimism,
        "step_size": step_size,
        "momentum": momentum,
        "batch": batch,
    }
    check_options(name, alpha=alpha, epsilon=epsilon, **plain)  # type: ignore[arg-type]
    maker = catalog.find("agents", name)
    options: dict[str, object] = {
        **plain,
        "rng": rng,
        "alpha": parse_alpha(alpha),
        "epsilon": parse_epsilon(epsilon),
        "first": first,
    }
    return cast(Agent, maker(world, **_taken(maker, options)))


def takes(name: str, option: str) -> bool:
    """Tell whether an agent has a use for an option.

    Args:
        name: an entry of the catalogue.
        option: a parameter of `make_agent`.

    Returns:
        True if its class takes it.

    Raises:
        ConfigError: if there is no such agent.
    """
    return option in _taken(catalog.find("agents", name), {option: None})


def _taken(maker: Callable[..., object], options: dict[str, object]) -> dict[str, object]:
    """Keep the options that a class takes: not every agent learns, or explores."""
    parameters = inspect.signature(maker).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return options
    return {name: value for name, value in options.items() if name in parameters}
