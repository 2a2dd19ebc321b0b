"""What is run for Table 3, and how its rows are summed up."""

from dataclasses import replace

import pytest

from rldf.errors import ConfigError, UsageError
from rldf.experiments.bench.episodes import curves
from rldf.experiments.bench.measures import distances
from rldf.experiments.bench.starts import COLUMNS as START_COLUMNS
from rldf.experiments.bench.starts import by_start
from rldf.experiments.bench.table3 import COLUMNS, Plan, table
from rldf.experiments.bench.trial import Outcome, Trial


def plan(**changes):
    usual = {"agents": ("q", "planner"), "rewards": ("multi",), "epsilons": ("0.01", "0.1")}
    return Plan(**usual | {"images": 2, "seeds": 3} | changes)


def test_an_agent_without_epsilon_is_run_once():
    groups = plan().groups()
    assert {(group[0].agent, group[0].epsilon) for group in groups} == {
        ("q", "0.01"), ("q", "0.1"), ("planner", None),
    }  # fmt: skip
    assert all(len(group) == 3 for group in groups)
    trials = [trial for group in groups for trial in group]
    assert len(set(trials)) == len(trials) == 3 * 2 * 3


def test_what_cannot_be_run_is_refused():
    with pytest.raises(UsageError, match=r"--agents q,q: name one or more, each once"):
        plan(agents=("q", "q"))
    with pytest.raises(UsageError, match=r"--rewards : name one"):
        plan(rewards=())
    with pytest.raises(ConfigError, match=r"'nobody' is not one of the agents"):
        plan(agents=("nobody",))


def outcome(agent, reached, best, walked):
    return Outcome(
        trial=Trial(agent=agent, reward="multi", epsilon=None, image=0, seed=0),
        reached=reached,
        renders=20,
        steps=len(walked),
        distances=distances(walked),
        fine=3,
        coarse=4,
        best=((1, 0.0), (5, best)),
        optimum=2.0,
    )


def test_rows_are_means_over_the_runs_of_a_setting():
    rows = table(
        [
            outcome("planner", 10, 2.0, [4, 0]),
            outcome("random", None, 1.0, [6, 2]),
            outcome("planner", None, 1.5, [6, 2]),
        ]
    )
    assert [set(row) for row in rows] == [set(COLUMNS)] * 2
    first = rows[0]
    assert (first["agent"], first["runs"], first["reached"], first["rate"]) == (
        "planner",
        2,
        1,
        0.5,
    )
    assert first["ci_low"] < 0.5 < first["ci_high"]
    assert (first["renders_median"], first["renders_q3"]) == (10.0, None)
    assert (first["d_t"], first["d_max"], first["d_min"]) == (1.0, 5.0, 1.0)
    assert (first["f_semantic"], first["c_semantic"]) == (3.0, 4.0)
    assert first["regret"] == pytest.approx(0.25)


def test_success_is_counted_by_the_distance_of_the_start():
    made = [
        replace(outcome("q", reached, 1.0, [4]), start_distance=distance)
        for reached, distance in [(5, 1), (None, 3), (7, 4), (None, None)]
    ]
    rows = by_start(made)
    assert [(r["distance_from"], r["distance_to"], r["reached"], r["runs"]) for r in rows] == [
        (1, 3, 1, 2),
        (4, 6, 1, 1),
    ]
    assert [set(row) for row in rows] == [set(START_COLUMNS)] * 2


def test_an_episode_without_the_goal_counts_as_its_whole_length():
    made = [
        replace(outcome("q", 5, 1.0, [4]), episode_steps=steps)
        for steps in [(10, None, 4), (20, 30, 6)]
    ]
    rows = curves(made, 50)
    assert [(row["steps_mean"], row["reached"], row["runs"]) for row in rows] == [
        (15.0, 2, 2),
        (40.0, 1, 2),
        (5.0, 2, 2),
    ]
    assert rows[0]["steps_low"] < 15.0 < rows[0]["steps_high"]
    assert curves(made[:1], 50)[0]["steps_low"] is None
