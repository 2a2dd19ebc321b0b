"""`rldf doctor`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rldf.cli import doctor
from rldf.cli.main import app

GOOD = {
    "versions": {"python": "3.11.0", "torch": "2.6.0"},
    "device": {"kind": "cpu", "name": None, "threads": 2},
    "model_sets": {"pocket": []},
    "cache": {"path": "/c", "writable": True, "images": 1, "bytes": 9},
    "folders": {"runs": {"path": "/r", "writable": True}},
    "problems": [],
}


def test_a_good_installation_has_no_problems() -> None:
    assert doctor.problems(GOOD) == []


def test_everything_that_is_missing_is_named() -> None:
    bad = GOOD | {
        "versions": {"torch": None},
        "model_sets": {"pocket": ["/w/sd"]},
        "folders": {"runs": {"path": "/r", "writable": False}},
    }
    assert doctor.problems(bad) == [
        "package torch is not installed",
        "model set pocket lacks /w/sd",
        "folder /r cannot be written",
    ]


@pytest.mark.parametrize(("problems", "code"), [([], 0), (["no torch"], 1)])
def test_the_exit_code_tells_whether_something_is_missing(
    monkeypatch: pytest.MonkeyPatch, problems: list[str], code: int
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: GOOD | {"problems": problems})
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == code
    assert json.loads(result.stdout)["problems"] == problems
    assert result.stderr == ("error: no torch\n" if problems else "")


def test_the_report_for_people_names_version_device_models_and_folders() -> None:
    assert doctor.report_lines(GOOD) == [
        "python            3.11.0",
        "torch             2.6.0",
        "device            cpu (2 threads)",
        "model set pocket  complete",
        "cache             /c (writable)",
        "runs              /r (writable)",
    ]


def test_a_folder_that_is_not_there_is_judged_by_the_one_above(tmp_path: Path) -> None:
    assert doctor.folder(tmp_path / "a" / "b")["writable"] is True
    (tmp_path / "file").touch()
    assert doctor.folder(tmp_path / "file" / "b")["writable"] is False


def test_examine_sees_this_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RLDF_CACHE", str(tmp_path))
    found = doctor.examine()
    assert found["device"]["kind"] in ("cpu", "cuda")
    assert "pocket" in found["model_sets"]
    assert found["cache"] == {"path": str(tmp_path), "writable": True, "images": 0, "bytes": 0}


@pytest.mark.parametrize(
    ("device", "told"),
    [
        ({"kind": None, "name": None, "threads": None}, "not known without torch"),
        ({"kind": "cpu", "name": None, "threads": 3}, "cpu (3 threads)"),
    ],
)
def test_a_device_that_nobody_could_look_for_is_not_named(device, told):
    lines = doctor.report_lines(GOOD | {"device": device})
    assert [line.split(maxsplit=1)[1] for line in lines if line.startswith("device")] == [told]
