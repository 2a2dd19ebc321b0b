"""`rldf bench table3` as a user types it."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rldf.pocket.world.drawing import draw

ROOT = Path(__file__).parents[2]
SMALL, DRAWN = (
    ROOT / "tests" / "experiments" / "bench" / "small.yaml",
    ROOT / "tests" / "drawn.yaml",
)
BENCH = (
    "bench", "table3", "--grammar", SMALL, "--models", DRAWN, "-n", 2, "--seeds", 2,
    "--renders", 12, "--steps", 30, "--agents", "q,planner", "--rewards", "multi,clip",
    "--processes", 1,
)  # fmt: skip


def test_a_bench_gives_rows_a_table_plots_and_a_page(call):
    code, out, err = call(*BENCH, "--out", "b", "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    rows = document["rows"]
    assert (document["out"], document["warnings"]) == ("b", [])
    assert [(row["agent"], row["reward"], row["epsilon"]) for row in rows] == [
        ("q", "multi", "0.01"), ("q", "multi", "0.1"), ("q", "clip", "0.01"), ("q", "clip", "0.1"),
        ("planner", "multi", None), ("planner", "clip", None),
    ]  # fmt: skip
    assert all(row["runs"] == 4 and row["regret"] >= 0 for row in rows)
    with Path("b/table.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [float(row["rate"]) for row in table] == [row["rate"] for row in rows]
    assert {"multi.png", "clip.png", "table3.html"} <= {p.name for p in Path("b").iterdir()}
    assert "Wilson" in Path("b/table3.html").read_text()


def test_the_same_command_runs_only_what_is_left(call):
    assert call(*BENCH, "--out", "b", "--json")[0] == 0
    runs = Path("b/runs.jsonl")
    lines = runs.read_bytes().splitlines(keepends=True)
    whole = json.loads(call(*BENCH, "--out", "b", "--json")[1])
    assert runs.read_bytes() == b"".join(lines)
    runs.write_bytes(b"".join(lines[2:]) + lines[0][:30])  # two lost, one torn
    again = json.loads(call(*BENCH, "--out", "b", "--json")[1])
    assert again == whole
    assert sorted(runs.read_bytes().splitlines(keepends=True)) == sorted(lines)


def test_another_bench_is_refused(call):
    short = (*BENCH, "--agents", "q", "--seeds", 1, "--out", "b")
    assert call(*short)[0] == 0
    code, out, err = call(*short, "--gain")
    assert (code, out) == (2, "")
    assert "gain: false there, true here" in err


def test_a_grammar_that_was_edited_is_another_bench(call):
    mine = Path("mine.yaml")
    mine.write_text(SMALL.read_text())
    short = (*BENCH, "--agents", "q", "--seeds", 1, "--grammar", mine, "--out", "b")
    assert call(*short)[0] == 0
    mine.write_text(SMALL.read_text().replace("text: a park", "text: the park"))
    code, _, err = call(*short)
    assert code == 2
    assert "another configuration" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--agents", "nobody"), "'nobody' is not one of the agents"),
        (("--agents", ""), "--agents : name one or more"),
        (("--epsilons", "2"), "--epsilon 2: give a number from 0 to 1"),
        (("--rewards", "money"), "no reward 'money'"),
        (("--renders", "3"), "--renders 3 is less than one batch"),
        (("--images", "nowhere"), "nowhere is not there: give a folder of images"),
        (("--grammar", "paper"), "name a folder of images with --images"),
        (("--grammar", "pocket", "--processes", "2"), "leave --processes out"),
    ],
)
def test_bad_input_is_one_line(call, words, told):
    code, out, err = call(*BENCH, *words, "--out", "b")
    assert (code, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1
    assert not Path("b").exists()


def test_a_killed_bench_leaves_no_process_and_goes_on(call, tmp_path):
    words = [*map(str, BENCH[:-1]), "2", "--seeds", "40", "--out", "b", "--json"]
    child = subprocess.Popen(
        [sys.executable, "-m", "rldf", *words],
        env={**os.environ, "RLDF_CACHE": str(tmp_path / "cache")},
        stdout=subprocess.DEVNULL,
    )
    runs = Path("b/runs.jsonl")
    while not (runs.exists() and runs.stat().st_size):
        assert child.poll() is None
        time.sleep(0.1)
    workers = _children(child.pid)
    child.send_signal(signal.SIGKILL)
    child.wait()
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline, "a worker outlives its parent"
        time.sleep(0.1)
    code, out, _ = call(*words)
    assert code == 0
    assert all(row["runs"] == 80 for row in json.loads(out)["rows"])


def _children(pid):
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("names", [("train", "Valid"), ("Training", "test")])
def test_images_are_taken_from_all_classes_of_a_folder_in_turns(call, names):
    for n, noun in enumerate(("dog", "zebra")):
        for split in names:
            folder = Path("real", split, noun)
            folder.mkdir(parents=True)
            for k in range(2):
                sentence = f"a photo of one {noun} and no people in a park"
                draw(sentence, 10**12 + 10 * n + k).image.save(folder / f"{k}.png")
    Path("real", "figures").mkdir()
    draw("a photo of one dog and no people in a park", 10**12).image.save("real/figures/a.png")
    words = [*BENCH, "--images", "real", "--agents", "planner", "--rewards", "multi", "--seeds", 1]
    code, _, err = call(*words, "--out", "b", "--json")
    assert code == 0, err
    assert "the images in figures are left out" in err
    told = json.loads(Path("b", "manifest.json").read_text())["config"]
    assert len({name.split("/")[1] for name in told["images"]}) == 2


EPISODES = (*BENCH[:10], "--steps", 30, "--agents", "q,dyna-q", "--rewards", "multi", "--epsilons",
            "0.1", "--processes", 1, "--episodes", 5)  # fmt: skip


def test_learning_curves_count_the_steps_of_each_episode(call):
    code, out, err = call(*EPISODES, "--out", "b", "--json")
    assert (code, err) == (0, "")
    rows = json.loads(out)["episodes"]
    assert [(row["agent"], row["episode"]) for row in rows] == [
        (agent, n) for agent in ("q", "dyna-q") for n in range(1, 6)
    ]
    assert all(row["runs"] == 4 and 1 <= row["steps_mean"] <= 30 for row in rows)
    assert all(row["steps_low"] <= row["steps_mean"] <= row["steps_high"] for row in rows)
    runs = [run for line in Path("b/runs.jsonl").read_text().splitlines()
            for run in json.loads(line)["runs"] if run["trial"]["agent"] == "q"]  # fmt: skip
    for row in rows[:5]:
        steps = [run["episode_steps"][row["episode"] - 1] for run in runs]
        assert row["reached"] == sum(count is not None for count in steps)
        assert row["steps_mean"] == pytest.approx(sum(30 if s is None else s for s in steps) / 4)
    with Path("b/episodes.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 10
    assert Path("b/episodes-multi.png").stat().st_size > 5000
    assert "Learning curves" in Path("b/table3.html").read_text()


def test_agents_that_learn_nothing_over_episodes_are_refused(call):
    code, out, err = call(*EPISODES, "--agents", "planner", "--out", "b")
    assert (code, out) == (2, "")
    assert "--stop episodes: agent planner" in err
