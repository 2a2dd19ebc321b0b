"""Real processes: killed at any moment, several at once, started by torchrun, on a full disk.

The drawn generator is exact, so every file must come out as if nothing had happened.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.dataset.clones import DRAWN, contents

ROOT = Path(__file__).parents[2]
SMALL = ("--classes", "3", "--per-class", "48", "--models", DRAWN)
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def command(out, *words):
    return [sys.executable, "-m", "rldf", "clone-imagenet", *words, "--out", str(out)]


@contextmanager
def started(*words, **options):
    """Start a process group of its own, and leave nothing of it behind."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    with subprocess.Popen(
        words, cwd=ROOT, env=ENVIRONMENT, start_new_session=True, **options
    ) as run:
        try:
            yield run
        finally:
            kill(run)


def kill(run, number=signal.SIGKILL):
    if run.poll() is None:
        os.killpg(run.pid, number)


def run_to_end(*words):
    done = subprocess.run(words, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def n_images(root):
    return sum(1 for _ in root.glob("*/*/*.jpg")) if root.exists() else 0


def wait_for(condition, *runs, seconds=120):
    """Wait until something is so, or every process has ended."""
    end = time.monotonic() + seconds
    while not condition() and any(run.poll() is None for run in runs):
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "a"
    told = json.loads(run_to_end(*command(out, *SMALL, "--json")))
    assert (told["status"], told["images"], told["written"]) == ("done", 144, 144)
    return contents(out)


def verified(out):
    told = json.loads(
        run_to_end(sys.executable, "-m", "rldf", "clone", "verify", str(out), "--json")
    )
    return told["ok"] and told["problems"] == []


def test_one_process_is_killed_and_the_next_goes_on(tmp_path, whole):
    out, chance = tmp_path / "a", random.Random(1)
    for images in (chance.randrange(1, 70), chance.randrange(70, 144)):
        with started(*command(out, *SMALL)) as run:
            wait_for(lambda: n_images(out) >= images, run)  # noqa: B023
            kill(run)
    told = json.loads(run_to_end(*command(out, *SMALL, "--json", "--batch-size", "5")))
    assert told["written"] < 144
    assert contents(out) == whole
    assert verified(out)


def test_one_of_two_processes_is_killed_and_the_other_does_the_rest(tmp_path, whole):
    out = tmp_path / "a"
    with (
        started(*command(out, *SMALL)) as first,
        started(*command(out, *SMALL, "--json")) as second,
    ):
        wait_for(lambda: n_images(out) >= 40, first, second)
        kill(first)
        told, _ = second.communicate(timeout=240)
    assert json.loads(told)["images"] == 144
    assert contents(out) == whole


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(tmp_path, whole, number):
    out = tmp_path / "a"
    with started(*command(out, *SMALL)) as run:
        wait_for(lambda: n_images(out) >= 20, run)
        run.send_signal(number)
        _, told = run.communicate(timeout=60)
    assert run.returncode == 128 + number
    assert told.startswith(f"stopped; {out} keeps what is done; go on with: rldf clone-imagenet")
    assert told.count("\n") == 1
    assert n_images(out) >= 20
    with started(*command(out, *SMALL)) as run:
        told, _ = run.communicate(timeout=240)
    assert contents(out) == whole


@pytest.mark.slow
@pytest.mark.parametrize("round", range(1))
def test_100_kills_at_random_moments(tmp_path, whole, round):
    """25 kills a round: one or both of two processes, after a random time."""
    chance, kills, clones = random.Random(round), 0, 0
    while kills < 6:
        out, clones = tmp_path / str(clones) / "a", clones + 1  # the card bears the name
        while not (out / ".rldf" / "finished.json").exists():
            n_processes = chance.choice((1, 2))
            with ExitStack() as stack:
                runs = [
                    stack.enter_context(started(*command(out, *SMALL), stdout=None, stderr=None))
                    for _ in range(n_processes)
                ]
                # most of a process's life is its start: half of the kills wait for images first
                seen = n_images(out)
                if chance.random() < 0.5:
                    wait_for(lambda: n_images(out) > seen, *runs)  # noqa: B023
                    time.sleep(chance.uniform(0, 1.5))
                else:
                    time.sleep(chance.uniform(0, 4))
                for run in chance.sample(runs, chance.randint(1, n_processes)):
                    kills += run.poll() is None
                    kill(run)
                if chance.random() < 0.5:  # let the others work on for a while, if there are any
                    time.sleep(chance.uniform(0, 2))
        assert contents(out) == whole
        assert verified(out)


@pytest.mark.slow
def test_10_kills_of_the_pocket_models(tmp_path):
    words = ("--classes", "2", "--per-class", "12", "--models", "pocket")
    run_to_end(*command(tmp_path / "whole" / "a", *words))
    whole = contents(tmp_path / "whole" / "a")
    chance, kills, clones, out = random.Random(0), 0, 0, tmp_path / "0" / "a"
    while kills < 3:
        n_processes = chance.choice((1, 2))
        with ExitStack() as stack:
            runs = [
                stack.enter_context(started(*command(out, *words), stdout=None, stderr=None))
                for _ in range(n_processes)
            ]
            seen = n_images(out)
            wait_for(lambda: n_images(out) > seen, *runs)  # noqa: B023
            time.sleep(chance.uniform(0, 2))
            for run in chance.sample(runs, chance.randint(1, n_processes)):
                kills += run.poll() is None
                kill(run)
        if (out / ".rldf" / "finished.json").exists():
            assert contents(out) == whole
            clones += 1
            out = tmp_path / str(clones) / "a"
    run_to_end(*command(out, *words))
    assert contents(out) == whole
    assert verified(out)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


TORCHRUN = (sys.executable, "-m", "torch.distributed.run")


@pytest.mark.slow
def test_torchrun_starts_two_processes_that_draw_one_clone(tmp_path, whole):
    out = tmp_path / "a"
    port = ("--master-addr", "127.0.0.1", "--master-port", str(free_port()))
    program = command(out, *SMALL, "--json")[1:]
    told = run_to_end(*TORCHRUN, "--nproc-per-node", "2", *port, *program)
    assert json.loads(told)["images"] == 144  # one of them prints, once
    assert contents(out) == whole


@pytest.mark.slow
def test_two_nodes_draw_one_clone(tmp_path, whole):
    out, port = tmp_path / "a", str(free_port())
    program = command(out, *SMALL, "--json")[1:]
    nodes = [
        (*TORCHRUN, "--nnodes", "2", "--node-rank", str(rank), "--nproc-per-node", "1",
         "--master-addr", "127.0.0.1", "--master-port", port, *program)
        for rank in (0, 1)
    ]  # fmt: skip
    with started(*nodes[0]) as first, started(*nodes[1]) as second:
        answers = [run.communicate(timeout=300)[0] for run in (first, second)]
        assert (first.returncode, second.returncode) == (0, 0)
    assert json.loads(answers[0])["images"] == 144
    assert answers[1] == ""
    assert contents(out) == whole


@pytest.mark.slow
def test_accelerate_launch_draws_a_clone(tmp_path, whole):
    out = tmp_path / "a"
    launch = (sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "1",
              "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no")  # fmt: skip # noqa: E501
    run_to_end(*launch, *command(out, *SMALL)[1:])
    assert contents(out) == whole


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MB, where this user may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.slow
def test_a_disk_that_is_really_full(small_disk, whole):
    out = small_disk / "a"
    done = subprocess.run(
        command(out, *SMALL), cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: cannot write to {out}: No space left on device: free")
    assert done.stderr.count("\n") == 1
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    run_to_end(*command(out, *SMALL))
    assert contents(out) == whole
