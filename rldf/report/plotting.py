"""Plots as PNG files, in the one look of all reports."""

import io
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#24262d"
"""Of labels."""

COLOURS = ("#5b76b8", "#2f8f63", "#e0a526", "#b8605b", "#7d5bb8", "#3e9aa8", "#8a8f9c")
"""Of lines and bars, in their order."""

_FAINT, _GRID = "#7a7f8d", "#e6e7ec"


def draw_png(
    draw: Callable[..., None],
    width: float,
    height: float,
    *,
    panels: int = 1,
    grid: Literal["x", "y"] | None = "y",
) -> bytes:
    """Draw a plot.

    Args:
        draw: called with the panels, matplotlib's axes, from left to right.
        width: inches.
        height: inches.
        panels: how many stand side by side.
        grid: along which axis lines are drawn, None for none.

    Returns:
        A PNG file.
    """
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
            warnings.simplefilter("ignore")  # a stranger's name may have letters of no font here
            figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _dress(panel: "Axes", grid: Literal["x", "y"] | None) -> None:
    if grid:
        panel.grid(axis=grid, color=_GRID, lw=0.8)
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(_FAINT)
    panel.tick_params(colors=_FAINT, labelsize=8)
