"""Makes learning curves: mean steps to the goal by episode, over the runs of a setting.

A setting is an agent, a reward and an ε.
"""

import csv
import io
import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rldf.experiments.bench.trial import Outcome
from rldf.report.plotting import COLOURS, INK, draw_png
from rldf.stats import t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = (
    "agent", "reward", "epsilon", "episode", "runs", "reached", "steps_mean", "steps_low",
    "steps_high",
)  # fmt: skip
"""Columns of the rows that `curves` returns, one row for each setting and episode."""

_DASHES = ("-", "--", ":", "-.")  # line style of the first, second, ... ε of an agent


def curves(outcomes: Sequence[Outcome], most: int) -> list[dict[str, Any]]:
    """Average the steps to the goal over the runs of each setting, episode by episode.

    Args:
        outcomes: the runs.
        most: steps counted for an episode that did not reach the goal.

    Returns:
        Rows with the keys of COLUMNS. "steps_low" and "steps_high" are the 95 % interval of the
        mean (Student's t), None for a single run. A run that used up its renders early counts only
        in the episodes that it has.
    """
    settings: dict[tuple[str, str, str | None], list[Outcome]] = {}
    for outcome in outcomes:
        trial = outcome.trial
        settings.setdefault((trial.agent, trial.reward, trial.epsilon), []).append(outcome)
    rows = []
    for (agent, reward, epsilon), group in settings.items():
        for number in range(max(len(outcome.episode_steps) for outcome in group)):
            steps = [o.episode_steps[number] for o in group if number < len(o.episode_steps)]
            counted = [float(most if count is None else count) for count in steps]
            low, high = t_interval(counted) or (None, None)
            rows.append(
                {
                    "agent": agent,
                    "reward": reward,
                    "epsilon": epsilon,
                    "episode": number + 1,
                    "runs": len(steps),
                    "reached": sum(count is not None for count in steps),
                    "steps_mean": statistics.fmean(counted),
                    "steps_low": low,
                    "steps_high": high,
                }
            )
    return rows


def draw_curves(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Plot the learning curves of one reward as a PNG file: mean steps with 95 % intervals."""
    settings = list(dict.fromkeys((row["agent"], row["epsilon"]) for row in rows))
    agents = list(dict.fromkeys(agent for agent, _ in settings))

    def draw(panel: "Axes") -> None:
        for agent, epsilon in settings:
            mine = [row for row in rows if (row["agent"], row["epsilon"]) == (agent, epsilon)]
            number = [e for a, e in settings if a == agent].index(epsilon)
            colour = COLOURS[agents.index(agent) % len(COLOURS)]
            at = [row["episode"] for row in mine]
            panel.plot(
                at,
                [row["steps_mean"] for row in mine],
                color=colour,
                ls=_DASHES[number % len(_DASHES)],
                label=agent if epsilon is None else f"{agent}, ε {epsilon}",
            )
            if all(row["steps_low"] is not None for row in mine):
                low, high = ([row[f"steps_{end}"] for row in mine] for end in ("low", "high"))
                panel.fill_between(at, low, high, color=colour, alpha=0.08, lw=0)
        panel.set_ylim(bottom=0)
        panel.set_xlabel("episode", color=INK)
        panel.set_ylabel("steps to the goal", color=INK)
        panel.legend(frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))

    return draw_png(draw, 9, 3.8)


def shown_curves(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Make a table for people: the first, middle and last episode of each setting, and a head."""
    lines: list[tuple[str, ...]] = [
        ("agent", "reward", "ε", "first episode", "middle", "last", "reached in the last")
    ]
    settings = dict.fromkeys((row["agent"], row["reward"], row["epsilon"]) for row in rows)
    for setting in settings:
        mine = [row for row in rows if (row["agent"], row["reward"], row["epsilon"]) == setting]
        first, middle, last = mine[0], mine[len(mine) // 2], mine[-1]
        means = (f"{row['steps_mean']:.1f} steps" for row in (first, middle, last))
        agent, reward, epsilon = setting
        reached = f"{last['reached']}/{last['runs']}"
        lines.append((agent, reward, epsilon or "-", *means, reached))
    return lines


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Write rows as CSV text with a header line."""
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()
