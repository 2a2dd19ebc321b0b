"""A folder that one command fills, and only that command fills again."""

import json

import pytest

from rldf.errors import RunError
from rldf.io.files import TEMPORARY
from rldf.io.workdir import MANIFEST, ResultFolder

CONFIG = {"command": "x", "n": (1, 2)}


def manifest(path):
    return json.loads((path / MANIFEST).read_text())


def test_the_manifest_says_running_until_all_is_there(tmp_path):
    folder = ResultFolder(tmp_path / "a" / "out", CONFIG)
    with folder.filling():
        assert manifest(folder.path)["status"] == "running"
        folder.finish({"images": 3})
    told = manifest(folder.path)
    assert (told["status"], told["images"], told["config"]) == ("done", 3, {**CONFIG, "n": [1, 2]})
    assert told["versions"]["rldf"]


def test_the_same_command_goes_on_and_sweeps_leftovers(tmp_path):
    folder = ResultFolder(tmp_path, CONFIG)
    with pytest.raises(KeyboardInterrupt), folder.filling():
        (tmp_path / "images").mkdir()
        (tmp_path / "images" / TEMPORARY.replace("*", "1")).touch()
        raise KeyboardInterrupt
    with ResultFolder(tmp_path, CONFIG).filling():
        assert list((tmp_path / "images").iterdir()) == []


def test_another_configuration_is_refused_with_the_difference(tmp_path):
    with ResultFolder(tmp_path, CONFIG).filling():
        pass
    before = (tmp_path / MANIFEST).read_bytes()
    with pytest.raises(RunError, match=r"n: \[1, 2\] there, 3 here"):
        ResultFolder(tmp_path, CONFIG | {"n": 3}).check()
    assert (tmp_path / MANIFEST).read_bytes() == before


def test_a_strangers_folder_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with (
        pytest.raises(RunError, match=r"not ours \(thesis.tex\)"),
        ResultFolder(tmp_path, CONFIG).filling(),
    ):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(RunError, match="is a file"):
        ResultFolder(tmp_path / "thesis.tex", CONFIG).check()
    with (
        pytest.raises(RunError, match="lies in one"),
        ResultFolder(tmp_path / "thesis.tex" / "out", CONFIG).filling(),
    ):
        pass


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"config": 3}', "\xff"])
def test_a_damaged_manifest_is_told(tmp_path, text):
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(RunError, match=r"manifest\.json is damaged"):
        ResultFolder(tmp_path, CONFIG).check()


def test_two_processes_do_not_fill_one_folder(tmp_path):
    folder = ResultFolder(tmp_path, CONFIG)
    with (
        folder.filling(),
        pytest.raises(RunError, match="locked by another rldf process"),
        ResultFolder(tmp_path, CONFIG).filling(),
    ):
        pass
