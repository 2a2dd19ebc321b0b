"""What a tabular agent has learned: roll-outs of its greedy policy, and a map of its values."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rldf import seeding
from rldf.agents.base import TabularAgent
from rldf.agents.policies import legal_actions
from rldf.errors import UsageError
from rldf.grammar.encoding import Encoding
from rldf.grammar.grammar import Grammar
from rldf.runs.env import EncodingGridEnv
from rldf.runs.records import Step, ValueMap, best_step
from rldf.stats import wilson

if TYPE_CHECKING:
    from rldf.runs.config import SearchConfig

_MOST_VALUES = 40_000  # cells of a value map


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One walk of the greedy policy.

    Attributes:
        path: the cells, the start first.
        ended: "goal", "loop" (a cell came again, so the goal is never reached) or "steps".
        total: sum of the rewards of the cells after the start; None where one was never drawn.
    """

    path: tuple[Encoding, ...]
    ended: Literal["goal", "loop", "steps"]
    total: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GreedyResult:
    """The greedy policy from random starts; no image is drawn for it.

    Attributes:
        rollouts: one for each start.
        goal_known: whether success can be told.
    """

    rollouts: tuple[Rollout, ...]
    goal_known: bool

    def document(self, grammar: Grammar) -> dict[str, Any]:
        """Describe it as JSON; rates and means are None where they are not known."""
        reached = [rollout for rollout in self.rollouts if rollout.ended == "goal"]
        totals = [r.total for r in self.rollouts if r.total is not None]
        known = self.goal_known
        return {
            "starts": len(self.rollouts),
            "reached": len(reached) if known else None,
            "success_rate": len(reached) / len(self.rollouts) if known else None,
            "success_ci": list(wilson(len(reached), len(self.rollouts))) if known else None,
            "steps_mean": statistics.fmean(len(r.path) - 1 for r in reached) if reached else None,
            "return_mean": statistics.fmean(totals) if totals else None,
            "return_known": len(totals),
            "rollouts": [
                {
                    "path": [list(cell) for cell in rollout.path],
                    "ended": rollout.ended,
                    "return": rollout.total,
                    "sentences": [grammar.derive(cell) for cell in rollout.path],
                }
                for rollout in self.rollouts
            ],
        }


def roll_out(
    environment: EncodingGridEnv, agent: TabularAgent, settings: "SearchConfig"
) -> GreedyResult:
    """Follow the greedy policy from random starts other than the goal, without learning."""
    rng = seeding.rng(settings.seed, "rollouts")
    return GreedyResult(
        rollouts=tuple(
            _follow(environment, agent, environment.random_start(rng), settings.steps)
            for _ in range(settings.rollouts or 0)
        ),
        goal_known=environment.goal is not None,
    )


def _follow(
    environment: EncodingGridEnv, agent: TabularAgent, start: Encoding, most: int
) -> Rollout:
    world, path = environment.world, [start]
    total: float | None = 0.0
    ended: Literal["goal", "loop", "steps"] = "steps"
    while len(path) <= most:
        cell = world.move(path[-1], agent.greedy_action(path[-1], world.action_mask(path[-1])))
        loops = cell in path
        path.append(cell)
        reward = environment.known_reward(cell)
        total = None if total is None or reward is None else total + reward
        if cell == environment.goal:
            ended = "goal"
            break
        if loops:
            ended = "loop"
            break
    return Rollout(path=tuple(path), ended=ended, total=total)


def value_axes(grammar: Grammar, asked: str | None) -> tuple[int, int] | None:
    """Choose the axes of the value map: those asked for, else the two longest.

    Returns:
        Their numbers, or None where fewer than two axes have more than one value.
    """
    symbols = [axis.symbol for axis in grammar.axes]
    if asked is not None:
        named = [name.strip() for name in asked.split(",")]
        if len(set(named)) != 2 or len(named) != 2 or not set(named) <= set(symbols):
            raise UsageError(f"--value-axes {asked}: give two of {', '.join(symbols)}")
        return symbols.index(named[0]), symbols.index(named[1])
    long = [number for number, size in enumerate(grammar.shape) if size > 1]
    longest = sorted(sorted(long, key=lambda number: -grammar.shape[number])[:2])
    return (longest[0], longest[1]) if len(longest) == 2 else None


def value_map(
    environment: EncodingGridEnv,
    agent: TabularAgent,
    settings: "SearchConfig",
    steps: Sequence[Step],
) -> ValueMap | None:
    """Read the values of a table over two axes, None where there are not two or too many cells."""
    grammar, world = environment.grammar, environment.world
    chosen = value_axes(grammar, settings.value_axes)
    if chosen is None or math.prod(grammar.shape[axis] for axis in chosen) > _MOST_VALUES:
        return None
    first, second = chosen
    center = environment.goal or best_step(steps, None).encoding

    def value(row: int, column: int) -> float | None:
        cell = list(center)
        cell[first], cell[second] = row, column
        state = world.canonical(tuple(cell))
        index = world.index(state)
        if not agent.q.visits(index).any():
            return None
        return round(float(agent.q.row(index)[legal_actions(world.action_mask(state))].max()), 5)

    names = [[item.name for item in axis.values] for axis in grammar.axes]
    return ValueMap(
        axes=(grammar.axes[first].symbol, grammar.axes[second].symbol),
        rows=tuple(names[first]),
        columns=tuple(names[second]),
        held={
            axis.symbol: names[number][center[number]]
            for number, axis in enumerate(grammar.axes)
            if number not in chosen
        },
        held_at="goal" if environment.goal else "best cell",
        values=tuple(
            tuple(value(row, column) for column in range(grammar.shape[second]))
            for row in range(grammar.shape[first])
        ),
        mark=(center[first], center[second]),
    )
