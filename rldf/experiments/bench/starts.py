"""Counts how often runs reach the goal, by the distance of their start from the goal."""

from collections.abc import Sequence
from typing import Any

from rldf.experiments.bench.trial import Outcome
from rldf.stats import wilson

COLUMNS = (
    "agent", "reward", "epsilon", "distance_from", "distance_to", "runs", "reached", "rate",
    "ci_low", "ci_high",
)  # fmt: skip
"""Columns of the rows that `by_start` returns, one for each setting and range of distances."""

_WIDTH = 3  # number of distances in the range of a row


def by_start(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Count the runs that reached the goal within their budget, by distance of their start.

    Runs of older versions, which did not record the start, are left out.
    """
    groups: dict[tuple[str, str, str | None, int], list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.start_distance is not None:
            trial, band = outcome.trial, (outcome.start_distance - 1) // _WIDTH
            setting = (trial.agent, trial.reward, trial.epsilon, band)
            groups.setdefault(setting, []).append(outcome)
    order = {setting[:3]: number for number, setting in reversed([*enumerate(groups)])}
    rows = []
    for setting in sorted(groups, key=lambda setting: (order[setting[:3]], setting[3])):
        group, (agent, reward, epsilon, band) = groups[setting], setting
        reached = sum(outcome.reached is not None for outcome in group)
        low, high = wilson(reached, len(group))
        rows.append(
            {
                "agent": agent,
                "reward": reward,
                "epsilon": epsilon,
                "distance_from": band * _WIDTH + 1,
                "distance_to": (band + 1) * _WIDTH,
                "runs": len(group),
                "reached": reached,
                "rate": reached / len(group),
                "ci_low": low,
                "ci_high": high,
            }
        )
    return rows
