"""`rldf search --axes`: fewer axes, the others held."""

import json
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "dog-in-park.png"
DRAWN = ROOT / "tests" / "drawn.yaml"


def searched(call, *words):
    code, out, err = call("search", *words, "--models", DRAWN, "--json", "--out", "run")
    assert code == 0, err
    record = json.loads(Path("run/run.json").read_text())
    rows = [json.loads(line) for line in Path("run/steps.jsonl").read_text().splitlines()]
    return json.loads(out), record["config"], rows


def test_only_the_named_axes_are_walked_and_the_run_says_so(call):
    words = [EXAMPLE, "--axes", "Scene, Noun", "--agent", "planner", "--renders", 12]
    told, config, rows = searched(call, *words, "--warm-start", "--continue")
    assert told["goal"]["sentence"] == "a photo of one dog and no people in a park"
    assert told["goal_reached"]
    assert rows[0]["sentence"] == told["goal"]["sentence"]
    assert config["axes"] == "Noun,Scene"
    values = config["grammar_values"]
    assert (values["Frequency"], values["Density"]) == (["one"], ["no"])
    assert (len(values["Noun"]), len(values["Scene"])) == (10, 8)
    assert all("a photo of one " in row["sentence"] for row in rows)
    assert all(" and no people " in row["sentence"] for row in rows)
    assert len({row["sentence"] for row in rows}) == 12
    assert Path("run/report.html").stat().st_size > 1000
    words[2] = "Noun,Scene"  # the same axes
    same = ["--warm-start", "--continue", "--models", DRAWN, "--out", "run"]
    code, _, err = call("search", *words, *same)
    assert (code, "type --resume to go on with it" in err) == (2, True), err


@pytest.mark.parametrize("agent", ["planner", "q"])
def test_an_image_without_a_goal_is_searched_by_clip(call, tmp_path, agent):
    path = tmp_path / "grey.png"
    Image.new("RGB", (128, 128), (90, 90, 90)).save(path)
    words = [path, "--grammar", "pocket", "--axes", "Noun,Weather", "--renders", 12]
    told, config, rows = searched(call, *words, "--reward", "clip", "--agent", agent)
    assert told["goal"] is None
    assert told["goal_reached"] is None
    assert config["grammar_values"]["Companion"] == ["nothing"]
    assert {tuple(row["encoding"][:2]) for row in rows} == {(0, 0)}


@pytest.mark.parametrize(
    ("axes", "told"),
    [
        ("", "--axes '' names no axis: give some of Frequency,Noun,Density,Scene, each once"),
        ("Noun,Noun", "--axes 'Noun,Noun' names Noun twice"),
        ("Nuon", "grammar base has no axis 'Nuon'; it has: Frequency, Noun, Density, Scene"),
    ],
)
def test_what_is_no_choice_of_axes_is_refused_before_anything_is_loaded(call, axes, told):
    code, out, err = call("search", EXAMPLE, "--axes", axes)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {told}")
    assert err.count("\n") == 1
    assert list(Path.cwd().iterdir()) == []
