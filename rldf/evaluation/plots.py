"""The plots of an evaluation's report, each a PNG file."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rldf.report.plotting import COLOURS, INK, draw_png
from rldf.text import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BARS = 40
"""Classes that a bar plot shows, the worst first."""

_NAMED = 40  # classes up to which a confusion matrix names them


def draw_fid_over_n(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> bytes:
    """Draw FID at several sizes over 1/N, with the line to 1/N = 0.

    Args:
        rows: with "fid_points" and "fid_infinity", one for each real folder.
        names: of the real folders.

    Returns:
        A PNG file.
    """

    def draw(panel: "Axes") -> None:
        for i, (row, name) in enumerate(zip(rows, names, strict=True)):
            colour = COLOURS[i % len(COLOURS)]
            inverse = [1 / point["n_clone"] for point in row["fid_points"]]
            values = [point["fid"] for point in row["fid_points"]]
            slope = np.polyfit(inverse, values, 1)[0]
            end = row["fid_infinity"]
            ends = [end, end + slope * max(inverse)]
            panel.plot([0, max(inverse)], ends, color=colour, lw=1)
            panel.plot(inverse, values, "o", color=colour, ms=5, label=f"to {_shown(name)}")
            panel.plot([0], [end], "*", color=colour, ms=12, clip_on=False)
        sizes = [point["n_clone"] for point in rows[0]["fid_points"]]
        panel.set_xticks([0, *(1 / n for n in sizes)], ["∞", *map(str, sizes)])
        panel.set_xlim(left=0)
        panel.set_xlabel("images of the clone, N (spaced as 1/N)", color=INK)
        panel.set_ylabel("FID", color=INK)
        panel.legend(frameon=False)

    return draw_png(draw, 9, 3.4)


def draw_bars(values: Mapping[str, float], label: str, *, high_is_bad: bool) -> bytes:
    """Draw a figure class by class, the worst first.

    Args:
        values: by name of the class, at least 1.
        label: what the figure is.
        high_is_bad: whether the worst is the highest.

    Returns:
        A PNG file; of more than BARS classes the worst.
    """
    worst = sorted(values.items(), key=lambda item: -item[1] if high_is_bad else item[1])[:BARS]

    def draw(panel: "Axes") -> None:
        panel.barh(range(len(worst)), [value for _, value in worst], color=COLOURS[0])
        panel.set_yticks(range(len(worst)), [_shown(name) for name, _ in worst])
        panel.invert_yaxis()
        panel.set_xlabel(label, color=INK)

    return draw_png(draw, 9, 0.9 + 0.24 * len(worst), grid="x")


def draw_confusion(counts: NDArray[np.int64], names: Sequence[str]) -> bytes:
    """Draw how often images of one class (rows) are told to be of another (columns).

    Args:
        counts: (n, n).
        names: of the classes.

    Returns:
        A PNG file; each row is shown as shares.
    """
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)

    def draw(panel: "Axes") -> None:
        panel.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
        if len(names) <= _NAMED:
            shown = [_shown(name) for name in names]
            panel.set_xticks(range(len(names)), shown, rotation=90)
            panel.set_yticks(range(len(names)), shown)
        panel.set_xlabel("told", color=INK)
        panel.set_ylabel("true", color=INK)

    side = 2.6 + 0.22 * min(len(names), _NAMED)
    return draw_png(draw, side, side, grid=None)


def _shown(name: str) -> str:
    """Shorten a stranger's name, and keep it from being read as mathematics."""
    name = plain(name)
    short = name if len(name) <= 32 else f"…{name[-31:]}"
    return short.replace("$", r"\$")
