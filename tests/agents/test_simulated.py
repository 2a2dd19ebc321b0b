"""The planner in simulated worlds, where one axis in ten is misread: how many renders it needs.

Each median is of honest counts: all of a batch is drawn before its first cell is looked at.
"""

import numpy as np
import pytest

from rldf.agents import Planner, QLearning, RandomAgent
from rldf.agents.schedules import Constant
from tests.agents.simulated import SHAPES, Simulated, renders_to_goal


def planned(n_states: int, kind: str, worlds: int, **options: float) -> list[int]:
    """Search so many worlds; a goal that is never seen counts as 601 renders."""
    counts = []
    for seed in range(worlds):
        world = Simulated(SHAPES[n_states], kind, seed, **options)
        agent = Planner(world.grid, rng=np.random.default_rng(seed))
        start = world.grid.random_state(np.random.default_rng(seed))
        counts.append(renders_to_goal(agent, world, 600, start) or 601)
    return counts


@pytest.mark.parametrize("kind", ["multi", "clip"])
def test_the_planner_arrives_in_480_states(kind: str) -> None:
    """Every time, at a median of at most 26 renders."""
    counts = planned(480, kind, worlds=10)
    assert max(counts) <= 150, counts
    assert np.median(counts) <= 26, counts


def test_the_planner_beats_chance_and_q_learning() -> None:
    """In the same worlds, from the same starts: in half of the renders of either, or fewer."""
    planner = planned(480, "clip", worlds=5)
    others: dict[str, list[int]] = {"random": [], "q": []}
    for seed in range(5):
        world = Simulated(SHAPES[480], "clip", seed)
        start = world.grid.random_state(np.random.default_rng(seed))
        rates = {"alpha": Constant(0.5), "epsilon": Constant(0.1)}
        agents = {
            "random": RandomAgent(world.grid, rng=np.random.default_rng(seed)),
            "q": QLearning(world.grid, rng=np.random.default_rng(seed), **rates),  # type: ignore[arg-type]
        }
        for name, agent in agents.items():
            others[name].append(renders_to_goal(agent, world, 200, start) or 201)
    assert 2 * np.median(planner) < min(np.median(counts) for counts in others.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_states", "kind", "median"),
    [
        (480, "multi", 26),
        (480, "clip", 22),
        (4_320, "multi", 52),
        (4_320, "clip", 52),
        (2_073_600, "clip", 90),
    ],
)
def test_renders_grow_with_the_sum_of_the_axes(n_states: int, kind: str, median: int) -> None:
    """20 worlds a size: always there, and a world 4,320 times as large costs a few times more."""
    counts = planned(n_states, kind, worlds=20)
    print(f"simulated, {n_states:,} states, {kind}: median {np.median(counts)}, {sorted(counts)}")
    assert max(counts) <= 600, counts
    assert np.median(counts) <= median, counts


@pytest.mark.slow
def test_pairs_of_axes_are_no_obstacle() -> None:
    """A fifth of the variance owed to pairs, one axis in ten misread, 2,073,600 states."""
    counts = planned(2_073_600, "clip", worlds=10, pairs=0.2)
    print(f"simulated, 2,073,600 states, clip with pairs: {sorted(counts)}")
    assert max(counts) <= 400, counts
    assert np.median(counts) <= 100, counts
