"""Episodes that end at the goal, the greedy policy after them, and unrealistic images as ends."""

import itertools
import json
import random
from collections import Counter

import numpy as np
import pytest

from rldf.agents.q_learning import QLearning
from rldf.errors import UsageError
from rldf.runs.config import SearchConfig, budget_of
from rldf.runs.folder import load_run
from rldf.runs.greedy import value_axes
from rldf.runs.records import upgraded
from tests.runs.test_loop import GOAL, GRAMMAR, Crash, color, run, without_time

EPISODES = {"stop": "episodes", "episodes": 6, "renders": 3000, "steps": 60, "reward": color}


@pytest.mark.parametrize("agent", ["q", "sarsa", "dyna-q", "random"])
def test_as_many_episodes_are_run_as_asked_and_each_ends_at_the_goal(tmp_path, agent):
    result, made = run(tmp_path / "r", agent=agent, **EPISODES)
    assert (result["ended"], result["episodes"]) == ("episodes", 6)
    steps = load_run(tmp_path / "r").steps()
    counts = Counter(step.episode for step in steps)
    assert result["steps_per_episode"] == [counts[n] for n in range(1, 7)]
    for _, group in itertools.groupby(steps, key=lambda step: step.episode):
        *before, last = group
        assert all(step.encoding != GOAL and not step.terminal for step in before)
        assert last.terminal == (last.encoding == GOAL)
        assert last.terminal or len(before) == 59
    assert (made.agent.steps if agent != "random" else len(steps)) == len(steps)


@pytest.mark.parametrize("agent", ["q", "sarsa", "dyna-q"])
def test_episodes_are_resumed_where_they_were_killed(tmp_path, agent):
    whole, _ = run(tmp_path / "whole", agent=agent, **EPISODES)
    broken, chance = tmp_path / "broken", random.Random(3)
    with pytest.raises(Crash):
        run(broken, crash_at=chance.randrange(25, whole["steps"]), agent=agent, **EPISODES)
    again, _ = run(broken, resume=True, agent=agent, **EPISODES)
    assert without_time(again) == without_time(whole)
    for name in ("steps.jsonl", "values.json"):
        assert (broken / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_the_greedy_policy_follows_the_table_from_the_starts_asked_for(tmp_path):
    result, made = run(tmp_path / "r", agent="dyna-q", **EPISODES, rollouts=7)
    greedy = result["greedy"]
    assert greedy["starts"] == len(greedy["rollouts"]) == 7
    world = made.environment.world
    for rollout in greedy["rollouts"]:
        path = [tuple(cell) for cell in rollout["path"]]
        for before, after in itertools.pairwise(path):
            action = made.agent.greedy_action(before, world.action_mask(before))
            assert world.move(before, action) == after
        assert (rollout["ended"] == "goal") == (path[-1] == GOAL)
        known = [made.environment.known_reward(cell) for cell in path[1:]]
        assert rollout["return"] == (None if None in known else pytest.approx(sum(known)))
    reached = sum(rollout["ended"] == "goal" for rollout in greedy["rollouts"])
    assert greedy["success_rate"] == reached / 7
    assert greedy["success_ci"][0] <= reached / 7 <= greedy["success_ci"][1]


def test_without_a_goal_success_is_not_known(tmp_path):
    result, _ = run(tmp_path / "r", agent="q", goal=None, renders=30)
    assert (result["greedy"]["reached"], result["greedy"]["success_rate"]) == (None, None)


def test_no_image_is_drawn_for_the_greedy_policy(tmp_path):
    result, made = run(tmp_path / "r", agent="q", renders=25, reward=color)
    assert len(made.environment._generator.asked) == result["renders"] == 25


def test_the_value_map_is_the_best_value_of_each_cell_and_unknown_where_nothing_was_tried(tmp_path):
    _, made = run(tmp_path / "r", agent="q", **EPISODES)
    values = json.loads((tmp_path / "r" / "values.json").read_text())
    assert (values["axes"], values["held_at"]) == (["Noun", "Scene"], "goal")
    assert set(values["held"]) == {axis.symbol for axis in GRAMMAR.axes} - {"Noun", "Scene"}
    assert values["mark"] == [GOAL[1], GOAL[3]]
    table, world = made.agent.q, made.environment.world
    for row, column in itertools.product(range(GRAMMAR.shape[1]), range(GRAMMAR.shape[3])):
        state = (GOAL[0], row, GOAL[2], column)
        index, legal = world.index(state), np.flatnonzero(world.action_mask(state))
        tried = table.visits(index).any()
        wanted = pytest.approx(table.row(index)[legal].max(), abs=1e-4) if tried else None
        assert values["values"][row][column] == wanted


@pytest.mark.parametrize(("gamma", "factor"), [(0.9, 10.0), (0.5, 2.0)])
def test_an_episode_that_ends_at_the_goal_is_worth_staying_there(
    tmp_path, monkeypatch, gamma, factor
):
    """Else an agent learns to walk beside the goal and never to enter it."""
    seen, learn = [], QLearning.update

    def update(agent, transition):
        seen.append(transition)
        learn(agent, transition)

    monkeypatch.setattr(QLearning, "update", update)
    options = EPISODES | {"steps": 600, "episodes": 8, "renders": 5000}
    run(tmp_path / "r", agent="q", gamma=gamma, epsilon="1", **options)
    steps = load_run(tmp_path / "r").steps()
    ends = [(t, s) for t, s in zip(seen, steps, strict=True) if s.terminal]
    assert ends
    for transition, step in ends:
        assert (transition.reward, transition.continues) == (
            pytest.approx(factor * step.reward), 0.0,
        )  # fmt: skip
    assert all(t.reward == s.reward for t, s in zip(seen, steps, strict=True) if not s.terminal)


def test_unrealistic_images_end_an_episode_and_do_so_again_after_resuming(tmp_path):
    def dark(images):
        return [bool(np.asarray(image, float)[0, 0].sum() % 5 == 0) for image in images]

    options = {"agent": "q", "renders": 60, "steps": 40, "reward": color, "is_terminal": dark}
    whole, _ = run(tmp_path / "whole", **options)
    steps = load_run(tmp_path / "whole").steps()
    ended = [step for step in steps if step.terminal and step.encoding != GOAL]
    assert ended
    for before, after in itertools.pairwise(steps):
        if before.terminal:
            assert after.episode == before.episode + 1
    with pytest.raises(Crash):
        run(tmp_path / "broken", crash_at=30, **options)
    again, _ = run(tmp_path / "broken", resume=True, **options)
    assert without_time(again) == without_time(whole)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"stop": "never"}, "--stop never: give goal, budget, episodes"),
        ({"stop": "episodes", "agent": "planner"}, "--stop episodes: agent planner"),
        ({"stop": "episodes", "agent": "gradient"}, "--stop episodes: agent gradient"),
        ({"agent": "planner", "rollouts": 3}, "--rollouts: agent planner"),
        ({"agent": "random", "value_axes": "Noun,Scene"}, "--value-axes: agent random"),
        ({"agent": "q", "rollouts": -1}, "--rollouts -1: give 0 or more"),
    ],
)
def test_unclear_combinations_are_refused_in_one_line(options, told):
    with pytest.raises(UsageError, match=told) as refusal:
        SearchConfig.of(image="x.png", **options)
    assert "\n" not in str(refusal.value)


def test_the_bounds_follow_from_the_stop_rule():
    assert budget_of("goal", None, None, 200) == {"renders": 200, "episodes": 50}
    assert budget_of("episodes", None, 20, 30, 2) == {"renders": 1200, "episodes": 20}
    assert budget_of("episodes", 90, 20, 30) == {"renders": 90, "episodes": 20}
    with pytest.raises(UsageError, match="add --episodes"):
        budget_of("episodes", None, None, 30)


@pytest.mark.parametrize("asked", ["Noun", "Noun,Noun", "Noun,Colour", "Noun,Scene,People"])
def test_a_value_map_needs_two_axes_of_the_grammar(asked):
    with pytest.raises(UsageError, match="--value-axes"):
        value_axes(GRAMMAR, asked)


def test_the_configuration_of_an_older_run_is_read_as_this_version_writes_it():
    old = {"agent": "q", "alpha": "0.5", "batch": 4, "stop_at_goal": False, "renders": 9}
    new = {"agent": "q", "options": {"alpha": "0.5"}, "stop": "budget", "renders": 9,
           "rollouts": 20, "value_axes": None, "end_unrealistic": False}  # fmt: skip
    assert upgraded(old, new) == new
    assert upgraded(new, new) == new
