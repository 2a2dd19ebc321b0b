"""Plots as PNG files in one style, and the curves of a run (paper Fig. 6)."""

import io
import warnings
from collections.abc import Callable, Sequence
from itertools import accumulate, groupby, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Literal

from rldf.runs.records import Step

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#24262d"
"""Of labels."""

COLOURS = ("#5b76b8", "#2f8f63", "#e0a526", "#b8605b", "#7d5bb8", "#3e9aa8", "#8a8f9c")
"""Of lines and bars, in their order."""

_FAINT, _GRID = "#7a7f8d", "#e6e7ec"


_REWARD, _BEST, _DISTANCE = "#5b76b8", "#e0a526", "#2f8f63"


def draw_png(
    draw: Callable[..., None],
    width: float,
    height: float,
    *,
    panels: int = 1,
    grid: Literal["x", "y"] | None = "y",
) -> bytes:
    """Draw a plot."""
    # matplotlib takes a second to import; whoever draws no plot does not pay for it
    import matplotlib.style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.style.context("default"):  # not the style that this user set for other plots
        figure = Figure(figsize=(width, height), dpi=130, layout="constrained")
        FigureCanvasAgg(figure)
        row = figure.subplots(1, panels, squeeze=False)[0]
        draw(*row)
        for panel in row:
            _dress(panel, grid)
        buffer = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an untrusted name may have letters that no font has
            figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _dress(panel: "Axes", grid: Literal["x", "y"] | None) -> None:
    if grid:
        panel.grid(axis=grid, color=_GRID, lw=0.8)
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(_FAINT)
    panel.tick_params(colors=_FAINT, labelsize=8)


def draw_curves(steps: Sequence[Step]) -> bytes:
    """Draw the curves of a run."""
    # matplotlib takes a second to import; whoever draws no curves does not pay for it
    import matplotlib.style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = 2 if any(step.distance is not None for step in steps) else 1
    with matplotlib.style.context("default"):  # not the style that this user set for other plots
        figure = Figure(figsize=(9, 0.6 + 2.5 * panels), dpi=130, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0]
        _draw_rewards(axes[0], steps)
        if panels == 2:
            _draw_distances(axes[1], steps)
        for panel in axes:
            _dress_curves(panel, steps)
        axes[-1].set_xlabel("step", color=INK)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _draw_rewards(panel: "Axes", steps: Sequence[Step]) -> None:
    best = list(accumulate((step.reward for step in steps), max))
    at = [step.step for step in steps]
    panel.step(at, best, where="post", color=_BEST, lw=2, label="best so far", zorder=1.5)
    panel.plot(at[-1:], best[-1:], "o", color=_BEST, ms=6, clip_on=False, zorder=1.5)
    _draw_episodes(panel, [(s.episode, s.step, s.reward) for s in steps], _REWARD, "reward")
    panel.set_ylabel("reward", color=INK)
    panel.legend(loc="lower right", bbox_to_anchor=(1, 1.0), ncols=2, frameon=False, borderpad=0)


def _draw_distances(panel: "Axes", steps: Sequence[Step]) -> None:
    known = [(s.episode, s.step, s.distance) for s in steps if s.distance is not None]
    _draw_episodes(panel, known, _DISTANCE, "distance")
    reached = [step for _, step, distance in known if distance == 0]
    panel.plot(reached, [0] * len(reached), "*", color=_BEST, ms=13, clip_on=False, zorder=5)
    panel.set_ylim(bottom=-0.4)
    panel.locator_params("y", integer=True, min_n_ticks=1)
    panel.set_ylabel("distance to the goal", color=INK)


def _draw_episodes(
    panel: "Axes", points: Sequence[tuple[int, int, float]], color: str, label: str
) -> None:
    """Draw (episode, step, value): one line an episode, since a new start is no move."""
    # dots while there is room for them: one step alone makes no line
    marker = "o" if len(points) <= 150 else ""
    for episode, group in groupby(points, key=itemgetter(0)):
        _, at, values = zip(*group, strict=True)
        name = label if episode == points[0][0] else "_"  # the legend leaves "_" out
        panel.plot(at, values, color=color, lw=1.2, marker=marker, ms=3.5, label=name)


def _dress_curves(panel: "Axes", steps: Sequence[Step]) -> None:
    for before, after in pairwise(steps):
        if after.episode != before.episode:
            panel.axvline(after.step - 0.5, color=_GRID, lw=1, zorder=0)
    panel.locator_params("x", integer=True, min_n_ticks=1)
    panel.grid(axis="y", color=_GRID, lw=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(_FAINT)
    panel.tick_params(colors=_FAINT, labelsize=9)
    panel.set_xlim(steps[0].step - 0.5, steps[-1].step + 0.5)
