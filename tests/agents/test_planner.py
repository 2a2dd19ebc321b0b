"""Tests of the planner: what it names, what it needs, and that it can be saved at any moment."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from rldf.agents.planner import Planner
from rldf.agents.protocol import Transition
from rldf.errors import RunError
from rldf.grammar.encoding import Encoding
from rldf.gridworld import Gridworld

WORLD = Gridworld((3, 7, 4))
HUGE = Gridworld((100,) * 12)  # 10^24 states


def pays(cell: Encoding) -> float:
    """A sum over axes, highest at 2, 5, 1, 2, 5, ..."""
    return -float(sum(abs(x - (2, 5, 1)[i % 3]) for i, x in enumerate(cell)))


def see(agent: Planner, world: Gridworld, count: int) -> list[Encoding]:
    """Let an agent see so many cells; give them."""
    cells: list[Encoding] = []
    start = world.state(0)
    for _ in range(count):
        cell = agent.propose(start, world.action_mask(start))[0]
        action = int(np.flatnonzero(world.action_mask(cell))[0])
        agent.update(
            Transition(
                state=world.move(cell, action),
                action=action ^ 1,
                reward=pays(cell),
                continues=1.0,
                next_state=cell,
                next_mask=world.action_mask(cell),
            )
        )
        cells.append(cell)
    return cells


def make(
    world: Gridworld = WORLD, seed: int = 0, batch: int = 4, first: Encoding | None = None
) -> Planner:
    """Make an agent."""
    return Planner(world, rng=np.random.default_rng(seed), batch=batch, first=first)


@pytest.mark.parametrize("batch", [1, 4, 5])
def test_the_cover_comes_first(batch: int) -> None:
    """After as many looks as the longest axis has values, every value was seen."""
    cells = see(make(batch=batch), WORLD, 7)
    assert [len({cell[axis] for cell in cells}) for axis in range(3)] == [3, 7, 4]


def test_batches_are_named_whole_and_used_up() -> None:
    """Cells are named together, and each again until it was seen."""
    agent, start = make(batch=3), (0, 0, 0)
    mask = WORLD.action_mask(start)
    see(agent, WORLD, 7)  # the cover: 3, 3 and 1
    batch = agent.propose(start, mask)
    assert len(set(batch)) == 3
    see(agent, WORLD, 1)
    assert agent.propose(start, mask) == batch[1:]
    agent.begin_episode((1, 1, 1))
    assert agent.propose((1, 1, 1), WORLD.action_mask((1, 1, 1))) == batch[1:]


def test_no_cell_is_seen_twice_until_all_were() -> None:
    """A budget of unique renders is spent on unique cells; then the best one is named."""
    agent = make()
    cells = see(agent, WORLD, WORLD.n_states)
    assert len(set(cells)) == WORLD.n_states
    assert see(agent, WORLD, 4) == [max(WORLD.states(), key=pays)] * 4


def test_a_sum_over_axes_is_found_in_a_few_looks() -> None:
    """Without mistakes in the readings, few looks are needed past the cover."""
    for seed in range(5):
        assert (2, 5, 1) in see(make(seed=seed), WORLD, 25)


def test_a_slope_along_a_long_axis_needs_no_look_at_each_value() -> None:
    """365 scenes must not cost 365 renders where likeness slopes."""
    world = Gridworld((3, 365))
    for seed in range(3):
        assert (2, 5) in see(make(world, seed=seed), world, 180)


def test_a_warm_start_is_seen_first() -> None:
    """Then the cover goes on, without that cell."""
    cells = see(make(first=(2, 5, 1)), WORLD, 8)
    assert cells[0] == (2, 5, 1)
    assert len(set(cells)) == 8


@pytest.mark.parametrize("first", [(9, 0, 0), (0, 0)])
def test_a_warm_start_outside_the_grid_is_refused(first: Encoding) -> None:
    with pytest.raises(ValueError, match="first"):
        make(first=first)


def test_a_batch_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="batch"):
        make(batch=0)


def test_before_a_look_nothing_is_believed() -> None:
    with pytest.raises(ValueError, match="nothing was seen"):
        make().belief()


@pytest.mark.parametrize(("world", "half"), [(WORLD, 5), (WORLD, 18), (HUGE, 102)])
def test_resuming_changes_nothing(world: Gridworld, half: int, tmp_path: Path) -> None:
    """Some looks, a file and more with a fresh agent are the looks of one, bit for bit."""
    one, two = make(world), make(world)
    expected = see(one, world, half + 8)
    first = see(two, world, half)
    two.save(tmp_path / "half.npz")
    fresh = make(world, seed=9)
    fresh.load(tmp_path / "half.npz")
    assert expected == first + see(fresh, world, 8)
    one.save(tmp_path / "a.npz")
    fresh.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_another_worlds_checkpoint_is_refused(tmp_path: Path) -> None:
    make(HUGE).save(tmp_path / "a.npz")
    with pytest.raises(RunError, match=r"a\.npz"):
        make().load(tmp_path / "a.npz")


def test_a_proposal_needs_no_more_room_in_a_world_of_10_to_the_12_states() -> None:
    """Worlds with the same sum of axes, of 1,600, 10^9 and 10^12 states: under a megabyte."""
    peaks = []
    for shape in ((40, 40), (8,) * 10, (4,) * 20):
        agent, world = make(Gridworld(shape)), Gridworld(shape)
        see(agent, world, 40)
        tracemalloc.start()
        agent.propose(world.state(0), world.action_mask(world.state(0)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert max(peaks) < 1_000_000, peaks
