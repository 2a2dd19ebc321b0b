"""The result of one image, read back: whole and of this comparison, or damaged."""

import json

import pytest

from rldf.errors import RunError
from rldf.experiments.compare.documents import read_scores

SCORED = {
    "method": "rldf", "sentence": "a dog", "seed": 1, "renders": 2, "best": 0.5, "mean": 0.25,
    "axes": None, "noun": True, "scene": None, "picture": "rldf.png", "notes": ["a"],
}  # fmt: skip
SILENT = SCORED | dict.fromkeys(("sentence", "seed", "best", "mean", "noun", "picture"))
SILENT |= {"method": "encoder"}
ROW = {"image": "a.png", "folder": "01-a", "sentence": None, "methods": [SCORED, SILENT]}


def read(tmp_path, row, methods=("rldf", "encoder")):
    place = tmp_path / "01-a"
    place.mkdir(exist_ok=True)
    (place / "result.json").write_text(row if isinstance(row, str) else json.dumps(row))
    return read_scores(place / "result.json", methods)


def test_what_was_written_is_read_back(tmp_path):
    assert read(tmp_path, ROW) == ROW


@pytest.mark.parametrize("key", ["seed", "best", "mean", "picture"])
def test_a_sentence_has_its_scores_and_silence_has_none(tmp_path, key):
    for changed in (
        [SCORED | {key: None}, SILENT],
        [SCORED, SILENT | {key: SCORED[key]}],
    ):
        with pytest.raises(RunError, match="is damaged"):
            read(tmp_path, ROW | {"methods": changed})


@pytest.mark.parametrize(
    "changed",
    [
        {"picture": "../rldf.png"},
        {"picture": "encoder.png"},
        {"best": float("nan")},
        {"renders": -1},
        {"seed": -1},
        {"notes": "a"},
        {"more": 1},
    ],
)
def test_a_strange_score_is_damage(tmp_path, changed):
    with pytest.raises(RunError, match="is damaged"):
        read(tmp_path, ROW | {"methods": [SCORED | changed, SILENT]})


@pytest.mark.parametrize(
    ("row", "methods"),
    [
        (ROW | {"folder": "02-a"}, ("rldf", "encoder")),
        (ROW, ("rldf",)),
        (ROW, ("encoder", "rldf")),
        ("[" * 100_000, ()),
        ("null", ()),
    ],
)
def test_another_comparison_is_not_taken_for_this_one(tmp_path, row, methods):
    with pytest.raises(RunError, match="is damaged"):
        read(tmp_path, row, methods)
