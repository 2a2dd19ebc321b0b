"""Spoilt input of any kind: an exit code, one line, in time, in bounds, and nothing written."""

import dataclasses
import sys

import pytest
from typer.main import get_command

from rldf.cli.main import app
from tests.fuzz.__main__ import _HEAD, _row
from tests.fuzz.cost import Cost
from tests.fuzz.runner import MadeBases, Outcome, corpus, run

_WITHOUT_BASES = (
    "encode", "grammar check", "grammar order", "search --reward", "models show",
    "models import-places365",
)  # fmt: skip
_READS_NONE = (  # of strangers: shipped files, the user's cache, what is typed
    "cache clear", "cache info", "doctor", "grammar list", "models list", "pocket check",
    "pocket draw", "pocket sheet",
)  # fmt: skip

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    return MadeBases(tmp_path_factory.mktemp("fuzz"))


def _marked(case):
    return pytest.param(case, id=str(case), marks=[pytest.mark.slow] if case.full else [])


def test_the_corpus_is_large_and_the_same_every_time(tmp_path):
    first, again = corpus(), corpus()
    assert len(first) >= 200
    for number, (one, other) in enumerate(zip(first, again, strict=True)):
        assert str(one) == str(other)
        if one.command in _WITHOUT_BASES:
            written = _written(one, tmp_path / f"{number}-one")
            assert written == _written(other, tmp_path / f"{number}-other")


def _written(case, folder):
    folder.mkdir()
    case.build(None, folder)
    return {
        path.relative_to(folder): path.read_bytes().replace(str(folder).encode(), b"FOLDER")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_command_that_reads_files_is_in_it():
    """A new command belongs into the corpus, or into the list of those that read none."""
    there = {case.command for case in corpus()}
    known = {name for name in _commands(get_command(app)) if name not in _READS_NONE}
    missing = {
        name for name in known if not any(f"{command} ".startswith(f"{name} ") for command in there)
    }
    assert not missing
    assert set(_READS_NONE) <= set(_commands(get_command(app))), "gone"


def _commands(command, before=()):
    inside = getattr(command, "commands", {})
    if not inside:
        return [" ".join(before)]
    return [name for key, one in inside.items() for name in _commands(one, (*before, key))]


def test_the_table_counts_what_went_wrong():
    """By kind, whatever the words after its beginning."""
    problems = ("hangs: more", "internal error: x", "writes a", "changes its input", "exit code 9")
    outcome = Outcome(2, "", Cost(0.1, 5_000_000), problems)
    other = Outcome(0, "", Cost(1.25, 0), ("traceback: x", "slow: x", "large: x"))
    row = dict(zip(_HEAD, _row("encode", [outcome, other]), strict=True))
    assert row == {
        "command": "encode", "inputs": "2", "exit codes": "1 x 0, 1 x 2", "tracebacks": "1",
        "internal": "1", "hangs": "1", "slow": "1", "large": "1", "strays": "2", "other": "1",
        "worst s": "1.2", "worst MB": "5",
    }  # fmt: skip


@pytest.mark.parametrize("bound", [Cost(0, 10**10), Cost(1000, -1)])
def test_more_time_or_memory_than_the_bound_is_wrong(bound, bases, tmp_path):
    case = next(case for case in corpus() if str(case) == "encode: pixel.png")
    outcome = run(dataclasses.replace(case, bound=bound), bases, tmp_path / "case")
    (problem,) = outcome.problems
    assert problem.startswith("slow:" if bound.seconds == 0 else "large:")


@pytest.mark.parametrize("case", [_marked(case) for case in corpus(full=True)])
def test_spoilt_input(case, bases, tmp_path):
    outcome = run(case, bases, tmp_path / "case")
    assert not outcome.problems, outcome
