"""Tests of the noisy diffusion gradient: a bowl, a plateau, edges, momentum."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rldf.agents.gradient import NoisyGradient, ascend, finite_differences
from rldf.agents.protocol import Transition
from rldf.grammar.encoding import Encoding
from rldf.gridworld import Gridworld

WORLD = Gridworld((9, 12, 7, 1))
TOP = (6, 2, 5, 0)


def bowl(cell: Encoding) -> float:
    """A quadratic bowl, upside down."""
    return -float(sum((x - y) ** 2 for x, y in zip(cell, TOP, strict=True)))


def see(agent: NoisyGradient, reward: Callable[[Encoding], float], count: int) -> list[Encoding]:
    """Let an agent see so many cells; give them."""
    cells = []
    for _ in range(count):
        cell = agent.propose((0, 0, 0, 0), WORLD.action_mask((0, 0, 0, 0)))[0]
        action = int(np.flatnonzero(WORLD.action_mask(cell))[0])
        agent.update(
            Transition(
                state=WORLD.move(cell, action),
                action=action ^ 1,
                reward=reward(cell),
                continues=1.0,
                next_state=cell,
                next_mask=WORLD.action_mask(cell),
            )
        )
        cells.append(cell)
    return cells


def make(start: Encoding = (0, 11, 0, 0), **options: float) -> NoisyGradient:
    """Make an agent that starts somewhere."""
    agent = NoisyGradient(WORLD, rng=np.random.default_rng(0), **options)
    agent.begin_episode(start)
    return agent


@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("start", [(0, 11, 0, 0), (8, 0, 6, 0), (3, 7, 1, 0)])
def test_a_bowl_leads_to_its_optimum(start: Encoding, momentum: float) -> None:
    """From any side the walk comes to the top, in far fewer looks than there are cells."""
    agent = make(start, momentum=momentum)
    assert TOP in see(agent, bowl, 200)


def test_without_momentum_the_optimum_of_a_bowl_is_kept() -> None:
    """At the top the central differences are 0, and nothing pushes on."""
    agent = make(TOP, momentum=0.0)
    see(agent, bowl, 50)
    assert agent.point.tolist() == list(TOP)


def test_momentum_carries_past_the_optimum() -> None:
    """The paper's divergence after the goal: the last step is taken again, in part."""
    agent = make((4, 2, 5, 0), momentum=0.8)
    passed = {cell[0] for cell in see(agent, bowl, 60)}
    assert max(passed) > TOP[0] + 1


def test_on_a_plateau_it_does_not_move() -> None:
    """Equal rewards have no slope, so the same cells are named again and again."""
    agent = make((3, 3, 3, 0))
    cells = see(agent, lambda cell: 0.7, 70)
    assert agent.point.tolist() == [3, 3, 3, 0]
    assert set(cells) == {(3, 3, 3, 0), *WORLD.neighbours((3, 3, 3, 0))}


def test_a_cell_and_its_neighbours_are_named_together() -> None:
    """So they can be drawn in one batch; what was seen is not named again."""
    agent = make((0, 3, 3, 0))
    mask = WORLD.action_mask((0, 3, 3, 0))
    wanted = agent.propose((0, 3, 3, 0), mask)
    assert set(wanted) == {(0, 3, 3, 0), *WORLD.neighbours((0, 3, 3, 0))}
    see(agent, bowl, 1)
    assert agent.propose((0, 3, 3, 0), mask) == wanted[1:]


def test_the_unit_of_the_reward_does_not_matter() -> None:
    """A reward in other units makes the same walk."""
    plain, scaled = make(), make()
    assert see(plain, bowl, 100) == see(scaled, lambda cell: 1e-3 * bowl(cell), 100)


def test_slopes_against_arithmetic() -> None:
    """Central inside, one-sided at the edge, 0 on an axis of one value."""
    rewards = {(0, 1, 0): 1.0, (1, 1, 0): 4.0, (0, 0, 0): 2.0, (0, 2, 0): 8.0}
    assert finite_differences(rewards, (0, 1, 0), (3, 3, 1)).tolist() == [3.0, 3.0, 0.0]


def test_a_step_against_arithmetic() -> None:
    """v' = 0.5 v + 2 g / max|g|; the point stays between the edges."""
    point, velocity = ascend(
        np.array([1.0, 1.0]),
        np.array([1.0, 0.0]),
        np.array([4.0, -2.0]),
        (9, 9),
        step_size=2.0,
        momentum=0.5,
    )
    assert velocity.tolist() == [2.5, -1.0]
    assert point.tolist() == [3.5, 0.0]


def test_resuming_changes_nothing(tmp_path: Path) -> None:
    """53 looks, a file and 50 more with a fresh agent are the 103 looks of one, bit for bit."""
    whole, half = make(), make()
    expected = see(whole, bowl, 103)
    first = see(half, bowl, 53)
    half.save(tmp_path / "half.npz")
    fresh = NoisyGradient(WORLD, rng=np.random.default_rng(9))
    fresh.load(tmp_path / "half.npz")
    assert expected == first + see(fresh, bowl, 50)
    whole.save(tmp_path / "a.npz")
    fresh.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("options", [{"step_size": 0.0}, {"momentum": 1.0}])
def test_bad_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="step_size"):
        make(**options)
