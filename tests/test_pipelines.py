"""Commands joined by a shell's pipes, as real processes."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODELS = f"--models {shlex.quote(str(ROOT / 'tests' / 'drawn.yaml'))}"
DOG = shlex.quote(str(ROOT / "examples" / "dog-in-park.png"))


@pytest.fixture
def shell(tmp_path):
    """Run a line of bash in an empty folder, where `rldf` is this program."""
    here, program = tmp_path / "here", f"{shlex.quote(sys.executable)} -m rldf"
    here.mkdir()
    settings = {
        "PYTHONPATH": str(ROOT),
        "RLDF_CACHE": str(tmp_path / "cache"),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }
    environment = {k: v for k, v in os.environ.items() if k != "RLDF_REAL"} | settings

    def run(line):
        script = f'set -o pipefail; rldf() {{ {program} "$@"; }}; {line}'
        return subprocess.run(
            ["bash", "-c", script], cwd=here, env=environment, capture_output=True, text=True,
            timeout=900,
        )  # fmt: skip

    return run


def test_a_search_is_cloned_and_judged(shell):
    done = shell(
        f"rldf search {DOG} {MODELS} --renders 4 --json"
        f" | rldf clone - {MODELS} --per-class 20 --json"
        " | rldf evaluate - --fid --json"
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    told = json.loads(done.stdout)
    assert told["clone"].startswith("clones/")
    assert told["n_clone"] == 20
    assert told["fid"] > 0
    assert told["kid"] is None


def test_a_failure_ends_a_pipe_and_each_command_says_why(shell):
    done = shell(
        f"rldf search none.png {MODELS} --json | rldf clone - {MODELS} --json"
        " | rldf evaluate - --fid --json"
    )
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("error: ") for line in lines)


@pytest.mark.parametrize("reader", ["head -1", "true"])
def test_a_reader_who_has_seen_enough_ends_it_quietly(shell, reader):
    """`true` is gone before anything is written, so that the pipe is broken for sure."""
    made = shell(
        f"rldf clone-imagenet {MODELS} --classes 2 --splits train=8,val=1,test=1 --out c --json"
        f" | {reader}"
    )
    assert made.stderr == ""
    assert made.stdout == {"head -1": "{\n", "true": ""}[reader]
    assert made.returncode in {"head -1": (0, 1), "true": (1,)}[reader]
    looked = shell(f"rldf clone verify c | {reader}")
    assert looked.stderr == ""
    assert shell("rldf clone verify c").returncode == 0, "the data set is whole all the same"
