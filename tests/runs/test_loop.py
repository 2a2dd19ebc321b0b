"""The search: budgets, ends, and going on after a kill."""

import itertools
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rldf import registry as catalog
from rldf import seeding as seeds
from rldf.agents.options import make_agent
from rldf.agents.schedules import parse_alpha, parse_epsilon
from rldf.errors import UsageError
from rldf.grammar.contents import SceneContents
from rldf.grammar.grammar import load_grammar
from rldf.perception.reading import ImageReading, ReadingRecord
from rldf.report import write_report
from rldf.runs.config import Search, SearchConfig
from rldf.runs.env import EncodingGridEnv
from rldf.runs.folder import RunFolder, load_run
from rldf.runs.loop import search
from tests.doubles import PaintedGenerator, picture

ROOT = Path(__file__).parents[2]
GRAMMAR = load_grammar("base")
GOAL = (1, 6, 2, 5)


class Crash(Exception):
    """Stands for a kill: nothing of ours runs after it."""


def task(goal=GOAL, reward=None, is_terminal=None, **options):
    settings = SearchConfig.of(image="dog.png", **options)
    environment = EncodingGridEnv(
        grammar=GRAMMAR,
        generator=PaintedGenerator(),
        reward=reward or (lambda images: np.array([1.0] * len(images))),
        goal=goal,
        image_seed=settings.image_seed,
        image_seeds=settings.image_seeds,
        stop_at_goal=settings.stop != "budget",
        dynamic_seeds=settings.dynamic_seeds,
        is_terminal=is_terminal,
    )
    agent = make_agent(
        settings.agent,
        environment.world,
        seeds.rng(settings.seed, "agent"),
        settings.options,
    )
    seen = SceneContents(objects=(), people=0, people_confidence=1.0, scenes={}, ignored=())
    reading = ImageReading(
        seen=seen,
        encoding=goal,
        nearest=goal or (0, 0, 0, 0),
        sentence=goal and GRAMMAR.derive(goal),
        record=ReadingRecord(axes={}),
        likeness=1,
    )
    return Search(
        settings=settings,
        image=picture(3),
        reading=reading,
        environment=environment,
        agent=agent,
        config={"seed": settings.seed, "image_seed": settings.image_seed},
        hints=(),
    )


def color(images):
    return np.array([np.asarray(image, float)[0, 0] @ (65536, 256, 1) for image in images])


def run(path, crash_at=None, resume=False, **options):
    made = task(**options)

    def watch(step):
        if step.step == crash_at:
            raise Crash

    folder = (
        RunFolder.resume(path, made.config)
        if resume
        else RunFolder.create(path, made.config, ["rldf"], made.settings.seed)
    )
    with folder:
        return search(made, folder, watch), made


def without_time(result):
    return {k: v for k, v in result.items() if k not in ("seconds", "run", "best")} | {
        "best": {k: v for k, v in result["best"].items() if k != "image"}
    }


def test_the_budget_of_unique_renders_ends_it(tmp_path):
    result, made = run(tmp_path / "r", agent="random", renders=15)
    assert (result["ended"], result["renders"]) == ("renders", 15)
    assert len(made.environment._generator.asked) == 15
    assert len(set(made.environment._generator.asked)) == 15


@pytest.mark.parametrize("agent", ["planner", "gradient"])
def test_a_batch_never_overdraws_the_budget(tmp_path, agent):
    result, made = run(tmp_path / "r", agent=agent, renders=15, reward=color)
    assert (result["ended"], result["renders"]) == ("renders", 15)
    assert len(set(made.environment._generator.asked)) == 15
    seen = {step.encoding for step in load_run(tmp_path / "r").steps()}
    assert len(seen) == 15, "a picture was drawn and never seen"


def test_a_planner_sees_batches_and_walks_between_them_by_legal_moves(tmp_path):
    _, made = run(tmp_path / "r", agent="planner", renders=30, goal=None, reward=color)
    world, steps = made.environment.world, load_run(tmp_path / "r").steps()
    assert [step.renders for step in steps[:10]] == [4, 4, 4, 4, 8, 8, 8, 8, 10, 10]
    assert all(step.new for step in steps)
    for before, after in itertools.pairwise(steps):
        assert after.moves == len(world.path(before.encoding, after.encoding))
        assert world.path(before.encoding, after.encoding)[-1] == after.action


def test_the_goal_in_a_batch_ends_the_search_and_the_whole_batch_counts(tmp_path):
    result, _ = run(tmp_path / "r", agent="planner", renders=480, steps=500, reward=color)
    again, _ = run(
        tmp_path / "r", agent="planner", renders=480, steps=500, reward=color, resume=True
    )
    assert result["ended"] == "goal"
    assert result["renders"] >= result["steps"]
    assert without_time(again) == without_time(result)


def test_several_image_seeds_share_the_budget(tmp_path):
    result, made = run(tmp_path / "r", agent="random", renders=20, image_seeds=3, reward=color)
    assert (result["ended"], result["renders"]) == ("renders", 18)
    assert {seed for _, seed in made.environment._generator.asked} == {0, 1, 2}


def test_episodes_and_their_steps_end_it(tmp_path):
    result, _ = run(tmp_path / "r", agent="q", episodes=3, steps=4, renders=1000)
    assert (result["ended"], result["steps"], result["episodes"]) == ("episodes", 12, 3)


def test_the_goal_ends_it_unless_it_goes_on(tmp_path):
    options = {"agent": "random", "renders": 480, "episodes": 50, "steps": 500, "seed": 1}
    result, _ = run(tmp_path / "a", **options)
    assert (result["ended"], result["goal_reached"]) == ("goal", True)
    assert result["goal"]["encoding"] == list(GOAL)
    past, _ = run(tmp_path / "b", **options, stop="budget")
    assert past["goal_reached"] is True
    assert past["ended"] != "goal"
    assert past["steps"] > result["steps"]


def test_without_a_goal_reached_is_unknown_and_distances_are_too(tmp_path):
    result, _ = run(tmp_path / "r", goal=None, renders=5)
    assert result["goal"] is None
    assert result["goal_reached"] is None
    rows = [json.loads(line) for line in (tmp_path / "r" / "steps.jsonl").read_text().splitlines()]
    assert {row["distance"] for row in rows} == {None}


def test_the_best_is_the_highest_reward_and_the_goal_among_equals(tmp_path):
    result, _ = run(tmp_path / "r", agent="random", renders=480, steps=500, seed=1)
    assert result["best"]["encoding"] == list(GOAL)
    assert Path(result["best"]["image"]).is_file()


def test_the_report_shows_the_best_of_the_result_where_rewards_tie(tmp_path):
    result, made = run(tmp_path / "r", agent="random", renders=480, steps=500, seed=1)
    folder = load_run(tmp_path / "r")
    assert folder.steps()[0].encoding != GOAL
    for goal in (made.environment.goal, None):
        write_report(folder, goal)
        shown = (folder.path / "best.png").read_bytes()
        assert shown == Path(result["best"]["image"]).read_bytes()
        page = (folder.path / "report.html").read_text()
        assert f"<title>{result['best']['sentence']}</title>" in page


def test_with_dynamic_seeds_every_step_keeps_the_image_that_it_was_paid_for(tmp_path):
    result, made = run(
        tmp_path / "r", agent="q", dynamic_seeds=True, renders=60, steps=60, reward=color
    )
    folder = load_run(tmp_path / "r")
    steps = folder.steps()
    assert len({step.encoding for step in steps}) < len(steps), "no cell was drawn twice"
    for step in steps:
        with Image.open(folder.image_path(step.encoding, step.seed)) as image:
            assert color([image])[0] == step.reward
    best = max(steps, key=lambda step: step.reward)
    assert result["best"]["image"] == str(folder.image_path(best.encoding, best.seed))
    write_report(folder, made.environment.goal)
    shown = (folder.path / "best.png").read_bytes()
    assert shown == Path(result["best"]["image"]).read_bytes()


def test_the_same_settings_make_the_same_run(tmp_path):
    first, _ = run(tmp_path / "a", renders=40)
    second, _ = run(tmp_path / "b", renders=40)
    assert without_time(first) == without_time(second)
    steps = [(tmp_path / name / "steps.jsonl").read_bytes() for name in "ab"]
    assert steps[0] == steps[1]


@pytest.mark.parametrize("agent", catalog.names("agents"))
@pytest.mark.parametrize("dynamic_seeds", [False, True])
def test_a_crash_at_any_step_changes_nothing_after_resuming(tmp_path, agent, dynamic_seeds):
    options = {
        "agent": agent,
        "dynamic_seeds": dynamic_seeds,
        "renders": 90,
        "steps": 30,
        "reward": color,
    }
    whole, one = run(tmp_path / "whole", **options)
    paid = {step.reward for step in load_run(tmp_path / "whole").steps()}
    assert len(paid) == whole["renders"], "two cells pay the same: a mixed-up reward may not show"
    moments = random.Random(7)
    broken = tmp_path / "broken"
    with pytest.raises(Crash):
        run(broken, crash_at=moments.randrange(1, 19), **options)
    for low in (20, 41, 63):
        with pytest.raises(Crash):
            run(broken, crash_at=moments.randrange(low, low + 19), resume=True, **options)
    resumed, two = run(broken, resume=True, **options)
    assert without_time(resumed) == without_time(whole)
    assert (broken / "steps.jsonl").read_bytes() == (tmp_path / "whole/steps.jsonl").read_bytes()
    tables = [made.agent.state_dict() for made in (one, two)]
    assert tables[0].keys() == tables[1].keys()
    for key in tables[0]:
        assert np.array_equal(tables[0][key], tables[1][key]), key


def test_resuming_a_finished_run_tells_its_result_again(tmp_path):
    first, _ = run(tmp_path / "r", renders=10)
    again, made = run(tmp_path / "r", renders=10, resume=True)
    assert without_time(first) == without_time(again)
    assert made.environment._generator.asked == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("renders", 0), ("episodes", 0), ("steps", -1), ("image_seed", -1), ("image_seed", 2**63)],
)
def test_budgets_that_allow_nothing_are_refused(name, value):
    with pytest.raises(UsageError, match=name.replace("_", "-")):
        SearchConfig.of(image="x.png", **{name: value})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"agent": "planner", "renders": 3}, "--renders 3"),
        ({"agent": "q", "renders": 3, "image_seeds": 4}, "--renders 3"),
        ({"image_seeds": 2, "dynamic_seeds": True}, "--dynamic-seeds"),
        ({"agent": "q", "warm_start": True}, "--warm-start"),
        ({"agent": "planner", "batch": 0}, "--batch"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(options, told):
    with pytest.raises(UsageError, match=told):
        SearchConfig.of(image="x.png", **options)


@pytest.mark.parametrize("text", ["0", "1.5", "nan", "visits:0.5", "visits:2", "visits:x", "fast"])
def test_learning_rates_out_of_range_are_refused(text):
    with pytest.raises(UsageError, match="--alpha"):
        parse_alpha(text)


@pytest.mark.parametrize("text", ["-1", "1.5", "1:2:3", "0.5:0.1", "0.9:0.1:x", "0.9:0.1:0"])
def test_rates_of_exploration_out_of_range_are_refused(text):
    with pytest.raises(UsageError, match="--epsilon"):
        parse_epsilon(text)


def test_schedules_are_read_from_words():
    assert parse_alpha("visits:0.8")(16) == pytest.approx(16**-0.8)
    assert parse_alpha("visits")(4) == pytest.approx(0.25)
    assert parse_epsilon("0.9:0.1:8")(0) == pytest.approx(0.9)
    assert parse_epsilon("0.9:0.1:8")(100) == pytest.approx(0.1)


def program(tmp_path, out, *more):
    command = [
        sys.executable, "-m", "rldf", "search", "examples/dog-in-park.png", "--agent", "sarsa",
        "--renders", "400", "--continue", "--models", str(ROOT / "tests" / "drawn.yaml"),
        "--out", str(out), "--json", *more,
    ]  # fmt: skip
    return start(tmp_path, command)


def start(tmp_path, command):
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"RLDF_CACHE": str(tmp_path / "cache")},
        # a shell may have started us in the background, where Ctrl-C is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def stop(process, folder, moment, how):
    while lines(folder / "steps.jsonl") < moment and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(how)


def test_kill_9_at_a_random_step_and_resume_is_the_uninterrupted_run(tmp_path):
    whole = program(tmp_path, tmp_path / "whole")
    wanted = json.loads(whole.communicate(timeout=300)[0])
    total = wanted["steps"]
    chance = random.SystemRandom().randrange(2**32)
    moment = random.Random(chance).randrange(5, total // 2)
    told = f"killed at step {moment} of {total}, drawn with random.Random({chance})"
    print(told)
    broken = tmp_path / "broken"
    victim = program(tmp_path, broken)
    stop(victim, broken, moment, signal.SIGKILL)
    victim.communicate()
    assert victim.returncode == -signal.SIGKILL, f"the run ended before it was killed; {told}"
    again = program(tmp_path, broken, "--resume")
    out, err = again.communicate(timeout=300)
    assert again.returncode == 0, f"{told}: {err}"
    assert without_time(json.loads(out)) == without_time(wanted), told
    steps = [(tmp_path / name / "steps.jsonl").read_bytes() for name in ("whole", "broken")]
    assert steps[0] == steps[1], told
    agents = [next((tmp_path / name).glob("agent-*.npz")) for name in ("whole", "broken")]
    assert agents[0].read_bytes() == agents[1].read_bytes(), told


def test_ctrl_c_ends_with_130_and_tells_the_line_that_finishes_the_run(tmp_path):
    out = tmp_path / "a run"
    stopped = program(tmp_path, out)
    stop(stopped, out, 30, signal.SIGINT)
    said, err = stopped.communicate(timeout=60)
    assert (stopped.returncode, said) == (130, "")
    assert load_run(out).status == "interrupted"
    (line,) = err.splitlines()
    told, _, command = line.partition(": ")
    assert told == "stopped; go on with"
    name, *words = shlex.split(command)
    assert (name, words[-1]) == ("rldf", "--resume")
    again = start(tmp_path, [sys.executable, "-m", "rldf", *words])
    said, err = again.communicate(timeout=300)
    assert again.returncode == 0, err
    assert load_run(out).status == "done"
    assert json.loads(said)["steps"] == lines(out / "steps.jsonl") > 30
