"""Draws the plots of an evaluation's report, each as a PNG file."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rldf.io.text import plain
from rldf.report.plotting import COLOURS, INK, draw_png
from rldf.stats import UNDETERMINED, Figure, read_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BARS = 40
"""Largest number of classes in a bar plot, which shows the worst ones."""

_NOTHING = "#bfbfbf"
_NAMED = 40  # largest number of classes whose names a confusion matrix shows


def draw_fid_over_n(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> bytes:
    """Plot FID at several sizes over 1/N, with the line extrapolated to 1/N = 0, as a PNG file."""

    def draw(panel: "Axes") -> None:
        for i, (row, name) in enumerate(zip(rows, names, strict=True)):
            colour = COLOURS[i % len(COLOURS)]
            inverse = [1 / point["n_clone"] for point in row["fid_points"]]
            values = [point["fid"] for point in row["fid_points"]]
            slope = np.polyfit(inverse, values, 1)[0]
            end = read_figure(row["figures"]["fid_infinity"])
            known, at = end.determined, end.value or 0.0
            ends = [at, at + slope * max(inverse)]
            panel.plot([0, max(inverse)], ends, color=colour, lw=1, ls="-" if known else ":")
            panel.plot(inverse, values, "o", color=colour, ms=5, label=f"to {_shown(name)}")
            said = None if known else f"at ∞ {UNDETERMINED}"
            fill = colour if known else "white"
            panel.plot([0], [at], "*", color=colour, mfc=fill, ms=12, clip_on=False, label=said)
            if end.low is not None and end.high is not None:
                panel.plot([0, 0], [end.low, end.high], color=colour, lw=3, alpha=0.4)
        sizes = [point["n_clone"] for point in rows[0]["fid_points"]]
        panel.set_xticks([0, *(1 / n for n in sizes)], ["∞", *map(str, sizes)])
        panel.set_xlim(left=0)
        panel.set_xlabel("images of the clone, N (spaced as 1/N)", color=INK)
        panel.set_ylabel("FID", color=INK)
        panel.legend(frameon=False)

    return draw_png(draw, 9, 3.4)


def draw_bars(figures: Mapping[str, Figure], label: str, *, high_is_bad: bool) -> bytes:
    """Plot a figure of each class as bars with intervals, the worst first, as a PNG file."""
    values = {name: f for name, f in figures.items() if f.value is not None}
    sign = -1 if high_is_bad else 1
    worst = sorted(values.items(), key=lambda item: sign * (item[1].value or 0.0))[:BARS]
    names = [_shown(name) + (" ?" if not f.determined else "") for name, f in worst]

    def draw(panel: "Axes") -> None:
        for place, (_, f) in enumerate(worst):
            panel.barh(place, f.value or 0.0, color=COLOURS[0], alpha=1 if f.determined else 0.35)
            if f.low is not None and f.high is not None:
                panel.plot([f.low, f.high], [place, place], color=INK, lw=1)
        panel.set_yticks(range(len(worst)), names)
        panel.invert_yaxis()
        panel.set_xlabel(f"{label} (? {UNDETERMINED})", color=INK)

    return draw_png(draw, 9, 0.9 + 0.24 * len(worst), grid="x")


def draw_confusion(counts: NDArray[np.int64], names: Sequence[str]) -> bytes:
    """Plot the share of each class's images (rows) predicted as each class (columns), as PNG."""
    tests = counts.sum(1, keepdims=True)
    shares = np.where(tests, counts / np.maximum(tests, 1), np.nan)

    def draw(panel: "Axes") -> None:
        panel.set_facecolor(_NOTHING)  # the colour of rows without test images
        panel.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
        if len(names) <= _NAMED:
            shown = [_shown(name) for name in names]
            panel.set_xticks(range(len(names)), shown, rotation=90)
            panel.set_yticks(range(len(names)), shown)
        panel.set_xlabel("predicted class", color=INK)
        panel.set_ylabel("true class", color=INK)

    side = 2.6 + 0.22 * min(len(names), _NAMED)
    return draw_png(draw, side, side, grid=None)


def _shown(name: str) -> str:
    """Shorten an untrusted name, and escape $, which matplotlib takes for mathematics."""
    name = plain(name)
    short = name if len(name) <= 32 else f"…{name[-31:]}"
    return short.replace("$", r"\$")
