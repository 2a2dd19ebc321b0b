"""Spoilt input of any kind: an exit code, one line, in time, in bounds, and nothing written."""

import sys

import pytest

from tests.fuzz.runner import MadeBases, corpus, run

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
        if one.command in ("encode", "grammar check"):
            written = _written(one, tmp_path / f"{number}-one")
            assert written == _written(other, tmp_path / f"{number}-other")


def _written(case, folder):
    folder.mkdir()
    case.build(None, folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("case", [_marked(case) for case in corpus(full=True)])
def test_spoilt_input(case, bases, tmp_path):
    outcome = run(case, bases, tmp_path / "case")
    assert not outcome.problems, outcome
