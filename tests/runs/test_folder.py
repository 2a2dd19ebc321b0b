"""Tests of rldf.runs.folder."""

import dataclasses
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rldf.errors import RunError
from rldf.io.workdir import config_difference
from rldf.runs.folder import RunFolder, list_runs, load_run
from rldf.runs.naming import default_out, new_out, resume_command
from rldf.runs.records import Step, best_step

CONFIG = {"image": "dog.png", "agent": "q", "epsilon": 0.1, "reward": {"class": "clip", "C": 10}}
COMMAND = ["rldf", "search", "dog.png"]
NOON = datetime(2025, 1, 31, 12, 0, 5)

CREATES = """
import sys
from pathlib import Path
from rldf.runs.folder import RunFolder
with RunFolder.create(Path(sys.argv[1]), {"agent": "q"}, ["rldf"], 0):
    print("held", flush=True)
    sys.stdin.read()
"""


def step(number: int = 1, reward: float = 0.5) -> Step:
    return Step(
        step=number,
        episode=1,
        encoding=(1, 4, 0, 2),
        sentence="a photo of one dog",
        action=3,
        reward=reward,
        distance=4,
        new=True,
        renders=number,
        terminal=False,
        seed=0,
    )


def made(path: Path, config: dict[str, object] = CONFIG) -> Path:
    """A run that was left alone after two steps."""
    with RunFolder.create(path, config, COMMAND, seed=3) as run:
        run.append(step(1))
        run.append(step(2))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_new_run_explains_itself(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "deep" / "run", CONFIG, COMMAND, seed=3) as run:
        written = json.loads((run.path / "run.json").read_text())
    assert written["status"] == "running"
    assert written["config"] == CONFIG
    assert written["command"] == COMMAND
    assert written["seed"] == 3
    assert written["result"] is None and written["finished"] is None
    assert {"python", "rldf", "torch", "diffusers", "ultralytics"} <= set(written["versions"])
    assert datetime.fromisoformat(written["started"]).utcoffset() is not None


def test_versions_are_found_without_the_libraries() -> None:
    code = "import sys, rldf.runs.folder; from rldf.io.provenance import versions\n"
    code += "v = versions()\n"
    code += "assert v['torch']; assert not {'torch', 'diffusers', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_steps_are_read_back(tmp_path: Path) -> None:
    assert load_run(made(tmp_path / "run")).steps() == [step(1), step(2)]


@given(
    st.builds(
        Step,
        step=st.integers(1, 10**9),
        episode=st.integers(1, 10**9),
        encoding=st.lists(st.integers(0, 99), min_size=1, max_size=9).map(tuple),
        sentence=st.text(),
        action=st.integers(0, 99),
        reward=st.floats(allow_nan=False, allow_infinity=False),
        distance=st.none() | st.integers(0, 99),
        new=st.booleans(),
        renders=st.integers(0, 10**9),
        terminal=st.booleans(),
        seed=st.integers(0, 2**63 - 1),
    )
)
def test_any_step_is_read_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, any_step: Step
) -> None:
    with RunFolder.create(tmp_path_factory.mktemp("run"), {}, [], seed=0) as run:
        run.append(any_step)
        assert run.steps() == [any_step]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("encoding", ["../.."]),
        ("encoding", [-1]),
        ("encoding", []),
        ("reward", None),
        ("step", 0),
        ("seed", 10**40),
        ("action", None),
    ],
)
def test_a_strangers_step_is_checked(tmp_path: Path, key: str, value: object) -> None:
    run = load_run(made(tmp_path / "run"))
    row = dataclasses.asdict(step(3)) | {key: value}
    with (run.path / "steps.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")
    with pytest.raises(RunError, match=f"line 3 is damaged: {key}"):
        run.steps()


def test_truncation_goes_back_to_a_step(tmp_path: Path) -> None:
    with RunFolder.resume(made(tmp_path / "run"), CONFIG) as run:
        run.truncate(1)
        assert run.steps() == [step(1)]


def test_images_are_kept_by_encoding(tmp_path: Path) -> None:
    image = Image.new("RGB", (8, 8), (1, 2, 3))
    with RunFolder.create(tmp_path / "run", CONFIG, COMMAND, seed=3) as run:
        run.save_input(image)
        path = run.save_image((1, 4, 0, 2), image)
        assert path == run.image_path((1, 4, 0, 2)) == run.path / "images" / "1-4-0-2.png"
        for kept in (path, run.input_path):
            with Image.open(kept) as found:
                assert found.getpixel((0, 0)) == (1, 2, 3)


def test_an_ended_run_holds_its_result(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", CONFIG, COMMAND, seed=3) as run:
        run.finish("done", {"best": {"encoding": (1, 4)}})
    found = load_run(tmp_path / "run")
    assert found.status == "done"
    assert found.record == run.record
    assert found.record.result == {"best": {"encoding": [1, 4]}}
    assert found.record.finished is not None


def test_a_foreign_folder_is_refused_and_left_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(RunError, match=r"not a run \(thesis.tex\): name another --out"):
        RunFolder.create(tmp_path, CONFIG, COMMAND, seed=3)
    assert contents(tmp_path) == {"thesis.tex": b"years of work"}


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("text")
    with pytest.raises(RunError, match="is a file"):
        RunFolder.create(tmp_path / "run", CONFIG, COMMAND, seed=3)
    with pytest.raises(RunError, match="lies in one"):
        RunFolder.create(tmp_path / "run" / "in" / "it", CONFIG, COMMAND, seed=3)
    assert contents(tmp_path) == {"run": b"text"}


def test_a_run_that_is_there_wants_resume(tmp_path: Path) -> None:
    before = contents(made(tmp_path / "run"))
    with pytest.raises(RunError, match=r"holds this run already \(interrupted\): type --resume"):
        RunFolder.create(tmp_path / "run", CONFIG, COMMAND, seed=3)
    assert contents(tmp_path / "run") == before


@pytest.mark.parametrize("again", ["create", "resume"])
def test_another_configuration_is_refused_with_its_difference(tmp_path: Path, again: str) -> None:
    before = contents(made(tmp_path / "run"))
    other = CONFIG | {"agent": "sarsa", "reward": {"class": "clip"}, "gamma": 0.9}
    with pytest.raises(RunError) as refusal:
        if again == "create":
            RunFolder.create(tmp_path / "run", other, COMMAND, seed=3)
        else:
            RunFolder.resume(tmp_path / "run", other)
    message = str(refusal.value)
    assert 'agent: "q" there, "sarsa" here' in message
    assert "gamma: not set there, 0.9 here" in message
    assert "reward.C: 10 there, not set here" in message
    assert "epsilon" not in message and "\n" not in message
    assert contents(tmp_path / "run") == before


@pytest.mark.parametrize(
    ("there", "here"), [(1, 1.0), (1, True), (0, None), ({}, None), ([1], [1, 2]), ("1", 1)]
)
def test_no_difference_is_ignored(there: object, here: object) -> None:
    assert len(config_difference({"a": {"b": there}}, {"a": {"b": here}})) == 1


def test_an_empty_record_is_not_a_missing_one() -> None:
    assert config_difference({"a": {}}, {}) == ["a: {} there, not set here"]


def test_tuples_and_lists_are_one_configuration(tmp_path: Path) -> None:
    made(tmp_path / "run", {"shape": (2, 10)})
    RunFolder.resume(tmp_path / "run", {"shape": [2, 10]}).close()


def test_a_resumed_run_keeps_its_beginning(tmp_path: Path) -> None:
    began = load_run(made(tmp_path / "run")).record
    (tmp_path / "run" / ".rldf-0.tmp").write_text("left by a killed process")
    with RunFolder.resume(tmp_path / "run", CONFIG) as run:
        assert run.status == "running"
        assert run.steps() == [step(1), step(2)]
        assert len(run.record.resumed) == 1
        assert dataclasses.replace(run.record, resumed=()) == began
    assert not (tmp_path / "run" / ".rldf-0.tmp").exists()


def test_there_is_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds no run"):
        RunFolder.resume(tmp_path / "none", CONFIG)
    assert not list(tmp_path.iterdir())


def test_a_folder_whose_making_was_killed_is_used_again(tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()
    (tmp_path / ".rldf-0.tmp").touch()
    with RunFolder.create(tmp_path, CONFIG, COMMAND, seed=3) as run:
        assert run.status == "running"


def test_two_processes_cannot_search_in_one_folder(tmp_path: Path) -> None:
    ask = [sys.executable, "-c", CREATES, str(tmp_path / "run")]
    with subprocess.Popen(ask, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert load_run(tmp_path / "run").status == "running"
        with pytest.raises(RunError, match="locked by another rldf process"):
            RunFolder.resume(tmp_path / "run", {"agent": "q"})
        holder.kill()
    assert load_run(tmp_path / "run").status == "interrupted"
    RunFolder.resume(tmp_path / "run", {"agent": "q"}).close()


def test_a_refused_run_gives_the_lock_back(tmp_path: Path) -> None:
    made(tmp_path / "run")
    with pytest.raises(RunError) as refusal:
        RunFolder.resume(tmp_path / "run", {})
    RunFolder.resume(tmp_path / "run", CONFIG).close()
    del refusal


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"status": "done"}', "[" * 100_000])
def test_damaged_runs_are_one_line_errors(tmp_path: Path, text: str) -> None:
    path = made(tmp_path / "run")
    (path / "run.json").write_text(text)
    with pytest.raises(RunError, match=r"run\.json is damaged") as refusal:
        load_run(path)
    assert "\n" not in str(refusal.value)
    (summary,) = list_runs(tmp_path)
    assert summary.status == "damaged" and summary.problem


def test_runs_are_listed_newest_first(tmp_path: Path) -> None:
    for name, started in (("b", "2025-01-02"), ("c", "2025-01-03"), ("a", "2025-01-01")):
        file = made(tmp_path / name) / "run.json"
        record = json.loads(file.read_text()) | {"started": f"{started}T00:00:00.000+00:00"}
        file.write_text(json.dumps(record))
    (tmp_path / "notes.txt").touch()
    (tmp_path / "no-run").mkdir()
    found = list_runs(tmp_path)
    assert [run.path.name for run in found] == ["c", "b", "a"]
    assert {run.status for run in found} == {"interrupted"}
    assert list_runs(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("image", "stem"),
    [
        ("photos/My dog.jpeg", "My-dog"),
        ("-", "image"),
        ("../../etc/passwd", "passwd"),
        ("\x1b[31m<b>[red].png", "31m-b-red"),
        ("--out.png", "out"),
        ("été.jpg", "été"),
        ("x" * 300 + ".png", "x" * 40),
    ],
)
def test_a_run_is_named_after_its_image(tmp_path: Path, image: str, stem: str) -> None:
    assert default_out(tmp_path, image, NOON) == tmp_path / f"{stem}-20250131-120005"


def test_two_runs_in_one_second_get_two_folders(tmp_path: Path) -> None:
    default_out(tmp_path, "dog.png", NOON).mkdir()
    assert default_out(tmp_path, "dog.png", NOON).name == "dog-20250131-120005-2"


def test_a_name_that_another_search_takes_meanwhile_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(root: Path, image_name: str, now: datetime) -> Path:
        path = default_out(root, image_name, now)
        if path.name.endswith("5"):
            path.mkdir(parents=True)  # by the other search
        return path

    monkeypatch.setattr("rldf.runs.naming.default_out", slow)
    path = new_out(tmp_path / "runs", "dog.png", NOON)
    assert path.name == "dog-20250131-120005-2"
    assert path.is_dir()
    RunFolder.create(path, CONFIG, COMMAND, seed=3).close()


def test_a_name_that_leads_nowhere_is_taken(tmp_path: Path) -> None:
    (tmp_path / "dog-20250131-120005").symlink_to(tmp_path / "none")
    assert new_out(tmp_path, "dog.png", NOON).name == "dog-20250131-120005-2"


def test_runs_cannot_be_made_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    with pytest.raises(RunError, match="is no folder"):
        new_out(tmp_path / "runs", "dog.png", NOON)
    with pytest.raises(RunError, match="cannot write to"):
        new_out(tmp_path / "runs" / "mine", "dog.png", NOON)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "rldf search 'a dog.png' --out 'a run' --resume"),
        (["--out", "r"], "rldf search 'a dog.png' --out r --resume"),
        (["--out=r", "--resume"], "rldf search 'a dog.png' --out=r --resume"),
    ],
)
def test_the_line_that_resumes_names_the_folder_once(words: list[str], expected: str) -> None:
    assert resume_command(["rldf", "search", "a dog.png", *words], Path("a run")) == expected


def test_images_of_other_seeds_have_names_of_their_own(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", {"image_seed": 5}, COMMAND, seed=3) as run:
        names = [run.image_path((1, 4), seed).name for seed in (None, 5, 0, 7)]
    assert names == ["1-4.png", "1-4.png", "1-4-seed0.png", "1-4-seed7.png"]


def test_the_best_step_is_the_earliest_of_equals() -> None:
    steps = [step(1, 0.1), step(2, 0.9), step(3, 0.9)]
    assert best_step(steps, None) == steps[1]


def test_of_equals_the_goal_is_the_best() -> None:
    there = dataclasses.replace(step(3, 0.9), encoding=(0, 0, 0, 0), distance=0)
    unknown = dataclasses.replace(there, distance=None)
    steps = [step(1, 0.1), step(2, 0.9)]
    assert best_step([*steps, there], None) == there
    assert best_step([*steps, unknown], (0, 0, 0, 0)) == unknown
    assert best_step([*steps, unknown], None) == steps[1]
    assert best_step([*steps, dataclasses.replace(there, reward=0.8)], None) == steps[1]
