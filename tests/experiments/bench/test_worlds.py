"""Worlds drawn whole say what live ones say, in one process and in two."""

from pathlib import Path

import pytest

from rldf.errors import UsageError
from rldf.experiments.bench.goals import drawn_images, read_goals
from rldf.experiments.bench.pool import run_groups
from rldf.experiments.bench.readers import RememberingReaders
from rldf.experiments.bench.table3 import Plan
from rldf.experiments.bench.trial import run_trial
from rldf.experiments.bench.worlds import LiveWorld, draw_whole
from rldf.generators.drawn import DrawnGenerator
from rldf.grammar.grammar import load_grammar
from rldf.models.model_sets import load_model_set
from rldf.runs.config import SearchConfig

HERE = Path(__file__).parent
GRAMMAR = load_grammar(str(HERE / "small.yaml"))
BUDGET = SearchConfig(image="", renders=16, episodes=4, steps=20)


@pytest.fixture(scope="module")
def worlds():
    readers = RememberingReaders(load_model_set(str(HERE.parents[1] / "drawn.yaml")))
    goals = read_goals(drawn_images(GRAMMAR, 2), GRAMMAR, readers)
    parts = (GRAMMAR, DrawnGenerator(), readers, goals, ("multi", "clip"))
    counted = []
    whole = draw_whole(*parts, counted.append)
    assert counted[-1] == GRAMMAR.n_states
    return whole, LiveWorld(*parts)


def trials(*agents):
    plan = Plan(agents=agents, rewards=("multi", "clip"), epsilons=("0.1",), images=2, seeds=2)
    return plan.groups()


def test_a_world_drawn_whole_is_the_live_one(worlds):
    whole, live = worlds
    for group in trials("q", "planner"):
        table, drawn = run_trial(whole, group[0], BUDGET), run_trial(live, group[0], BUDGET)
        assert table.optimum is not None
        assert drawn.optimum is None
        assert (table.reached, table.steps, table.renders) == (
            drawn.reached, drawn.steps, drawn.renders,
        )  # fmt: skip
        assert (table.distances, table.fine, table.coarse) == (
            drawn.distances, drawn.fine, drawn.coarse,
        )  # fmt: skip
        assert [at for at, _ in table.best] == [at for at, _ in drawn.best]
        assert [b for _, b in table.best] == pytest.approx([b for _, b in drawn.best], abs=1e-5)
        assert table.best[-1][1] <= table.optimum + 1e-9


def test_two_processes_find_what_one_finds(worlds):
    groups = trials("random", "planner")
    alone, shared = (list(run_groups(groups, worlds[0], BUDGET, many)) for many in (1, 2))
    assert sorted(alone, key=repr) == sorted(shared, key=repr)


def test_a_run_goes_on_past_the_goal(worlds):
    found = [run_trial(worlds[0], group[0], BUDGET) for group in trials("planner")]
    assert any(outcome.reached is not None for outcome in found)
    assert all(outcome.renders == 16 for outcome in found)


def test_gains_change_what_q_learns_and_leave_the_planner_alone(worlds):
    paid = SearchConfig(
        image="", renders=16, episodes=4, steps=20, agent="q", options={"gain": True}
    )
    for agent, changes in (("q", True), ("planner", False)):
        plain = [run_trial(worlds[0], group[0], BUDGET) for group in trials(agent)]
        gained = [run_trial(worlds[0], group[0], paid) for group in trials(agent)]
        assert (plain != gained) == changes


def test_sentences_that_the_world_cannot_draw_need_images():
    with pytest.raises(UsageError, match=r"grammar paper cannot be drawn here: name a folder"):
        drawn_images(load_grammar("paper"), 2)
