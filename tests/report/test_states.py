"""Tests of rldf.report.states."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rldf.report.states import by_reward, thinned, visited_states
from rldf.runs.records import best_step
from tests.report.runs import GOAL, step

COLUMNS = st.lists(st.integers(0, 99), min_size=1, max_size=150)


def test_states_are_distinct_and_in_order_of_first_visit() -> None:
    states = visited_states([step(1, 5), step(2, 4), step(3, 5), step(4, 3)])
    assert [s.encoding for s in states] == [(0, 5), (0, 4), (0, 3)]
    assert [s.visits for s in states] == [2, 1, 1]
    assert [s.first for s in states] == [1, 2, 4]


def test_the_best_comes_first_and_the_earliest_of_equals() -> None:
    states = by_reward(visited_states([step(1, 4), step(2, 2), step(3, 3)]), GOAL)
    assert [s.encoding[1] for s in states] == [3, 4, 2]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), min_size=1, max_size=30))
def test_the_first_state_is_that_of_the_best_step(walk: list[tuple[int, int]]) -> None:
    """Also where one cell earns differently each time, as with dynamic seeds."""
    steps = [
        replace(step(i, column), reward=float(reward))
        for i, (column, reward) in enumerate(walk, start=1)
    ]
    for goal in (GOAL, None):
        assert by_reward(visited_states(steps), goal)[0].best == best_step(steps, goal)


def test_the_goal_is_known_by_its_cell_or_by_its_distance() -> None:
    (here,), (away,), (unknown,) = (
        visited_states([step(1, column, goal=known)])
        for column, known in ((3, True), (4, True), (3, False))
    )
    assert here.is_goal(None) and here.is_goal(GOAL)
    assert not away.is_goal(None) and not away.is_goal(GOAL)
    assert not unknown.is_goal(None) and unknown.is_goal(GOAL)


@given(COLUMNS, st.integers(4, 40))
def test_thinning_keeps_the_ends_the_best_and_the_goal(columns: list[int], limit: int) -> None:
    states = visited_states(step(i, c) for i, c in enumerate(columns, start=1))
    chosen = thinned(states, GOAL, limit)
    assert len(chosen) <= limit
    assert len(chosen) >= min(len(states), limit - 2)
    assert [s for s in states if s in chosen] == chosen
    for kept in (states[0], states[-1], by_reward(states, GOAL)[0]):
        assert kept in chosen
    assert [s for s in chosen if s.is_goal(GOAL)] == [s for s in states if s.is_goal(GOAL)]


def test_thinning_leaves_no_wide_gap() -> None:
    states = visited_states(step(i + 1, i) for i in range(200))
    firsts = [s.first for s in thinned(states, None, 40)]
    assert max(b - a for a, b in pairwise(firsts)) <= 6
