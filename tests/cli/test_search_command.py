"""`rldf search`, `encode` and `pocket` as a user types them, on the shipped models."""

import io
import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from rldf.generators.drawn import DrawnGenerator
from rldf.io.images import read_image

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "dog-in-park.png"
SENTENCE = "a photo of one dog and no people in a park"
DRAWN = ROOT / "tests" / "drawn.yaml"
TAKEN = "models: pocket (no real models are here: see 'rldf models list')\n"


@pytest.mark.parametrize("agent", ["q", "sarsa", "random"])
@pytest.mark.parametrize("reward", ["multi", "partial", "clip"])
def test_all_nine_pairs_of_agent_and_reward_run(call, agent, reward):
    code, out, err = call(
        "search", EXAMPLE, "--agent", agent, "--reward", reward, "--models", DRAWN,
        "--renders", 12, "--json", "--out", "run",
    )  # fmt: skip
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["goal"]["sentence"] == SENTENCE
    assert isinstance(told["goal_reached"], bool)
    assert 1 <= told["renders"] <= 12
    assert told["steps"] >= told["renders"]
    assert told["episodes"] == 1
    assert {"encoding", "sentence", "reward", "image"} == set(told["best"])
    assert Path(told["best"]["image"]).is_file()
    assert told["seconds"] > 0
    assert told["run"] == "run"
    rows = [json.loads(line) for line in Path("run/steps.jsonl").read_text().splitlines()]
    assert len(rows) == told["steps"]
    assert max(row["reward"] for row in rows) == told["best"]["reward"]


def test_a_search_on_the_pocket_pipeline_leaves_a_folder_that_explains_itself(call):
    code, out, err = call("search", EXAMPLE, "--renders", 4, "--steps", 6, "--out", "run")
    assert (code, err) == (0, TAKEN)
    assert SENTENCE in out
    names = {path.name for path in Path("run").iterdir()}
    assert names >= {
        "run.json", "steps.jsonl", "best.png", "trajectory.png", "curves.png", "report.html",
        "input.png", "images", "checkpoint.json",
    }  # fmt: skip
    record = json.loads(Path("run/run.json").read_text())
    assert record["status"] == "done"
    assert record["config"]["models"] == "pocket"
    assert record["model_choice"].startswith("no real models are here")
    assert record["config"]["model_set"]["generator"]["weights"]
    code, out, _ = call("run", "show", "run", "--json")
    assert code == 0
    assert json.loads(out)["result"]["renders"] == 4


def test_a_finished_run_is_refused_and_shows_the_difference(call):
    words = ["search", EXAMPLE, "--models", DRAWN, "--renders", 4, "--out", "run"]
    assert call(*words, "--seed", 1)[0] == 0
    before = Path("run/run.json").read_bytes()
    code, out, err = call(*words, "--seed", 2)
    assert (code, out) == (2, "")
    assert "seed" in err
    assert err.count("\n") == 1
    assert call(*words, "--seed", 2, "--resume")[0] == 2
    assert Path("run/run.json").read_bytes() == before


def test_an_edited_grammar_is_another_configuration(call):
    text = (ROOT / "grammars" / "base.yaml").read_text()
    mine = Path("mine.yaml")
    mine.write_text(text)
    words = ["search", EXAMPLE, "--models", DRAWN, "--grammar", mine, "--renders", 4]
    assert call(*words, "--out", "run")[0] == 0
    assert call(*words, "--out", "run", "--resume")[0] == 0
    edits = [
        ("photo of", "picture of"),
        ("plural: people", "plural: folk"),
        ("labels: [car]", "labels: [cat]"),
    ]
    for old, new in edits:
        assert old in text, old
        mine.write_text(text.replace(old, new))
        code, out, err = call(*words, "--out", "run", "--resume")
        assert (code, out) == (2, ""), old
        assert "grammar_sha256: " in err.splitlines()[-1], old


def test_what_the_device_decides_of_the_pictures_is_part_of_the_configuration(call, monkeypatch):
    """Such as the number format, which a GPU and a CPU do not share."""
    words = ["search", EXAMPLE, "--models", DRAWN, "--renders", 4, "--out", "run"]
    assert call(*words)[0] == 0
    drawn = DrawnGenerator().identity
    monkeypatch.setattr(DrawnGenerator, "identity", {**drawn, "dtype": "float16"})
    code, out, err = call(*words, "--resume")
    assert (code, out) == (2, "")
    assert "drawn_as.dtype" in err


def test_an_edited_part_of_a_reward_is_another_configuration(call):
    part, both = Path("part.yaml"), Path("both.yaml")
    part.write_text("name: part\nclass: partial-semantic\nconstants: {Cs: 1.0}\n")
    both.write_text("name: both\nclass: combined\nparts:\n  - {reward: part.yaml, weight: 0.5}\n")
    words = ["search", EXAMPLE, "--models", DRAWN, "--reward", both, "--renders", 4]
    assert call(*words, "--out", "run")[0] == 0
    part.write_text(part.read_text().replace("1.0", "2.0"))
    code, out, err = call(*words, "--out", "run", "--resume")
    assert (code, out) == (2, "")
    assert "reward_file.parts.0.file.constants.Cs: 1.0 there, 2.0 here" in err


def test_a_run_gets_a_name_of_its_own_though_others_come_while_models_load(call, monkeypatch):
    from rldf.runs import config as search_task
    from rldf.runs.naming import default_out

    build_search = search_task.build_search

    def slow(settings):
        begun = datetime.now()
        task = build_search(settings)
        for seconds in range(-2, 60):
            path = default_out(Path("runs"), str(EXAMPLE), begun + timedelta(seconds=seconds))
            path.mkdir(parents=True)
            (path / "thesis.tex").touch()
        return task

    monkeypatch.setattr("rldf.runs.config.build_search", slow)
    code, out, err = call("search", EXAMPLE, "--models", DRAWN, "--renders", 4, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["run"].endswith("-2")
    assert (Path(json.loads(out)["run"]) / "report.html").is_file()


def test_the_view_of_a_resumed_run_remembers_the_best_of_before():
    from rldf.cli.live import LiveSearch
    from tests.report.runs import GOAL, step

    task = SimpleNamespace(environment=SimpleNamespace(goal=GOAL))
    before = [step(1, 5), step(2, 4)]
    view = LiveSearch(task, before, quiet=True)
    view.show(step(3, 6))
    assert view._best == before[1]
    tie = replace(step(4, 3), reward=before[1].reward)
    view.show(tie)
    assert view._best == tie
    new = LiveSearch(task, [], quiet=True)
    new.show(step(1, 6))
    assert new._best == step(1, 6)


def test_encode_reads_many_files_and_stdin(call, monkeypatch):
    stdin = SimpleNamespace(buffer=io.BytesIO(EXAMPLE.read_bytes()))
    monkeypatch.setattr("sys.stdin", stdin)
    code, out, err = call("encode", EXAMPLE, "-", "--json")
    assert (code, err) == (0, TAKEN)
    first, second = json.loads(out)
    assert first["sentence"] == SENTENCE
    assert first | {"image": "-"} == second
    assert first["objects"][0]["noun"] == "dog"
    assert sum(first["scenes"].values()) <= 1.001


def test_an_image_without_a_goal_works_with_clip_and_is_refused_by_semantic_rewards(call):
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    Image.fromarray(noise).save("noise.png")
    words = ["search", "noise.png", "--models", DRAWN, "--renders", 5, "--json", "--out"]
    code, out, err = call(*words, "one", "--reward", "clip")
    assert code == 0
    assert "looks like a photograph" in err
    told = json.loads(out)
    assert (told["goal"], told["goal_reached"]) == (None, None)
    for reward in ("multi", "partial"):
        code, out, err = call(*words, "two", "--reward", reward)
        assert (code, out) == (2, "")
        assert "--reward clip" in err
    assert not Path("two").exists()


def test_pocket_draw_writes_pictures_and_never_over_others(call):
    code, out, _ = call("pocket", "draw", SENTENCE, "-n", 2, "--seed", 7, "--out", "d", "--json")
    assert code == 0
    paths = json.loads(out)
    assert [read_image(Path(path)).size for path in paths] == [(128, 128)] * 2
    code, _, err = call("pocket", "draw", SENTENCE, "--seed", 8, "--out", "d")
    assert code == 2
    assert "there already" in err
    code, _, err = call("pocket", "draw", "a dragon", "--out", "e")
    assert code == 2
    assert not Path("e").exists()


def test_the_cache_is_told_and_cleared(call):
    assert call("search", EXAMPLE, "--models", DRAWN, "--renders", 4, "--out", "run")[0] == 0
    assert json.loads(call("cache", "info", "--json")[1])["images"] == 4
    assert json.loads(call("cache", "clear", "--json")[1])["removed"] == 4
    assert json.loads(call("cache", "info", "--json")[1])["images"] == 0


def test_penalising_unrealistic_pictures_is_written_down_and_leaves_good_ones_alone(call):
    """The world's own renderer draws nothing unrealistic, so both searches are the same."""
    told = []
    for flags in ([], ["--penalise-unrealistic"]):
        out = f"run{len(flags)}"
        code, *_ = call(
            "search", EXAMPLE, "--models", DRAWN, "--agent", "random", "--renders", 12,
            "--reward", "clip", "--out", out, *flags,
        )  # fmt: skip
        assert code == 0
        told.append(json.loads(Path(out, "run.json").read_text())["config"])
    assert [config["penalise_unrealistic"] for config in told] == [False, True]
    assert [config["unrealistic_below"] for config in told] == [None, 0.72]
    assert Path("run0/steps.jsonl").read_text() == Path("run1/steps.jsonl").read_text()


def test_penalising_needs_a_model_set_that_knows_good_pictures(call, tmp_path):
    mine = tmp_path / "mine.yaml"
    text = DRAWN.read_text().replace("../rldf", str(ROOT / "rldf"))
    mine.write_text(
        "".join(x for x in text.splitlines(True) if not x.startswith("min_clip_similarity"))
    )
    code, out, err = call("search", EXAMPLE, "--models", mine, "--penalise-unrealistic")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "add 'min_clip_similarity: COSINE' to its file" in err


@pytest.mark.parametrize("kind", ["evaluations", "references"])
def test_the_cache_tells_what_else_it_holds(call, tmp_path, kind):
    file = tmp_path / "cache" / kind / "ab" / "x.safetensors"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"0" * 2_000_000)
    assert json.loads(call("cache", "info", "--json")[1])["others"] == {kind: 2_000_000}
    assert f"{kind}: 2.0 MB" in call("cache", "info")[1]
