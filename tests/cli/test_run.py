"""`rldf run`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rldf.cli.main import app
from rldf.cli.run import headline
from rldf.runs.folder import RunFolder
from rldf.runs.records import Step

COMMAND = ["rldf", "search", "a dog.png"]


def make_run(root: Path) -> Path:
    path = root / "dog"
    with RunFolder.create(path, {"agent": "q"}, COMMAND, seed=3) as run:
        for number, reward in enumerate([0.0, 2.0, 1.0], start=1):
            run.append(
                Step(
                    step=number,
                    episode=1,
                    encoding=(number, 0),
                    sentence=f"a photo of [red]{number}",
                    action=1,
                    reward=reward,
                    distance=None,
                    new=True,
                    renders=number,
                    terminal=False,
                    seed=0,
                )
            )
        run.finish("interrupted", {"best": {"sentence": "a photo of [red]2"}})
    return path


def run_cli(*words: str) -> str:
    result = CliRunner().invoke(app, ["run", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_show_tells_what_was_found_and_how_to_go_on(tmp_path: Path) -> None:
    path = make_run(tmp_path)
    lines = run_cli("show", str(path)).splitlines()
    assert "status    interrupted" in lines
    assert "steps     3 in 1 episode, 3 renders" in lines
    assert "best      a photo of [red]2 (reward 2)" in lines
    assert lines[-1] == f"resume    rldf search 'a dog.png' --out {path} --resume"


def test_show_json_holds_the_record_and_the_best_step(tmp_path: Path) -> None:
    shown = json.loads(run_cli("show", str(make_run(tmp_path)), "--json"))
    assert (shown["status"], shown["seed"], shown["steps"]) == ("interrupted", 3, 3)
    assert shown["best"]["encoding"] == [2, 0]


def test_list_tells_of_each_run_and_of_damaged_ones(tmp_path: Path) -> None:
    make_run(tmp_path)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    listed = {
        Path(run["path"]).name: run for run in json.loads(run_cli("list", str(tmp_path), "--json"))
    }
    assert listed["dog"]["status"] == "interrupted"
    assert listed["broken"]["status"] == "damaged"
    assert listed["broken"]["problem"]
    assert "a photo of [red]2" in run_cli("list", str(tmp_path))


def test_list_says_when_there_is_none(tmp_path: Path) -> None:
    assert run_cli("list", str(tmp_path / "none")) == f"no runs in {tmp_path}/none\n"
    assert json.loads(run_cli("list", str(tmp_path / "none"), "--json")) == []


@pytest.mark.parametrize("result", [None, {"best": None}])
def test_a_run_that_found_nothing_yet_says_so(result):
    assert headline({"result": result, "problem": None}) == "-"
