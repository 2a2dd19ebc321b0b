"""What a tabular agent has learned, for the report: its greedy policy and its value map."""

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from rldf.io.files import read_file
from rldf.io.text import counted
from rldf.report.html import facts, text
from rldf.report.plotting import INK, draw_png
from rldf.runs.folder import RunFolder
from rldf.runs.records import VALUES, ValueMap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MAP = TypeAdapter(ValueMap)
_MOST_NAMES = 40  # on an axis; more would overlap


def read_values(run: RunFolder) -> ValueMap | None:
    """Read the value map of a run, None where there is none that can be read."""
    try:
        return _MAP.validate_json(read_file(run.path / VALUES))
    except (OSError, ValidationError):
        return None


def draw_values(values: ValueMap) -> bytes:
    """Draw a value map as a PNG file; cells without a value are grey, a star marks the goal."""
    table = np.array(values.values, dtype=np.float64)  # None becomes nan

    def draw(panel: "Axes") -> None:
        panel.set_facecolor("#e6e7ec")
        shown = panel.imshow(table, aspect="auto", cmap="viridis")
        panel.figure.colorbar(shown, ax=panel, label="max over actions of Q")
        panel.plot(values.mark[1], values.mark[0], "*", color="#e0a526", ms=16, mec="white")
        for axis, names in ((panel.yaxis, values.rows), (panel.xaxis, values.columns)):
            if len(names) <= _MOST_NAMES:
                axis.set_ticks(range(len(names)), names)
        panel.tick_params(axis="x", labelrotation=60)
        panel.set_ylabel(values.axes[0], color=INK)
        panel.set_xlabel(values.axes[1], color=INK)

    width = min(16.0, 4.0 + 0.3 * len(values.columns))
    return draw_png(draw, width, min(16.0, 2.4 + 0.25 * len(values.rows)), grid=None)


def values_alt(values: ValueMap) -> str:
    """Describe a value map in words."""
    held = ", ".join(f"{axis} {name}" for axis, name in values.held.items()) or "no other axis"
    return (
        f"Value max_a Q over {values.axes[0]} and {values.axes[1]}; others held at the "
        f"{values.held_at}: {held}. Grey: no action was tried"
    )


def greedy_section(run: RunFolder) -> str:
    """Show how often the greedy policy reaches the goal, and one of its paths; "" without one."""
    greedy = (run.record.result or {}).get("greedy")
    try:
        return _section(greedy) if isinstance(greedy, dict) else ""
    except (KeyError, TypeError, IndexError, ValueError):
        return ""  # a run folder may come from anyone


def _section(greedy: dict[str, Any]) -> str:
    starts, reached = greedy["starts"], greedy["reached"]
    rollouts = greedy["rollouts"]
    shown = next((r for r in rollouts if r["ended"] == "goal"), rollouts[0])
    table = {
        "goal reached": "not known"
        if reached is None
        else f"{reached} of {counted(starts, 'start')}",
        "return of the path": "not known" if shown["return"] is None else f"{shown['return']:.4g}",
        "ended by": shown["ended"],
    }
    path = "".join(f"<li>{text(sentence)}</li>" for sentence in shown["sentences"])
    return (
        f"<section>\n<h2>Greedy policy</h2>\n{facts(table)}"
        f'<div class="card"><ol>{path}</ol></div>\n</section>\n'
    )
