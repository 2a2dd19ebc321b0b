"""The plots of a bench: how soon agents reach the goal, and how good their best cell is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rldf.experiments.bench.measures import QUARTERED, best_at
from rldf.experiments.bench.trial import Outcome
from rldf.report.plotting import COLOURS, INK, draw_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DASHES = ("-", "--", ":", "-.")  # one for each ε of an agent


def draw_progress(outcomes: Sequence[Outcome], renders: int) -> bytes:
    """Draw how the agents do with one reward, over the unique images spent."""
    settings: dict[tuple[str, str | None], list[Outcome]] = {}
    for outcome in outcomes:
        settings.setdefault((outcome.trial.agent, outcome.trial.epsilon), []).append(outcome)
    agents = list(dict.fromkeys(agent for agent, _ in settings))
    at = np.arange(1, renders + 1)

    def draw(left: "Axes", right: "Axes") -> None:
        for (agent, epsilon), group in settings.items():
            number = [e for a, e in settings if a == agent].index(epsilon)
            colour = COLOURS[agents.index(agent) % len(COLOURS)]
            dash = _DASHES[number % len(_DASHES)]
            name = agent if epsilon is None else f"{agent}, ε {epsilon}"
            left.plot(at, _share_reached(group, renders), label=name, color=colour, ls=dash)
            curves = _best(group, renders)
            right.plot(at, np.nanmean(curves, axis=0), color=colour, ls=dash)
            if len(group) >= QUARTERED:
                low, high = np.nanquantile(curves, [0.25, 0.75], axis=0)
                right.fill_between(at, low, high, color=colour, alpha=0.08, lw=0)
        left.set_ylim(0, 1.02)
        for panel in (left, right):
            panel.set_xlim(0, renders)
            panel.set_xlabel("unique renders", color=INK)
        left.set_ylabel("runs that reached the goal", color=INK)
        right.set_ylabel("best reward so far", color=INK)
        handles, names = left.get_legend_handles_labels()
        right.legend(
            handles, names, frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5)
        )

    return draw_png(draw, 11, 3.8, panels=2)


def _share_reached(group: Sequence[Outcome], renders: int) -> NDArray[np.float64]:
    counts = np.array([o.reached for o in group if o.reached is not None], dtype=np.int64)
    at = np.arange(1, renders + 1)
    return np.asarray((counts[:, None] <= at).sum(axis=0) / len(group), dtype=np.float64)


def _best(group: Sequence[Outcome], renders: int) -> NDArray[np.float64]:
    """Return the best reward so far: (runs, renders), before a run's first render its first."""
    curves = np.array([best_at(o.best, renders) for o in group], dtype=np.float64)
    first = np.array([o.best[0][1] for o in group])
    return np.where(np.isnan(curves), first[:, None], curves)
