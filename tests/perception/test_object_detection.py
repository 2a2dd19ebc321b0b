"""Detectors of transformers: what comes out is what the model says, in our records."""

import json

import pytest
import torch
from PIL import Image
from torchvision.ops import box_iou

from rldf import registry as catalog
from rldf.errors import ConfigError, ModelMissingError
from rldf.perception.labels import phrase_of, words_to_find
from rldf.perception.object_detection import ObjectDetector, ZeroShotDetector
from tests.perception import tiny

WIDE = Image.radial_gradient("L").convert("RGB").resize((60, 40))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("detectors")
    return {
        make.__name__: make(root / make.__name__)
        for make in (tiny.detr, tiny.yolos, tiny.owlv2, tiny.grounding_dino)
    }


@pytest.mark.parametrize("name", ["detr", "yolos"])
def test_detections_are_the_models_own_boxes_and_labels(folders, name):
    """Against the raw output: softmax without the last class, boxes from the centre, in px."""
    detector = ObjectDetector(path=folders[name], confidence=0.0, overlap=1.0)
    ((*found,),) = detector.detect([WIDE])
    with torch.inference_mode():
        out = detector._model(**detector._processor(images=WIDE, return_tensors="pt"))
    sure, label = out.logits[0].softmax(-1)[:, :-1].max(-1)
    x, y, w, h = out.pred_boxes[0].unbind(-1)
    corners = torch.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], -1)
    corners = (corners * torch.tensor([60, 40, 60, 40])).clamp(min=0)
    corners = corners.minimum(torch.tensor([60, 40, 60, 40]))
    order = sure.argsort(descending=True)
    assert len(found) == 12
    assert [thing.label for thing in found] == [tiny.NAMES[int(label[i])] for i in order]
    assert [thing.confidence for thing in found] == pytest.approx(sure[order].tolist())
    assert [side for thing in found for side in thing.box] == pytest.approx(
        corners[order].flatten().tolist(), abs=1e-3
    )


def test_the_confidence_and_the_overlap_drop_boxes(folders):
    everything = ObjectDetector(path=folders["detr"], confidence=0.0, overlap=1.0)
    ((*found,),) = everything.detect([WIDE])
    bound = found[5].confidence
    surer = ObjectDetector(path=folders["detr"], confidence=bound, overlap=1.0)
    assert surer.detect([WIDE])[0] == [thing for thing in found if thing.confidence > bound]
    apart = ObjectDetector(path=folders["detr"], confidence=0.0, overlap=0.3).detect([WIDE])[0]
    assert 0 < len(apart) < len(found)
    for label in {thing.label for thing in apart}:
        boxes = torch.tensor([thing.box for thing in apart if thing.label == label])
        assert (box_iou(boxes, boxes) - torch.eye(len(boxes))).max() <= 0.3


def test_photographs_of_other_sizes_do_not_change_each_other(folders):
    detector = ObjectDetector(path=folders["detr"], confidence=0.0)
    tall = WIDE.rotate(90, expand=True)
    assert detector.detect([WIDE, tall]) == detector.detect([WIDE]) + detector.detect([tall])
    assert detector.detect([]) == []


def test_labels_get_a_grammars_names_by_a_label_map(folders):
    (folders["detr"] / "names.json").write_text(json.dumps({"sofa": "couch"}))
    plain = ObjectDetector(path=folders["detr"], confidence=0.0, overlap=1.0).detect([WIDE])[0]
    named = ObjectDetector(
        path=folders["detr"], confidence=0.0, overlap=1.0, label_map="names.json"
    ).detect([WIDE])[0]
    renamed = {"sofa": "couch", "dog": "dog", "person": "person"}
    assert [thing.label for thing in named] == [renamed[thing.label] for thing in plain]


def test_owlv2_says_how_sure_it_is_of_each_word_in_each_place(folders):
    """Against the raw output: sigmoid, the best word of each place; the image is padded square."""
    words = ["dog", "sea otter"]
    detector = ZeroShotDetector(
        path=folders["owlv2"], labels="dog, sea  otter", confidence=0.0, overlap=1.0
    )
    ((*found,),) = detector.detect([WIDE])
    inputs = detector._processor(images=WIDE, text=[words], return_tensors="pt")
    with torch.inference_mode():
        out = detector._model(**inputs)
    sure, word = out.logits[0].sigmoid().max(-1)
    order = sure.argsort(descending=True)
    assert len(found) == 16
    assert [thing.confidence for thing in found] == pytest.approx(sure[order].tolist(), abs=1e-6)
    assert {thing.label for thing in found} <= set(words)
    assert {thing.label for thing in found} == {words[int(i)] for i in word}
    x, y, w, h = (out.pred_boxes[0, order[0]] * 60).tolist()
    wanted = [max(0, x - w / 2), max(0, y - h / 2), min(60, x + w / 2), min(40, y + h / 2)]
    assert found[0].box == pytest.approx(wanted, abs=1e-3)


def test_grounding_dino_answers_in_the_words_it_was_given(folders):
    detector = ZeroShotDetector(
        path=folders["grounding_dino"], labels="dog, sea otter", confidence=0.0, overlap=1.0
    )
    (found,) = detector.detect([WIDE])
    assert len(found) == 9
    assert {thing.label for thing in found} <= {"dog", "sea otter"}
    assert all(0 <= thing.confidence <= 1 and thing.box[2] <= 60 for thing in found)


def test_more_words_than_grounding_dino_reads_are_refused(folders):
    many = ", ".join(f"dog {i}" for i in range(10))
    with pytest.raises(ConfigError, match=r"takes 16 tokens, and 10 labels have \d+: give fewer"):
        ZeroShotDetector(path=folders["grounding_dino"], labels=many)


def test_words_come_from_a_grammar_or_a_list():
    words = words_to_find("", "pocket")
    assert {"dog", "zebra", "person"} <= set(words)
    assert "beach" not in words
    assert len(words) == len(set(words))
    assert words_to_find(" dog,sea   otter, dog,", "") == ("dog", "sea otter")


@pytest.mark.parametrize(("labels", "grammar"), [("", ""), ("dog", "base"), (" , ,", "")])
def test_no_words_and_words_from_two_places_are_refused(labels, grammar):
    with pytest.raises(ConfigError, match=r"label"):
        words_to_find(labels, grammar)


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("sea otter", "sea otter"),
        ("Otter", "sea otter"),
        ("sea dog", "dog"),
        ("##dog", "dog"),
        ("dog. sea otter.", "sea otter"),
        ("", None),
        ("cat", None),
    ],
)
def test_pieces_of_a_text_mean_the_word_that_shares_most(said, word):
    assert phrase_of(said, ("dog", "sea otter", "sea lion cub")) == word


@pytest.mark.parametrize("name", ["object-detection", "zero-shot-object-detection"])
def test_missing_and_foreign_folders_are_told_and_code_is_not_run(tmp_path, monkeypatch, name):
    maker = catalog.find("detectors", name)
    more = {"labels": "dog"} if name.startswith("zero") else {}
    with pytest.raises(ModelMissingError, match=r"no object detector at"):
        maker(path=tmp_path / "none", **more)
    marker = tmp_path / "code-ran"
    auto = {f"Auto{kind}": "evil.Class" for kind in ("Config", "ImageProcessor", "Processor")}
    auto |= {f"AutoModelFor{kind}ObjectDetection": "evil.Class" for kind in ("", "ZeroShot")}
    config = json.dumps({"model_type": "mystery", "auto_map": auto})
    for file in ("config.json", "preprocessor_config.json", "processor_config.json"):
        (tmp_path / file).write_text(config)
    (tmp_path / "evil.py").write_text(f"open({str(marker)!r}, 'w')\n")
    asked = []
    monkeypatch.setattr("builtins.input", lambda *words: asked.append(words) or "n")
    with pytest.raises(ConfigError, match="no object detector") as caught:
        maker(path=tmp_path, **more)
    assert "\n" not in str(caught.value)
    assert not asked
    assert not marker.exists()
