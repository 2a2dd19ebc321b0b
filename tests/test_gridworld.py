"""Tests of rldf.gridworld."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rldf.grammar.encoding import Encoding
from rldf.gridworld import Gridworld

WORLDS = st.lists(st.integers(1, 6), min_size=1, max_size=5).map(lambda n: Gridworld(tuple(n)))


@st.composite
def places(draw: st.DrawFn) -> tuple[Gridworld, Encoding]:
    """Draw a world and one of its states."""
    world = draw(WORLDS)
    return world, world.state(draw(st.integers(0, world.n_states - 1)))


def shortest_paths(world: Gridworld, start: Encoding) -> dict[Encoding, int]:
    """Count the steps to every state by breadth-first search over moves."""
    steps, queue = {start: 0}, deque([start])
    while queue:
        state = queue.popleft()
        for action in range(world.n_actions):
            moved = world.move(state, action)
            if moved not in steps:
                steps[moved] = steps[state] + 1
                queue.append(moved)
    return steps


def test_actions_go_down_and_up_each_axis() -> None:
    """Action 2i is a step down axis i, action 2i + 1 a step up."""
    world = Gridworld((5, 5, 5))
    moved = [world.move((2, 2, 2), action) for action in range(world.n_actions)]
    assert moved == [(1, 2, 2), (3, 2, 2), (2, 1, 2), (2, 3, 2), (2, 2, 1), (2, 2, 3)]


def test_moves_off_the_edge_stay() -> None:
    """An illegal move leaves the state as it is."""
    world = Gridworld((3, 2))
    assert [world.move((0, 1), action) for action in (0, 3)] == [(0, 1), (0, 1)]


def test_mask_of_a_corner() -> None:
    """The mask is Gymnasium's: int8, 1 for each action that stays on the grid."""
    mask = Gridworld((3, 2, 1)).action_mask((0, 1, 0))
    assert np.dtype(np.int8) == mask.dtype
    assert mask.tolist() == [0, 1, 1, 0, 0, 0]


@given(places())
def test_mask_marks_the_moves_that_move(place: tuple[Gridworld, Encoding]) -> None:
    """An action is legal if and only if it changes the state."""
    world, state = place
    moves = [world.move(state, action) != state for action in range(world.n_actions)]
    assert moves == world.action_mask(state).astype(bool).tolist()


@given(places())
def test_a_legal_move_can_be_taken_back(place: tuple[Gridworld, Encoding]) -> None:
    """The other action of the same axis undoes a legal move."""
    world, state = place
    for action in np.flatnonzero(world.action_mask(state)):
        assert state == world.move(world.move(state, int(action)), int(action) ^ 1)


@given(places())
def test_neighbours_are_one_step_away(place: tuple[Gridworld, Encoding]) -> None:
    """The neighbours are exactly the states at distance 1."""
    world, state = place
    at_one = {other for other in world.states() if world.distance(state, other) == 1}
    found = world.neighbours(state)
    assert (at_one, len(at_one)) == (set(found), len(found))


@given(places())
def test_distance_is_the_length_of_a_shortest_path(place: tuple[Gridworld, Encoding]) -> None:
    """The L1 distance counts the fewest steps, and every state can be reached."""
    world, state = place
    distances = {other: world.distance(state, other) for other in world.states()}
    assert shortest_paths(world, state) == distances


@given(WORLDS)
def test_states_come_in_the_order_of_their_numbers(world: Gridworld) -> None:
    """The states are all there, once each, and `index` and `state` undo each other."""
    states = list(world.states())
    assert list(range(world.n_states)) == [world.index(state) for state in states]
    assert states == [world.state(index) for index in range(world.n_states)]


@given(places())
def test_index_is_numpys(place: tuple[Gridworld, Encoding]) -> None:
    """A state's number is its place in a numpy array of the grid's shape."""
    world, state = place
    assert int(np.ravel_multi_index(state, world.shape)) == world.index(state)


def test_numbers_past_64_bits_are_exact() -> None:
    """A grid of 10^24 states has its last state numbered 10^24 - 1, and finds it again."""
    world = Gridworld(tuple(np.full(12, 100)))
    corner = (99,) * 12
    assert (world.n_states, world.index(corner)) == (10**24, 10**24 - 1)
    assert corner == world.state(10**24 - 1)


def test_random_states_are_uniform() -> None:
    """Every state is drawn about equally often."""
    world, rng = Gridworld((2, 3)), np.random.default_rng(0)
    counts = np.bincount([world.index(world.random_state(rng)) for _ in range(6000)], minlength=6)
    assert (np.abs(counts - 1000) < 100).all()  # 3.5 standard deviations


def test_random_states_follow_the_generator() -> None:
    """The same generator draws the same states."""
    world = Gridworld((9, 9, 9))
    draws = [
        [world.random_state(rng) for _ in range(5)] for rng in map(np.random.default_rng, (3, 3))
    ]
    assert draws[0] == draws[1]


@pytest.mark.parametrize("shape", [(), (0,), (3, -1), (2.0,)])
def test_bad_shapes_are_refused(shape: tuple[int, ...]) -> None:
    """A grid needs an axis, and each axis a value."""
    with pytest.raises(ValueError, match="shape"):
        Gridworld(shape)


@pytest.mark.parametrize("state", [(), (0,), (0, 0, 0), (3, 0), (0, -1), (0.5, 0)])
def test_bad_states_are_refused(state: Encoding) -> None:
    """A state off the grid is an error in every question about it."""
    world = Gridworld((3, 2))
    questions = (
        world.action_mask,
        world.neighbours,
        world.index,
        lambda s: world.move(s, 0),
        lambda s: world.distance(s, (0, 0)),
        lambda s: world.distance((0, 0), s),
    )
    for question in questions:
        with pytest.raises(ValueError, match="state"):
            question(state)


@pytest.mark.parametrize("action", [-1, 4, 0.0])
def test_bad_actions_are_refused(action: int) -> None:
    """An action that the grid does not have is an error."""
    with pytest.raises(ValueError, match="actions 0 to 3"):
        Gridworld((3, 2)).move((0, 0), action)


@pytest.mark.parametrize("index", [-1, 6, 0.0])
def test_bad_indices_are_refused(index: int) -> None:
    """A number that no state has is an error."""
    with pytest.raises(ValueError, match="states 0 to 5"):
        Gridworld((3, 2)).state(index)


def test_a_path_is_a_shortest_walk_of_legal_actions() -> None:
    """Between all pairs of states of a small grid, itself to itself included."""
    world = Gridworld((3, 4, 2))
    for a in world.states():
        for b in world.states():
            state, path = a, world.path(a, b)
            for action in path:
                assert world.action_mask(state)[action]
                state = world.move(state, action)
            assert state == b
            assert len(path) == (world.distance(a, b) if a != b else 2)


def test_a_single_state_has_no_walk_back_to_itself() -> None:
    """There is nowhere to go."""
    with pytest.raises(ValueError, match="no action is legal"):
        Gridworld((1, 1)).path((0, 0), (0, 0))
