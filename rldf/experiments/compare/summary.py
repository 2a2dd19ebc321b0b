"""Means over the images of a comparison, and its overview image (paper Fig. 7)."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, cast

from PIL import Image

from rldf.experiments.compare.documents import ImageScores, MethodScores, MethodSummary
from rldf.report.images import Tile, image_grid, load_image
from rldf.stats import t_interval

PICTURED = 20
"""Largest number of rows in the overview image."""

_SIDE = 192  # px
_SEMANTICS: tuple[Literal["axes", "noun", "scene"], ...] = ("axes", "noun", "scene")
_SAME = 1e-6  # two similarities this close are those of one image


def summarise(rows: Sequence[ImageScores], methods: Sequence[str]) -> list[MethodSummary]:
    """Average the scores of each method, and set the first method against the others.

    Returns:
        One record for each method: means with 95 % intervals (None for a single image), and for
        the baselines how often the first method's best picture is more like the input ("wins"), as
        like ("ties") or less ("losses"), and by how much on average ("margin").
    """
    return [_summary(rows, methods[0], method) for method in methods]


def _summary(rows: Sequence[ImageScores], first: str, method: str) -> MethodSummary:
    pairs = [(_of(row, first), _of(row, method)) for row in rows]
    scored = [theirs for _, theirs in pairs if theirs["sentence"] is not None]
    found: dict[str, Any] = {
        "method": method,
        "images": len(scored),
        "renders": _mean([entry["renders"] for entry in scored]),
        **_interval("best", _known(scored, "best")),
        **_interval("mean", _known(scored, "mean")),
        **{name: _mean(_known(scored, name)) for name in _SEMANTICS},
    }
    if method != first:
        both = [[one["best"] for one in pair if one["best"] is not None] for pair in pairs]
        found |= _duel([best[0] - best[1] for best in both if len(best) == 2])
    return cast(MethodSummary, found)


def _duel(margins: list[float]) -> dict[str, Any]:
    wins = sum(margin > _SAME for margin in margins)
    losses = sum(margin < -_SAME for margin in margins)
    ties = len(margins) - wins - losses
    return {"wins": wins, "ties": ties, "losses": losses, **_interval("margin", margins)}


def _interval(name: str, values: list[float]) -> dict[str, Any]:
    low, high = t_interval(values) or (None, None)
    return {name: _mean(values), f"{name}_low": low, f"{name}_high": high}


def _known(
    entries: list[MethodScores], name: Literal["best", "mean", "axes", "noun", "scene"]
) -> list[float]:
    return [float(score) for entry in entries if (score := entry[name]) is not None]


def _mean(values: list[float]) -> float | None:
    return statistics.fmean(values) if values else None


def _of(row: ImageScores, method: str) -> MethodScores:
    return next(entry for entry in row["methods"] if entry["method"] == method)


def draw_comparison(rows: Sequence[ImageScores], out: Path, methods: Sequence[str]) -> Image.Image:
    """Draw the input and the best image of each method, with sentence and score."""
    tiles = [
        [_input(row, out), *(_tile(_of(row, method), out / row["folder"]) for method in methods)]
        for row in rows[:PICTURED]
    ]
    return image_grid(tiles, heads=("input", *methods), side=_SIDE)


def _input(row: ImageScores, out: Path) -> Tile:
    read = row["sentence"] or "no sentence, not every axis was read"
    how = "reads, in doubt, as" if row.get("doubtful") else "reads as"
    return Tile(_picture(out / row["folder"] / "input.png"), f"{how}: {read}")


def _tile(entry: MethodScores, folder: Path) -> Tile:
    if entry["sentence"] is None or entry["picture"] is None:
        return Tile(Image.new("RGB", (_SIDE, _SIDE), "white"), "no sentence")
    scores = f"best {entry['best']:.3f}, mean {entry['mean']:.3f}"
    return Tile(_picture(folder / entry["picture"]), f"{scores}: {entry['sentence']}")


def _picture(path: Path) -> Image.Image:
    """Load an image, scaled to touch two edges of its tile."""
    picture = load_image(path, _SIDE)
    scale = _SIDE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS)
