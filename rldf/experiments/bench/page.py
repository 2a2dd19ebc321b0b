"""What a bench leaves to read: a table as text and CSV, plots, and one page with all of it."""

import shlex
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rldf.experiments.bench.episodes import COLUMNS as EPISODE_COLUMNS
from rldf.experiments.bench.episodes import as_csv, curves, draw_curves
from rldf.experiments.bench.measures import QUARTERED, best_at
from rldf.experiments.bench.starts import COLUMNS as START_COLUMNS
from rldf.experiments.bench.starts import by_start
from rldf.experiments.bench.table3 import COLUMNS
from rldf.experiments.bench.trial import Outcome
from rldf.io.files import write_bytes, write_text
from rldf.report.html import details, document, doubts, facts, leaf_rows, text, wide_image
from rldf.report.images import png_uri
from rldf.report.plotting import COLOURS, INK, draw_png
from rldf.runs.naming import clean_stem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SHOWN = {
    "agent": "agent", "reward": "reward", "epsilon": "ε", "rate": "reached", "ci": "95 %",
    "renders": "renders", "d_t": "D_T", "d_max": "D_max", "d_min": "D_min", "rho": "ρ",
    "sigma2": "σ²", "f_semantic": "F", "c_semantic": "C", "regret": "regret",
}  # fmt: skip

_DASHES = ("-", "--", ":", "-.")  # one for each ε of an agent

_ALTS = (
    "share of runs at the goal and best reward over unique renders",
    "steps to the goal of each episode, mean with 95 % band over the runs",
)


def shown_rows(rows: Sequence[Mapping[str, Any]], renders: int) -> list[tuple[str, ...]]:
    """Write the table for people."""
    return [tuple(_SHOWN.values()), *(_shown(row, renders) for row in rows)]


def _shown(row: Mapping[str, Any], renders: int) -> tuple[str, ...]:
    def count(value: float | None) -> str:
        return f">{renders}" if value is None else f"{value:.0f}"

    low, middle, high = (count(row[f"renders_{q}"]) for q in ("q1", "median", "q3"))
    runs = row["runs"]
    spread = f"{low}-{high}" if runs >= QUARTERED else f"of {runs} run{'s' * (runs > 1)}"
    texts = {
        "agent": row["agent"],
        "reward": row["reward"],
        "epsilon": row["epsilon"] or "-",
        "rate": f"{row['reached']}/{row['runs']}",
        "ci": f"{row['ci_low']:.2f}-{row['ci_high']:.2f}",
        "renders": f"{middle} ({spread})",
        "regret": "-" if row["regret"] is None else f"{row['regret']:.3f}",
    }
    return tuple(texts.get(key) or f"{row[key]:.1f}" for key in _SHOWN)


def write_results(
    folder: Path,
    rows: Sequence[Mapping[str, Any]],
    outcomes: Sequence[Outcome],
    config: Mapping[str, Any],
    command: Sequence[str],
    warnings: Sequence[str] = (),
) -> None:
    """Write the table, the plots and the page."""
    write_text(folder / "table.csv", as_csv(rows, COLUMNS))
    write_text(folder / "starts.csv", as_csv(by_start(outcomes), START_COLUMNS))
    learned = curves(outcomes, config["steps"]) if config.get("stop") == "episodes" else []
    if learned:
        write_text(folder / "episodes.csv", as_csv(learned, EPISODE_COLUMNS))
    pictures = {}
    rewards = list(dict.fromkeys(row["reward"] for row in rows))
    for reward, name in zip(rewards, _file_names(rewards), strict=True):
        mine = [outcome for outcome in outcomes if outcome.trial.reward == reward]
        picture = draw_progress(mine, config["renders"])
        write_bytes(folder / name, picture)
        pictures[f"Reward {reward}"] = picture
        if learned:
            curve = draw_curves([row for row in learned if row["reward"] == reward])
            write_bytes(folder / f"episodes-{name}", curve)
            pictures[f"Learning curves, reward {reward}"] = curve
    write_text(folder / "table3.html", _page(rows, pictures, config, command, warnings))


def _file_names(rewards: Sequence[str]) -> list[str]:
    """Name the plot of each reward after its file; of equal names the later ones are numbered."""
    taken: set[str] = set()
    names = []
    for reward in rewards:
        stem = clean_stem(reward)
        numbered = (stem if n == 1 else f"{stem}-{n}" for n in count(1))
        name = next(name for name in numbered if name.casefold() not in taken)
        taken.add(name.casefold())
        names.append(f"{name}.png")
    return names


def _page(
    rows: Sequence[Mapping[str, Any]],
    pictures: Mapping[str, bytes],
    config: Mapping[str, Any],
    command: Sequence[str],
    warnings: Sequence[str],
) -> str:
    head = facts(
        {
            "images": len(config["images"]),
            "seeds": config["seeds"],
            "unique renders a run": config["renders"],
            "cells": config["states"],
            "runs": sum(row["runs"] for row in rows),
        }
    )
    lines = shown_rows(rows, config["renders"])
    top = "".join(f'<th scope="col">{text(name)}</th>' for name in lines[0])
    body = "".join(
        "<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in line) + "</tr>\n"
        for line in lines[1:]
    )
    sections = [
        "<h1>Table 3, with repetitions</h1>\n",
        head,
        doubts(warnings),
        f'<h2>Figures</h2>\n<div class="card"><table><thead><tr>{top}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>\n",
        '<p class="faint small">Reached: runs that saw the goal, with Wilson interval. Renders: '
        "unique renders to the goal, median and quartiles of all runs (of fewer than four, the "
        "median alone). D_T, D_max, D_min, ρ, σ²: "
        "distance to the goal along a run, which goes on past it. F, C: steps whose picture shares "
        "an object, or the scene. Regret: best reward of any cell less the best one found.</p>\n",
        *(
            wide_image(
                title,
                png_uri(picture),
                f"{title}: {_ALTS[title.startswith('Learning')]}",
                "curves",
            )
            for title, picture in pictures.items()
        ),
        details("How", [("command", shlex.join(command)), *leaf_rows(config)]),
    ]
    return document("rldf bench table3", "".join(sections))


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
