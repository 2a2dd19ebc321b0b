"""Searching from Python."""

from pathlib import Path

import pytest

from rldf.errors import RunError, UsageError
from rldf.io.images import read_image
from rldf.search.api import search

ROOT = Path(__file__).parents[2]
EXAMPLE, DRAWN = ROOT / "examples" / "dog-in-park.png", str(ROOT / "tests" / "drawn.yaml")


def test_a_search_returns_its_best_sentence_image_and_steps(tmp_path, capsys):
    seen = []
    found = search(
        EXAMPLE, models=DRAWN, renders=12, out=tmp_path / "run", progress=seen.append, batch=3
    )
    assert found.steps == seen
    best = max(seen, key=lambda step: step.reward)
    assert (found.sentence, found.reward) == (best.sentence, best.reward)
    assert found.image.size == read_image(EXAMPLE).size
    assert found.summary["renders"] == 12 or found.summary["ended"] == "goal"
    assert found.sentence in found.to_html()
    assert found.sentence in found._repr_html_()
    assert capsys.readouterr() == ("", "")


def test_an_image_in_memory_is_searched_for_as_its_file_is(tmp_path):
    file = search(EXAMPLE, models=DRAWN, renders=8, out=tmp_path / "a")
    held = search(read_image(EXAMPLE), models=DRAWN, renders=8, out=tmp_path / "b")
    assert [s.encoding for s in held.steps] == [s.encoding for s in file.steps]


def test_a_resumed_search_is_the_whole_one_and_bad_input_is_refused(tmp_path):
    whole = search(EXAMPLE, models=DRAWN, renders=8, out=tmp_path / "a")
    again = search(EXAMPLE, models=DRAWN, renders=8, out=tmp_path / "a", resume=True)
    assert again.steps == whole.steps
    with pytest.raises(RunError, match="--out"):
        search(EXAMPLE, models=DRAWN, renders=8, resume=True)
    with pytest.raises(UsageError, match="--renders 0"):
        search(EXAMPLE, models=DRAWN, renders=0, out=tmp_path / "c")
