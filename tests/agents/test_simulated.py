"""The planner in simulated worlds, where one axis in ten is misread: how many renders it needs.

Each median is of honest counts: all of a batch is drawn before its first cell is looked at.
"""

import numpy as np
import pytest

from rldf.experiments.bench.simulated import KINDS, SHAPES, Simulated, renders_to_goal
from rldf.runs.config import SearchConfig


def counted(
    n_states: int, kind: str, agent: str, worlds: int, renders: int = 600, **options: float
) -> list[int]:
    """Search so many worlds; a goal that is never seen counts as one render above the budget."""
    return [
        renders_to_goal(
            Simulated(SHAPES[n_states], kind, seed, **options),
            SearchConfig.of(image="simulated", agent=agent, renders=renders, seed=seed),
        )
        or renders + 1
        for seed in range(worlds)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_the_planner_arrives_in_480_states(kind: str) -> None:
    """Every time, at a median of at most 26 renders."""
    counts = counted(480, kind, "planner", worlds=10)
    assert max(counts) <= 150, counts
    assert np.median(counts) <= 26, counts


def test_the_planner_beats_chance_and_q_learning() -> None:
    """In the same worlds, from the same starts: in half of the renders of either, or fewer."""
    planner, *others = (
        np.median(counted(480, "clip", agent, worlds=5, renders=200))
        for agent in ("planner", "q", "random")
    )
    assert 2 * planner < min(others)


def test_sizes_are_what_they_are_called() -> None:
    """A world's name is the product of its axes."""
    for n_states, shape in SHAPES.items():
        assert np.prod(shape) == n_states


@pytest.mark.parametrize("kind", KINDS)
def test_without_mistakes_no_cell_pays_more_than_the_goal(kind: str) -> None:
    """So that a search which finds the best reward has found the goal, where every axis pays."""
    world = Simulated(SHAPES[480], kind, seed=3, misread=0.0, pairs=0.2)
    assert world.pays(world.goal) == max(map(world.pays, world.grid.states()))


def test_pairs_explain_the_part_of_the_variance_that_they_are_said_to() -> None:
    """A fifth, of all cells' rewards, less what is owed to the goal's own pairs."""
    plain, paired = (
        np.array([*map(world.pays, world.grid.states())])
        for world in (
            Simulated(SHAPES[4_320], "clip", seed=1, misread=0.0, pairs=pairs)
            for pairs in (0.0, 0.2)
        )
    )
    assert (paired - plain).var() / paired.var() == pytest.approx(0.2, abs=0.05)


def test_an_axis_in_ten_is_misread() -> None:
    """A cell of four axes is read right with a probability of 0.9^4, and always the same way."""
    right, wrong = (Simulated(SHAPES[480], "clip", seed=2, misread=rate) for rate in (0.0, 0.1))
    same = [right.pays(cell) == wrong.pays(cell) for cell in right.grid.states()]
    assert np.mean(same) == pytest.approx(0.9**4, abs=0.06)
    again = Simulated(SHAPES[480], "clip", seed=2)
    assert [*map(again.pays, again.grid.states())] == [*map(wrong.pays, wrong.grid.states())]


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
    counts = counted(n_states, kind, "planner", worlds=20)
    print(f"simulated, {n_states:,} states, {kind}: median {np.median(counts)}, {sorted(counts)}")
    assert max(counts) <= 600, counts
    assert np.median(counts) <= median, counts


@pytest.mark.slow
def test_pairs_of_axes_are_no_obstacle() -> None:
    """A fifth of the variance owed to pairs, one axis in ten misread, 2,073,600 states."""
    counts = counted(2_073_600, "clip", "planner", worlds=10, pairs=0.2)
    print(f"simulated, 2,073,600 states, clip with pairs: {sorted(counts)}")
    assert max(counts) <= 400, counts
    assert np.median(counts) <= 100, counts
