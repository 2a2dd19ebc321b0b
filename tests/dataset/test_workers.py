"""Who draws what: parts, ranks, and locks that die with their holder."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rldf.dataset.sharding import (
    ShardSlice,
    Worker,
    batches,
    claim,
    claimed,
    parse_slice,
    shards_of,
    this_worker,
    waiting,
)
from rldf.errors import RldfError, UsageError

ROOT = Path(__file__).parents[2]


def test_parts_hold_every_shard_once():
    parts = [parse_slice(f"{i}/5") for i in range(5)]
    for shard in range(33):
        assert sum(shard in part for part in parts) == 1
    assert all(shard in parse_slice(None) for shard in range(9))
    assert parse_slice("3/8") == ShardSlice(3, 8)


@pytest.mark.parametrize("text", ["8/8", "-1/8", "1", "1/0", "a/b", "0.5/8", "1/8/9", "", "1 /8"])
def test_parts_that_are_none_are_refused(text):
    with pytest.raises(UsageError, match="give i/N"):
        parse_slice(text)


def test_a_process_alone_is_the_first_of_one(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert this_worker() == Worker(rank=0, world=1, device="auto")
    assert this_worker().is_main


def test_a_launcher_and_accelerate_must_agree(monkeypatch):
    class State:
        process_index, num_processes, device = 0, 1, "cpu"

        def __init__(self, cpu):
            pass

        def destroy_process_group(self):
            pass

    monkeypatch.setattr("accelerate.PartialState", State)
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert this_worker() == Worker(rank=0, world=1, device="cpu")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(RldfError, match="started 2 processes, Accelerate found 1"):
        this_worker()


@pytest.mark.parametrize("images", [1, 63, 64, 65, 1000, 4096, 30_000, 40_000, 1_664_000])
def test_shards_cover_a_plan_once(images):
    shards = shards_of(images)
    covered = [i for shard in range(len(shards)) for i in shards.indices(shard)]
    assert covered == list(range(images))
    assert all(
        shards.of(i) == shard for shard in (0, len(shards) - 1) for i in shards.indices(shard)
    )
    assert 64 <= shards.size <= 1024
    assert len(shards) <= max(64, images // 1024 + 1)


def test_batches_keep_order():
    assert list(batches([5, 3, 1, 9, 7], 2)) == [[5, 3], [1, 9], [7]]


HOLD = """
import sys, time
from pathlib import Path
from rldf.dataset.sharding import claim
with claim(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(120)
"""


@pytest.fixture
def holder(tmp_path):
    path = tmp_path / "lock"
    program = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, cwd=ROOT, text=True) as run:
        assert run.stdout.readline() == "held\n"
        yield path, run
        run.kill()


def test_a_lock_of_another_process_is_respected_and_dies_with_it(holder):
    path, run = holder
    assert claim(path) is None
    run.kill()
    run.wait(30)
    held = claim(path)
    assert held is not None
    assert claim(path) is None
    held.close()
    with waiting(path):
        assert claim(path) is None


def test_what_another_holds_is_waited_for(holder):
    path, run = holder
    done = set()
    taken = claimed(
        [0, 1], lambda shard: path if shard == 0 else path.with_name("1"), done.__contains__
    )
    assert next(taken) == 1
    done.add(1)
    os.kill(run.pid, 9)
    begun = time.monotonic()
    assert next(taken) == 0
    done.add(0)
    assert list(taken) == []
    assert time.monotonic() - begun < 30


def test_shards_that_are_done_meanwhile_are_not_taken(tmp_path):
    done = set()
    taken = claimed([0, 1, 2], lambda shard: tmp_path / str(shard), done.__contains__)
    assert next(taken) == 0
    done.update((0, 1))
    assert next(taken) == 2
    done.add(2)
    assert list(taken) == []


def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch):
    import errno

    def refuse(path):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr("rldf.dataset.sharding.locked", refuse)
    with pytest.raises(RldfError, match=r"cannot lock files .*write to a file system with locks"):
        claim(tmp_path / "lock")
