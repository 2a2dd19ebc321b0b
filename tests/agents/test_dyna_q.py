"""Tests of Dyna-Q: what it plans against value iteration, and that planning saves steps."""

import numpy as np
import pytest
from numpy.typing import NDArray

from rldf.agents.dyna_q import DynaQ
from rldf.agents.protocol import Transition
from rldf.agents.q_learning import QLearning
from rldf.agents.schedules import Constant
from rldf.grammar.encoding import Encoding
from rldf.gridworld import Gridworld
from tests.agents.toys import Toy, greedy_actions
from tests.oracles import grid_transitions, to_mdp, value_iteration

WORLD, GOAL = Gridworld((4, 3, 2)), (2, 1, 0)
STEPS = grid_transitions(WORLD, GOAL)
BEST = value_iteration(to_mdp(STEPS, WORLD.n_actions), 0.9)


def make(seed: int = 0, **options: float) -> DynaQ:
    """Make an agent that explores all the time."""
    rng = np.random.default_rng(seed)
    return DynaQ(WORLD, rng=rng, epsilon=Constant(1.0), gamma=0.9, threshold=1e-9, **options)  # type: ignore[arg-type]


def seen(cell: Encoding) -> Transition:
    """A step into a cell of a world whose goal alone pays."""
    action = int(np.flatnonzero(WORLD.action_mask(cell))[0])
    return Transition(
        state=WORLD.move(cell, action),
        action=action ^ 1,
        reward=float(cell == GOAL),
        continues=float(cell != GOAL),
        next_state=cell,
        next_mask=WORLD.action_mask(cell),
    )


def test_each_cell_seen_once_gives_the_values_of_value_iteration() -> None:
    """Known transitions and one look at each cell are the whole world: Q is Q*."""
    agent = make(backups=10_000)
    for cell in WORLD.states():
        agent.update(seen(cell))
    for state in WORLD.states():
        if state != GOAL:
            legal = WORLD.action_mask(state).astype(bool)
            np.testing.assert_allclose(
                agent.q.row(WORLD.index(state))[legal], BEST[WORLD.index(state)][legal], atol=1e-6
            )


def test_one_look_values_every_step_into_the_cell() -> None:
    """The goal seen once is worth a step into it from each neighbour."""
    agent = make()
    agent.update(seen(GOAL))
    for back in np.flatnonzero(WORLD.action_mask(GOAL)):
        neighbour = WORLD.move(GOAL, int(back))
        assert agent.q.row(WORLD.index(neighbour))[int(back) ^ 1] == 1.0


def test_what_waits_is_swept_with_later_steps() -> None:
    """With one backup a step the values come later, and are the same."""
    agent = make(backups=1)
    for _ in range(60):
        for cell in WORLD.states():
            agent.update(seen(cell))
    start = WORLD.index((0, 0, 1))
    assert pytest.approx(BEST[start].max(), abs=1e-6) == agent.q.row(start).max()


def good_after(agent: DynaQ | QLearning) -> int:
    """Count the real steps until the greedy policy is the best one in every state."""
    starts = [s for s in range(WORLD.n_states) if s != WORLD.index(GOAL)]
    toy, rng = Toy(STEPS, WORLD.n_actions, starts), np.random.default_rng(5)
    state, steps = toy.start(rng), 0
    while not _best(greedy_actions(agent, toy), starts):
        transition = toy.step(state, agent.select_action(state, toy.mask(state)), rng)
        agent.update(transition)
        steps += 1
        state = transition.next_state if transition.continues else toy.start(rng)
        assert steps < 20_000
    return steps


def _best(actions: list[int], starts: list[int]) -> bool:
    return all(BEST[s, actions[s]] > BEST[s].max() - 1e-9 for s in starts)


def test_planning_needs_fewer_real_steps_than_q_learning() -> None:
    """Both walk at random from the same starts; Dyna-Q knows the best policy far sooner."""
    planned, learned = [], []
    for seed in range(3):
        grid = _Numbered()
        rng = np.random.default_rng(seed)
        planned.append(good_after(DynaQ(grid, rng=rng, epsilon=Constant(1.0), gamma=0.9)))
        rng = np.random.default_rng(seed)
        rates = {"alpha": Constant(0.5), "epsilon": Constant(1.0)}
        learned.append(good_after(QLearning(grid, rng=rng, gamma=0.9, **rates)))  # type: ignore[arg-type]
    assert 3 * max(planned) < min(learned), (planned, learned)


class _Numbered(Gridworld):
    """The world with its states by number, as `Toy` gives them."""

    def __init__(self) -> None:
        super().__init__(WORLD.shape)

    def index(self, state: Encoding) -> int:
        return state[0]

    def state(self, index: int) -> Encoding:
        return (index,)

    def move(self, state: Encoding, action: int) -> Encoding:
        return (WORLD.index(WORLD.move(WORLD.state(state[0]), action)),)

    def action_mask(self, state: Encoding) -> NDArray[np.int8]:
        return WORLD.action_mask(WORLD.state(state[0]))


@pytest.mark.parametrize("options", [{"backups": 0}, {"threshold": 0.0}])
def test_bad_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="backups"):
        DynaQ(WORLD, rng=np.random.default_rng(0), epsilon=Constant(0.1), **options)  # type: ignore[arg-type]
