"""Tests of rldf.io.files."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rldf.errors import RunError
from rldf.io import files

# opens a file for replacing, writes half of it, and is killed by the system's hardest signal
KILLED = """
import os, signal, sys
from pathlib import Path
from rldf.io.files import replacing
with replacing(Path(sys.argv[1])) as file:
    file.write(b"half of the new")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""

HOLDS = """
import sys
from pathlib import Path
from rldf.io.files import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_written_file_holds_all_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    files.write_bytes(path, b"old")
    files.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_kill_before_the_rename_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)])
    assert killed.returncode < 0
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2
    files.sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_in_the_block_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    with pytest.raises(KeyError), files.replacing(path) as file:
        file.write(b"half of the new")
        raise KeyError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_rename_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    files.write_text(path, "old")

    def refuse(*_: object) -> None:
        raise OSError("disk is gone")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="disk is gone"):
        files.write_text(path, "new")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]


def test_the_longest_name_of_the_file_system_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    files.write_text(path, "text")
    assert path.read_text() == "text"


def test_json_is_read_back(tmp_path: Path) -> None:
    value = {"a": [1, 2.5, None, True], "ü": "\x1b[31m"}
    files.write_json(tmp_path / "a.json", value)
    assert json.loads((tmp_path / "a.json").read_text()) == value


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_not_json_is_refused_and_nothing_is_written(tmp_path: Path, number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "a.json", {"a": number})
    with pytest.raises(ValueError, match="JSON"):
        files.append_jsonl(tmp_path / "a.jsonl", {"a": number})
    assert not list(tmp_path.iterdir())


def test_sha256_is_the_one_of_the_bytes(tmp_path: Path) -> None:
    data = bytes(range(256)) * 1000
    (tmp_path / "a").write_bytes(data)
    assert files.sha256_file(tmp_path / "a") == hashlib.sha256(data).hexdigest()


def rows_file(folder: Path, n: int) -> Path:
    path = folder / "rows.jsonl"
    for i in range(n):
        files.append_jsonl(path, {"i": i, "text": "two\nlines"})
    return path


def numbers(path: Path) -> list[object]:
    return [json.loads(line)["i"] for line in files.read_lines(path)]


def test_rows_are_read_back_one_a_line(tmp_path: Path) -> None:
    path = rows_file(tmp_path, 3)
    assert numbers(path) == [0, 1, 2]
    assert path.read_bytes().count(b"\n") == 3


def test_a_missing_file_has_no_lines(tmp_path: Path) -> None:
    assert files.read_lines(tmp_path / "none.jsonl") == []


@given(st.integers(0, 10_000))
def test_a_file_cut_anywhere_holds_its_whole_lines(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = rows_file(tmp_path_factory.mktemp("cut"), 4)
    data = path.read_bytes()
    path.write_bytes(data[: cut % (len(data) + 1)])
    assert numbers(path) == list(range(path.read_bytes().count(b"\n")))


def test_truncation_keeps_the_first_lines_and_heals_a_torn_end(tmp_path: Path) -> None:
    path = rows_file(tmp_path, 4)
    with path.open("ab") as file:
        file.write(b'{"i": 4, "te')
    files.truncate_jsonl(path, 4)
    files.append_jsonl(path, {"i": 5})
    assert numbers(path) == [0, 1, 2, 3, 5]
    files.truncate_jsonl(path, 2)
    assert numbers(path) == [0, 1]


@pytest.mark.parametrize("n_lines", [3, -1])
def test_truncation_past_the_end_is_refused(tmp_path: Path, n_lines: int) -> None:
    path = rows_file(tmp_path, 2)
    with pytest.raises(RunError, match="has 2 lines"):
        files.truncate_jsonl(path, n_lines)
    assert numbers(path) == [0, 1]


def test_two_processes_cannot_hold_one_lock(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    ask = [sys.executable, "-c", HOLDS, str(path)]
    with subprocess.Popen(ask, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert files.is_locked(path)
        with pytest.raises(RunError, match="locked by another rldf process"), files.locked(path):
            pass
        holder.kill()
    assert not files.is_locked(path)
    with files.locked(path):
        assert files.is_locked(path)
    assert not files.is_locked(path)


def test_a_lock_that_was_never_taken_is_free(tmp_path: Path) -> None:
    assert not files.is_locked(tmp_path / ".lock")
    assert not list(tmp_path.iterdir())


def test_json_of_strangers_is_read_or_refused():
    assert files.parse_json(b'{"a": [1, null]}') == {"a": [1, None]}
    for broken in (b"", b"{", b"\xff", b"[" * 100_000, b'{"a":' * 100_000):
        with pytest.raises(ValueError):
            files.parse_json(broken)
