"""Real photographs with true boxes: how they are judged, and how well they are read."""

import json
import os
from pathlib import Path

import pytest

from benchmarks import photographs as bench
from rldf.interfaces import Detection
from rldf.pocket import WEIGHTS
from tests.doubles import thing

MATERIAL = os.environ.get("RLDF_TEST_MATERIAL")
material = pytest.mark.skipif(MATERIAL is None, reason="RLDF_TEST_MATERIAL names no folder")
# No weights that tell places in photographs are among the material: the drawn world's stand in.
SET = """
name: photographs
description: A real detector; its scenes and its CLIP know drawings only
generator: {{class: drawn}}
detector:
  class: yolo
  path: {material}/detectors/yolov8n_int8.onnx
  options: {{confidence: {confidence}, overlap: {overlap}}}
scene: {{class: image-classification, path: {weights}/scene}}
clip: {{class: open-clip, path: {weights}/clip}}
"""


@pytest.fixture
def real_set(tmp_path):
    confidence, overlap = bench.CHOSEN
    path = tmp_path / "photographs.yaml"
    text = SET.format(
        material=Path(MATERIAL).resolve(), weights=WEIGHTS, confidence=confidence, overlap=overlap
    )
    path.write_text(text)
    return path


def photo(*truth):
    return bench.Photo(Path("none.jpg"), (100, 100), list(truth))


def test_a_photograph_is_judged_in_the_grammars_words():
    crowd = [thing("person")] * 2
    read = bench.read([photo(), photo()], [[thing("dog"), thing("cup", side=5), *crowd], crowd[:1]])
    assert read["presence"] == [{"dog", "cup", "person"}, {"person"}]
    assert read["counts"] == [
        {("dog", "one"), ("cup", "one"), ("person", "many")},
        {("person", "one")},
    ]
    assert read["people"] == [{"many"}, {"one"}]
    assert read["encodings"] == [{("one", "dog", "many")}, set()]


def test_scores_are_over_all_photographs_together():
    found = bench.scores([{"dog", "cat"}, {"bus"}, set()], [{"dog"}, {"bus", "car"}, {"cup"}])
    assert (found["right"], found["said"], found["true"]) == (2, 4, 3)
    assert found["precision"] == pytest.approx(2 / 4)
    assert found["recall"] == pytest.approx(2 / 3)
    assert found["f1"] == pytest.approx(2 * (1 / 2) * (2 / 3) / (1 / 2 + 2 / 3))
    assert bench.scores([set()], [set()])["f1"] == 0


def test_confidence_is_chosen_by_presence_and_overlap_by_counts():
    """A cat of 0.22 is true and a bus of 0.12 is not; at the larger overlap one dog is two."""
    sure = [thing("dog", 0.9), thing("cat", 0.22, side=10), thing("bus", 0.12, side=9)]
    seen = {0.5: [sure], 0.7: [[thing("dog", 0.8), *sure]]}
    confidence, overlap, tried = bench.choose([photo(thing("dog"), thing("cat"))], seen)
    assert (confidence, overlap) == (0.15, 0.5)
    assert len(tried) == len(bench.CONFIDENCES) * len(bench.OVERLAPS)


def test_the_gain_of_a_reader_over_itself_is_nothing_and_over_a_worse_one_positive():
    true, worse = [{1, 2}, {3}, {4}, {5, 6}], [{1}, {3, 9}, {8}, {5}]
    assert bench.interval_of_gain(true, true, true) == (0.0, 0.0)
    low, high = bench.interval_of_gain(true, true, worse)
    assert 0 < low < high <= 1


def test_the_thresholds_are_the_chosen_ones():
    kept = Path(bench.__file__).parent / "results" / "photographs.json"
    result = json.loads(kept.read_text())
    assert (result["chosen"]["confidence"], result["chosen"]["overlap"]) == bench.CHOSEN
    assert not set(result["chosen_on"]) & set(result["held_back"])


@pytest.mark.material
@material
def test_a_crowd_is_many_and_boxes_lie_in_their_photographs():
    photos = bench.photographs(Path(MATERIAL))
    assert len(photos) == 68
    for shot in photos:
        assert all(box.box[2] <= shot.size[0] + 1 for box in shot.truth)
    doubled = [shot for shot in photos if len(set(shot.truth)) < len(shot.truth)]
    assert len(doubled) == 5


@pytest.mark.material
@material
def test_classes_of_held_back_photographs_are_found_as_well_as_by_the_raw_detector():
    """The bound of docs/photographs.md; a lower confidence only adds, so one look serves both."""
    held = bench.photographs(Path(MATERIAL))[1::2]
    found = bench.detections(Path(MATERIAL), held, *bench.CHOSEN)
    true = bench.read(held, [shot.truth for shot in held])["presence"]
    ours = bench.scores(true, bench.read(held, found)["presence"])
    raw = bench.scores(true, [labels(row) for row in bench.surer(found, bench.RAW[0])])
    assert ours["f1"] >= raw["f1"]
    assert ours["recall"] > raw["recall"]
    assert ours["f1"] > 0.74


def labels(row: list[Detection]) -> set[str]:
    return {found.label for found in row}


@pytest.mark.material
@material
def test_the_command_encodes_photographs(real_set, capsys, monkeypatch):
    from rldf.cli.main import main

    names = ["photos/azure/dog.jpg", "photos/ibm-max/jockey.jpg", "photos/coral/face.jpg"]
    files = [str(Path(MATERIAL) / name) for name in names]
    words = ["encode", *files, "--grammar", "coco-places", "--models", str(real_set), "--json"]
    monkeypatch.setattr("sys.argv", ["rldf", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    dog, jockey, face = json.loads(capsys.readouterr().out)
    assert dog["sentence"].startswith("a photo of one dog and ")
    assert "horse" in [seen["noun"] for seen in jockey["objects"]]
    assert face["people"] >= 1
