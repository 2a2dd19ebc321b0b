"""Labels of readers: which mean nothing, which a grammar knows, in what spelling."""

import json
import shutil

import pytest
import torch
from transformers import ResNetConfig, ResNetForImageClassification, ViTImageProcessor

from rldf.errors import ConfigError
from rldf.grammar.grammar import check_grammar, load_grammar
from rldf.models.check import check_parts
from rldf.models.model_sets import load_model_set
from rldf.perception.detector import YoloDetector
from rldf.perception.encoder import Encoder
from rldf.perception.labels import phrase_of, read_labels
from rldf.pocket import WEIGHTS
from rldf.pocket.world.drawing import draw
from tests.doubles import Scripted, picture, thing

POCKET = load_grammar("pocket")


class Told(Scripted):
    """Readers that say what they can see."""

    def __init__(self, things, scenes, labels=None, places=None, most=None, **more):
        super().__init__(things, scenes, **more)
        self.labels, self.scenes, self.most = labels, places, most


@pytest.mark.parametrize(
    "labels",
    [["class0", "class1"], ["0", "1", "2"], ["N/A", "Label 7"], ["cls_1", "object-2"], ["LABEL_0"]],
)
def test_labels_that_are_numbers_are_refused_and_a_label_map_gives_them_names(tmp_path, labels):
    own = dict(enumerate(labels))
    with pytest.raises(ConfigError, match="label_map") as caught:
        read_labels(tmp_path, own, "")
    assert "\n" not in str(caught.value)
    (tmp_path / "names.json").write_text(json.dumps({labels[-1]: "dog"}))
    assert read_labels(tmp_path, own, "names.json")[-1] == "dog"


@pytest.mark.parametrize("spelling", ["Hot_Dog", "hot-dog", "HOTDOG", "hot dog"])
def test_a_detectors_labels_are_compared_as_scenes_are(spelling):
    readers = Told({1: [thing(spelling), thing("PERSON")]}, {}, labels=(spelling, "PERSON"))
    seen = Encoder(POCKET, readers).detect([picture(1)])[0]
    assert [one.value for one in seen.objects] == ["hot dog"]
    assert (seen.people, seen.ignored) == (1, ())


def test_a_grammar_with_one_label_in_two_spellings_is_refused():
    text = (
        "name: two\nproductions: {S: Noun}\naxes:\n  Noun:\n    reads: object\n    values:\n"
        "      sausage: {labels: [hot dog]}\n      bun: {labels: [Hot_Dog]}\n"
    )
    assert "'Hot_Dog' is a label of 'sausage' too" in " ".join(check_grammar(text)[1])


@pytest.mark.parametrize(
    "told", [{"labels": ("wolf", "lynx")}, {"labels": ("dog",), "places": ("galley", "attic")}]
)
def test_a_reader_that_sees_nothing_of_a_grammar_is_refused(told):
    encoder = Encoder(POCKET, Told({}, {}, **told))
    with pytest.raises(ConfigError, match="label_map") as caught:
        encoder.detect([picture(1)])
    assert next(iter(told[list(told)[-1]])) in str(caught.value)


@pytest.fixture
def scene_set(tmp_path):
    """Write a model set whose scene classifier has these labels."""

    def write(names, options=""):
        folder = tmp_path / "scene"
        torch.manual_seed(7)
        config = ResNetConfig(
            embedding_size=4, hidden_sizes=[4, 8], depths=[1, 1], layer_type="basic",
            id2label=dict(enumerate(names)), label2id={name: i for i, name in enumerate(names)},
        )  # fmt: skip
        ResNetForImageClassification(config).save_pretrained(folder)
        ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
        (folder / "names.json").write_text(json.dumps({names[0]: "beach"}))
        (tmp_path / "mine.yaml").write_text(
            "name: mine\ngenerator: {class: drawn}\n"
            f"detector: {{class: yolo, path: {WEIGHTS / 'detector' / 'detector.pt'}}}\n"
            f"scene: {{class: image-classification, path: scene{options}}}\n"
            f"clip: {{class: open-clip, path: {WEIGHTS / 'clip'}}}\n"
        )
        return load_model_set(str(tmp_path / "mine.yaml"), device="cpu")

    return write


@pytest.mark.parametrize("names", [["class0", "class1"], ["attic", "galley"]])
def test_a_check_of_a_model_set_refuses_scenes_that_mean_nothing(scene_set, names):
    with pytest.raises(ConfigError, match="label_map"):
        list(check_parts(scene_set(names)))
    mapped = scene_set(names, ", options: {label_map: names.json}")
    found = {part.role: part.found for part in check_parts(mapped)}
    assert found["scene"] == "2 scenes; 1 of 8 labels of grammar base"


def test_a_label_map_beside_a_yolo_names_what_it_finds_and_counts_in_the_sets_identity(tmp_path):
    shutil.copy(WEIGHTS / "detector" / "detector.pt", tmp_path / "detector.pt")
    (tmp_path / "names.json").write_text('{"zebra": "striped horse"}')
    named = YoloDetector(path=tmp_path / "detector.pt", size=128, label_map="names.json")
    image = draw("a photo of one zebra and no people in a park", 3).image
    assert "striped horse" in {one.label for one in named.detect([image])[0]}
    assert "striped horse" in named.labels
    assert "zebra" not in named.labels
    (tmp_path / "mine.yaml").write_text(
        "name: mine\ngenerator: {class: drawn}\n"
        "detector: {class: yolo, path: detector.pt, options: {label_map: names.json}}\n"
        "scene: {class: clip-zero-shot}\n"
        f"clip: {{class: open-clip, path: {WEIGHTS / 'clip'}}}\n"
    )
    models = load_model_set(str(tmp_path / "mine.yaml"), device="cpu")
    before = models.identity()
    (tmp_path / "names.json").write_text('{"zebra": "donkey"}')
    assert models.identity() != before


def test_the_answers_of_an_open_vocabulary_are_compared_in_any_spelling():
    assert phrase_of("Sea Otter", ["dog", "sea_otter"]) == "sea_otter"
    assert phrase_of("lawn-mower", ["lawn mower", "dog"]) == "lawn mower"
