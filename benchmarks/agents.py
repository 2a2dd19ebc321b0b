"""Agents in simulated worlds: how they grow, what a step costs, where they fail. No picture drawn.

`python benchmarks/agents.py [part ...] [--worlds N] [--out FILE]`

A world is a goal and a reward that is a sum over axes; one axis in ten is misread
(rldf.experiments.bench.simulated). Each part runs in a process of its own and replaces its part of
--out; a table goes to stdout. Runs that never see the goal count as more renders than any budget.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from rldf.agents.gradient import finite_differences
from rldf.experiments.bench.measures import quartiles
from rldf.experiments.bench.simulated import KINDS, SHAPES, Simulated, renders_to_goal, search_in
from rldf.io.files import write_json
from rldf.runs.config import SearchConfig
from rldf.stats import wilson

AGENTS = ("planner", "gradient", "dyna-q", "expected-sarsa", "sarsa", "q", "random")
LARGEST = max(SHAPES)
LONG = 173_010
WORLDS = SHAPES | {LONG: (2, 79, 3, 365)}  # the longest axes that ship: grammar coco-places
Row = dict[str, Any]


def searches(
    n_states: int, kind: str, worlds: int, renders: int, pairs: float = 0.0, **options: Any
) -> Row:
    """Search many worlds, each with its own seed.

    Args:
        n_states: their size, a key of WORLDS.
        kind: what pays, one of KINDS.
        worlds: how many.
        renders: budget of unique renders.
        pairs: the part of the variance that is owed to pairs of axes.
        options: the agent and its options, as in SearchConfig.

    Returns:
        What was asked, how often the goal was seen, and after how many renders.
    """
    counts = [
        renders_to_goal(
            Simulated(WORLDS[n_states], kind, seed, pairs=pairs),
            SearchConfig.of(image="simulated", renders=renders, seed=seed, **options),
        )
        for seed in range(worlds)
    ]
    reached = sum(count is not None for count in counts)
    low, high = wilson(reached, worlds)
    first, median, third = quartiles(counts)
    return {
        "n_states": n_states,
        "reward": kind,
        **options,
        "pairs": pairs,
        "budget": renders,
        "runs": worlds,
        "reached": reached,
        "rate": reached / worlds,
        "ci_low": round(low, 3),
        "ci_high": round(high, 3),
        "renders_median": median,
        "renders_quartiles": [first, third],
    }


def growth(worlds: int) -> Iterator[Row]:
    """Search worlds of four sizes with the planner, Q-learning and chance.

    The largest world is left out for multi, which is blind to five of its seven axes: 2,880 cells
    look alike there, and nothing but chance tells them apart.

    Args:
        worlds: how many of each size.

    Yields:
        One row for each size, reward and agent.
    """
    for kind in KINDS:
        for n_states in (n for n in SHAPES if (kind, n) != ("multi", LARGEST)):
            for agent in ("planner", "q", "random"):
                yield searches(n_states, kind, worlds, 400, agent=agent)


def large(worlds: int) -> Iterator[Row]:
    """Search the largest world where a fifth of the variance is owed to pairs of axes.

    Args:
        worlds: how many.

    Yields:
        One row, with the peak memory of the process.
    """
    row = searches(LARGEST, "clip", worlds, 200, pairs=0.2, agent="planner")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # KiB on Linux
    yield row | {"peak_mb": round(peak)}


def long(worlds: int) -> Iterator[Row]:
    """Search worlds with the axes of grammar coco-places: 79 nouns, 365 scenes.

    Args:
        worlds: how many of each kind.

    Yields:
        One row for each reward and budget.
    """
    for kind in KINDS:
        for renders in (200, 400):
            yield searches(LONG, kind, worlds, renders, agent="planner")


def cost(worlds: int) -> Iterator[Row]:
    """Time a step of the whole loop: environment, agent, reward; and Gymnasium's for comparison.

    Args:
        worlds: how many searches of 200 renders or 1,000 steps each agent makes.

    Yields:
        One row for each agent, in the largest world, and one for FrozenLake-v1 with random actions.
    """
    for agent in AGENTS:
        steps, begun = 0, time.perf_counter()
        for seed in range(worlds):
            world = Simulated(SHAPES[LARGEST], "clip", seed, pairs=0.2)
            settings = SearchConfig.of(
                image="simulated", agent=agent, renders=200, steps=1000, episodes=1, seed=seed
            )
            steps += sum(1 for _ in search_in(world, settings, stop_at_goal=False))
        yield _timed(agent, LARGEST, steps, time.perf_counter() - begun)
    lake = gym.make("FrozenLake-v1")
    lake.action_space.seed(0)
    lake.reset(seed=0)
    begun = time.perf_counter()
    for _ in range(50_000):
        _, _, terminated, truncated, _ = lake.step(lake.action_space.sample())
        if terminated or truncated:
            lake.reset()
    yield _timed("Gymnasium FrozenLake-v1", 16, 50_000, time.perf_counter() - begun)


def _timed(loop: str, n_states: int, steps: int, seconds: float) -> Row:
    each = round(1e6 * seconds / steps, 1)
    return {"loop": loop, "n_states": n_states, "steps": steps, "microseconds": each}


def gradient(worlds: int) -> Iterator[Row]:
    """Measure the failures of the noisy gradient: plateaus, and the way past the goal.

    Args:
        worlds: how many.

    Yields:
        One row for each reward and momentum: the share of cells without any slope, the renders
        after which an episode of 1,000 steps sees nothing new (median), and the mean distance to
        the goal some steps after it was first seen.
    """
    for kind in KINDS:
        places = [Simulated(SHAPES[480], kind, seed) for seed in range(worlds)]
        flat = round(float(np.mean([_flat(world) for world in places])), 3)
        for momentum in (0.0, 0.5, 0.9):
            options: Row = {"agent": "gradient", "momentum": momentum}
            runs = [_walked(world, seed, options) for seed, world in enumerate(places)]
            past = [distances for _, distances in runs if distances]
            yield {
                "reward": kind,
                "momentum": momentum,
                "flat_cells": flat,
                "stops_after": float(np.median([renders for renders, _ in runs])),
                "rate": searches(480, kind, worlds, 200, **options)["rate"],
                "runs_past_goal": len(past),
                "distance_after": dict(zip(_AFTER, _means(past), strict=True)) if past else None,
            }


_AFTER = (10, 20, 40, 80)  # steps after the goal was seen


def _flat(world: Simulated) -> float:
    """Give the share of cells around which the reward has no slope along any axis."""
    paid = {cell: world.pays(cell) for cell in world.grid.states()}
    return float(np.mean([not finite_differences(paid, c, world.grid.shape).any() for c in paid]))


def _walked(world: Simulated, seed: int, options: Row) -> tuple[int, list[float]]:
    """Give the renders of one episode, and distances after the goal; none where it was not met.

    A distance is the mean over the eleven steps around its step, since a gradient looks around.
    """
    settings = SearchConfig.of(
        image="simulated", seed=seed, renders=480, episodes=1, steps=1000, **options
    )
    steps = list(search_in(world, settings, stop_at_goal=False))
    met = next((i for i, step in enumerate(steps) if step.distance == 0), len(steps))
    if met + _AFTER[-1] + 6 > len(steps):
        return steps[-1].renders, []
    around = (steps[met + after - 5 : met + after + 6] for after in _AFTER)
    return steps[-1].renders, [float(np.mean([s.distance or 0 for s in near])) for near in around]


def _means(rows: Sequence[Sequence[float]]) -> list[float]:
    return [round(float(mean), 2) for mean in np.mean(rows, axis=0)]


def tabular(worlds: int, n_states: int = 480) -> Iterator[Row]:
    """Compare the tabular agents, with and without optimism.

    Args:
        worlds: how many of each kind.
        n_states: their size.

    Yields:
        One row for each agent, reward and optimism.
    """
    for agent in ("q", "sarsa", "expected-sarsa", "dyna-q"):
        for kind in KINDS:
            for optimism in (0.0, 5.0):
                yield searches(n_states, kind, worlds, 200, agent=agent, optimism=optimism)


def tabular_large(worlds: int) -> Iterator[Row]:
    """Compare them in 4,320 states.

    Args:
        worlds: how many of each kind.

    Yields:
        One row for each agent, reward and optimism.
    """
    yield from tabular(worlds, 4_320)


def q(worlds: int) -> Iterator[Row]:
    """Compare options of Q-learning in 480 states, one changed at a time.

    Args:
        worlds: how many.

    Yields:
        One row for each reward and set of options.
    """
    changes: tuple[Row, ...] = (
        {},
        {"alpha": "1.0"},
        {"alpha": "visits:0.6"},
        {"epsilon": "0.3"},
        {"epsilon": "0.9:0.05:300"},
        {"gamma": 0.5},
        {"optimism": 10.0},
        {"optimism": -10.0},
    )
    for kind in KINDS:
        for change in changes:
            yield searches(480, kind, worlds, 200, agent="q", **change)


def circles(worlds: int) -> Iterator[Row]:
    """Count how often Q-learning walks to and fro in 480 states.

    Args:
        worlds: how many.

    Yields:
        One row for each reward: the mean shares of steps that go back to the cell of two steps
        before, and of steps that see nothing new.
    """
    for kind in KINDS:
        back, known = [], []
        for seed in range(worlds):
            settings = SearchConfig.of(image="simulated", agent="q", renders=200, seed=seed)
            steps = list(search_in(Simulated(SHAPES[480], kind, seed), settings))
            cells = [step.encoding for step in steps]
            back.append(np.mean([a == b for a, b in zip(cells[2:], cells, strict=False)]))
            known.append(np.mean([not step.new for step in steps]))
        yield {
            "reward": kind,
            "runs": worlds,
            "back": round(float(np.mean(back)), 3),
            "nothing_new": round(float(np.mean(known)), 3),
        }


PARTS: dict[str, tuple[Callable[[int], Iterator[Row]], int]] = {
    "growth": (growth, 20),
    "large": (large, 200),
    "long": (long, 20),
    "cost": (cost, 5),
    "gradient": (gradient, 30),
    "tabular": (tabular, 16),
    "tabular-large": (tabular_large, 16),
    "q": (q, 50),
    "circles": (circles, 12),
}
"""Each part, and how many worlds it takes if nothing else is said."""


def draw_growth(rows: Sequence[Row], path: Path) -> None:
    """Plot renders to the goal against the number of states.

    Args:
        rows: those of `growth`.
        path: the PNG to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.8), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(KINDS), sharex=True, sharey=True)
    budget = rows[0]["budget"]
    looks = {  # colour, mark, and where to draw a median above the budget
        "planner": ("#2f8f63", "o", 1.0),
        "q": ("#b97f0c", "s", 1.08),
        "random": ("#7a7f8d", "^", 1.24),
    }
    for panel, kind in zip(panels, KINDS, strict=True):
        for agent, (colour, mark, above) in looks.items():
            mine = [row for row in rows if (row["reward"], row["agent"]) == (kind, agent)]
            sizes = [row["n_states"] for row in mine]
            medians = [row["renders_median"] or above * budget for row in mine]
            panel.plot(sizes, medians, f"{mark}-", color=colour, label=agent)
            for size, median, row in zip(sizes, medians, mine, strict=True):
                panel.annotate(
                    f"{row['rate']:.0%}", (size, median), (0, 6), textcoords="offset points",
                    ha="center", fontsize=8, color=colour,
                )  # fmt: skip
        panel.axhline(budget, color="#24262d", lw=0.8, ls=":")
        panel.set(xscale="log", xlabel="states", title=f"reward {kind}", ylim=(0, 1.4 * budget))
    panels[0].set_ylabel("median renders to the goal")
    panels[0].legend(frameon=False, loc="center right")
    told = f"simulated; % = goals reached within {budget} renders (dotted); above it: median beyond"
    figure.suptitle(told, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})


def run_part(name: str, worlds: int | None, out: Path) -> None:
    """Run one part: print its rows as they come, and put them into the file.

    Args:
        name: a key of PARTS.
        worlds: how many, None for the part's own number.
        out: the JSON file.
    """
    part, usual = PARTS[name]
    print(f"\n{name} (simulated)", flush=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    begun, rows = time.monotonic(), []
    for row in part(worlds or usual):
        rows.append(row)
        print("  " + "  ".join(f"{key} {_short(value)}" for key, value in row.items()), flush=True)
        seconds = round(time.monotonic() - begun, 1)
        known = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {"simulated": True}
        write_json(out, known | {name: {"rows": rows, "seconds": seconds}})
    if name == "growth":
        draw_growth(rows, Path("docs/images/growth.png"))


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def main() -> None:
    """Run the parts that were asked for, each in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--worlds", type=int)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/agents.json"))
    options = parser.parse_args()
    parts = options.parts or list(PARTS)
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}: name {', '.join(PARTS)}")
    if len(parts) == 1:
        run_part(parts[0], options.worlds, options.out)
        return
    for part in parts:
        worlds = [] if options.worlds is None else ["--worlds", str(options.worlds)]
        command = [sys.executable, __file__, part, *worlds, "--out", str(options.out)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
