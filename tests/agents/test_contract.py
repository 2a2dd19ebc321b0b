"""What every agent that walks cell by cell promises, checked on each of them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from rldf.agents.base import TabularAgent
from rldf.agents.dyna_q import DynaQ
from rldf.agents.expected_sarsa import ExpectedSarsa
from rldf.agents.protocol import Transition, Walker
from rldf.agents.q_learning import QLearning
from rldf.agents.qtable import QTable
from rldf.agents.random import RandomAgent
from rldf.agents.sarsa import Sarsa
from rldf.agents.schedules import Constant, LinearDecay, VisitCount
from rldf.errors import RunError
from rldf.grammar.encoding import Encoding
from rldf.gridworld import Gridworld

Learner = TypeVar("Learner", bound=TabularAgent)
Maker = Callable[[Gridworld, np.random.Generator], Walker]

WORLD = Gridworld((3, 4, 2))
RATE = Constant(0.5)
HUGE = Gridworld((100,) * 12)  # 10^24 states


def tabular(cls: type[Learner], world: Gridworld, rng: np.random.Generator) -> Learner:
    """Make an agent whose rates change, so that a lost counter shows."""
    return cls(world, rng=rng, alpha=VisitCount(0.7), epsilon=LinearDecay(1.0, 0.1, 60))


MAKERS: dict[str, Maker] = {
    "q_learning": partial(tabular, QLearning),
    "sarsa": partial(tabular, Sarsa),
    "expected_sarsa": partial(tabular, ExpectedSarsa),
    "dyna_q": lambda world, rng: DynaQ(world, rng=rng, epsilon=LinearDecay(1.0, 0.1, 60)),
    "random": lambda world, rng: RandomAgent(world, rng=rng),
}
each_agent = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def step(agent: Walker, world: Gridworld, state: Encoding) -> tuple[int, Encoding]:
    """Take one step, with a reward that depends on where it leads, and learn from it."""
    action = agent.select_action(state, world.action_mask(state))
    moved = world.move(state, action)
    transition = Transition(
        state=state,
        action=action,
        reward=float(np.sin(world.index(moved) % 97)),
        continues=1.0,
        next_state=moved,
        next_mask=world.action_mask(moved),
    )
    agent.update(transition)
    return action, moved


def walk(agent: Walker, state: Encoding, steps: int, world: Gridworld = WORLD) -> list[Encoding]:
    """Take some steps; give the states passed."""
    passed = [state]
    for _ in range(steps):
        passed.append(step(agent, world, passed[-1])[1])
    return passed


@pytest.mark.parametrize("world", [WORLD, HUGE], ids=["dense", "sparse"])
@each_agent
def test_resuming_changes_nothing(make: Maker, world: Gridworld, tmp_path: Path) -> None:
    """50 steps, a file and 50 more with a fresh agent are the 100 steps of one, bit for bit."""
    whole, half = (make(world, np.random.default_rng(5)) for _ in range(2))
    start = world.state(0)
    expected = walk(whole, start, 100, world)
    first = walk(half, start, 50, world)
    half.save(tmp_path / "half.npz")
    fresh = make(world, np.random.default_rng(6))
    fresh.load(tmp_path / "half.npz")
    assert expected == first + walk(fresh, first[-1], 50, world)[1:]
    for agent, name in ((whole, "whole.npz"), (fresh, "fresh.npz")):
        agent.save(tmp_path / name)
    assert (tmp_path / "whole.npz").read_bytes() == (tmp_path / "fresh.npz").read_bytes()


@pytest.mark.parametrize("cls", [QLearning, Sarsa, ExpectedSarsa])
def test_storage_changes_nothing(cls: type[Learner], tmp_path: Path) -> None:
    """An agent walks and learns the same with a dense and with a sparse table."""
    dense, sparse = (tabular(cls, WORLD, np.random.default_rng(7)) for _ in range(2))
    sparse.q = QTable.from_state_dict(sparse.q.state_dict(), dense_cells=0)
    assert walk(dense, (1, 1, 1), 200) == walk(sparse, (1, 1, 1), 200)
    dense.save(tmp_path / "dense.npz")
    sparse.save(tmp_path / "sparse.npz")
    assert (tmp_path / "dense.npz").read_bytes() == (tmp_path / "sparse.npz").read_bytes()


@each_agent
def test_steps_are_legal(make: Maker) -> None:
    """No agent walks into an edge, not when exploring and not when greedy."""
    agent, state = make(WORLD, np.random.default_rng(8)), WORLD.state(0)
    for _ in range(300):
        assert WORLD.action_mask(state)[agent.greedy_action(state, WORLD.action_mask(state))]
        before, (action, state) = state, step(agent, WORLD, state)
        assert WORLD.action_mask(before)[action]


@each_agent
def test_the_proposal_is_where_the_action_leads(make: Maker) -> None:
    """An agent proposes the one neighbour that the action it would select leads to."""
    asked, told = (make(WORLD, np.random.default_rng(3)) for _ in range(2))
    state = (1, 2, 0)
    for _ in range(50):
        mask = WORLD.action_mask(state)
        action, moved = step(told, WORLD, state)
        assert asked.propose(state, mask) == (moved,)
        reward = float(np.sin(WORLD.index(moved) % 97))
        asked.update(
            Transition(
                state=state,
                action=action,
                reward=reward,
                continues=1.0,
                next_state=moved,
                next_mask=WORLD.action_mask(moved),
            )
        )
        state = moved


@each_agent
def test_the_generator_decides(make: Maker) -> None:
    """The same generator gives the same walk, another one another."""
    walks = [walk(make(WORLD, np.random.default_rng(s)), (0, 0, 0), 60) for s in (1, 1, 2)]
    assert walks[0] == walks[1] != walks[2]


@pytest.mark.parametrize("bit_generator", [np.random.MT19937, np.random.Philox, np.random.SFC64])
@each_agent
def test_any_generator_is_saved(
    make: Maker, bit_generator: Callable[[int], np.random.BitGenerator], tmp_path: Path
) -> None:
    """The state of each of numpy's generators survives a file."""
    first, second = (make(WORLD, np.random.Generator(bit_generator(s))) for s in (1, 2))
    walk(first, (0, 0, 0), 10)
    first.save(tmp_path / "a.npz")
    second.load(tmp_path / "a.npz")
    assert walk(first, (0, 0, 0), 40) == walk(second, (0, 0, 0), 40)


@each_agent
def test_foreign_checkpoints_are_refused(make: Maker, tmp_path: Path) -> None:
    """The file of another agent, another world or another generator changes nothing."""
    agent, path = make(WORLD, np.random.default_rng(9)), tmp_path / "a.npz"
    agent.save(path)
    before = path.read_bytes()
    other_kinds = [other for other in MAKERS.values() if other is not make]
    others = [other(WORLD, np.random.default_rng(1)) for other in other_kinds]
    others.append(make(Gridworld((3, 2, 4, 1)), np.random.default_rng(1)))
    others.append(make(WORLD, np.random.Generator(np.random.Philox(1))))
    for other in others:
        other.save(path)
        with pytest.raises(RunError, match=r"a\.npz"):
            agent.load(path)
    agent.save(path)
    assert before == path.read_bytes()


@pytest.mark.parametrize("name", ["q_learning", "sarsa", "expected_sarsa", "dyna_q"])
def test_greedy_questions_change_no_training(name: str) -> None:
    """Asking for the best action draws no number."""
    asked, left = (MAKERS[name](WORLD, np.random.default_rng(4)) for _ in range(2))
    for state in WORLD.states():
        asked.greedy_action(state, WORLD.action_mask(state))
    assert walk(left, (0, 0, 0), 50) == walk(asked, (0, 0, 0), 50)


@pytest.mark.parametrize(
    ("reward", "continues"), [(float("nan"), 1.0), (float("inf"), 1.0), (0.0, 1.5), (0.0, -1.0)]
)
def test_poisonous_transitions_are_refused(reward: float, continues: float) -> None:
    """A reward that is no number, or a discount that is none, never reaches a table."""
    with pytest.raises(ValueError, match="give"):
        Transition(
            state=(0,),
            action=1,
            reward=reward,
            continues=continues,
            next_state=(1,),
            next_mask=np.ones(2, dtype=np.int8),
        )


def test_bad_discounts_are_refused() -> None:
    """A discount above 1 is an error."""
    rate, rng = VisitCount(1.0), np.random.default_rng(0)
    with pytest.raises(ValueError, match="gamma"):
        QLearning(WORLD, rng=rng, alpha=rate, epsilon=rate, gamma=1.1)


@pytest.mark.parametrize("cls", [QLearning, Sarsa, ExpectedSarsa])
def test_optimism_tries_every_action_of_a_state_first(cls: type[Learner]) -> None:
    """A greedy agent that hopes for more than any step pays takes each legal action once."""
    rng = np.random.default_rng(3)
    agent = cls(WORLD, rng=rng, alpha=Constant(0.5), epsilon=Constant(0.0), gamma=0.0, optimism=9.0)
    state, mask, taken = (1, 1, 0), WORLD.action_mask((1, 1, 0)), []
    for _ in range(int(mask.sum())):
        taken.append(step(agent, WORLD, state)[0])
        agent.begin_episode(state)
    assert sorted(taken) == np.flatnonzero(mask).tolist()


def test_optimism_survives_a_checkpoint(tmp_path: Path) -> None:
    """Rows that were never learned from are drawn again as high as they were."""
    high, low = (
        QLearning(WORLD, rng=np.random.default_rng(1), alpha=RATE, epsilon=RATE, optimism=optimism)
        for optimism in (5.0, 0.0)
    )
    high.save(tmp_path / "a.npz")
    low.load(tmp_path / "a.npz")
    assert high.q.row(3).tolist() == low.q.row(3).tolist()
    assert low.q.row(3).min() >= 5.0
