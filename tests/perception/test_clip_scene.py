"""CLIP's own guess of the place, where there is no scene classifier."""

import numpy as np
import pytest
from PIL import Image

from rldf.errors import ConfigError
from rldf.grammar.grammar import load_grammar
from rldf.models.model_sets import load_model_set
from rldf.models.places365 import places365
from rldf.perception.clip_scene import ClipScene
from rldf.perception.encoder import Encoder
from tests.doubles import Scripted, picture, thing


@pytest.mark.parametrize("spelling", ["swimming_pool/outdoor", "/s/swimming_pool/outdoor",
                                      "Swimming pool outdoor"])  # fmt: skip
def test_places_of_another_spelling_are_a_grammars_places(spelling):
    readers = Scripted({1: [thing("dog")]}, {1: {"park": 0.2, spelling: 0.5}})
    reading = Encoder(load_grammar("coco-places"), readers).encode(picture(1))
    assert reading.sentence == "a photo of one dog and no people by an outdoor swimming pool"
    assert reading.confidence["Scene"] == pytest.approx(0.5)


def test_clip_tells_the_place_whose_words_are_nearest():
    """The softmax of 100 x cosine, written out: the kitchen's is 0.8, all others' 0.6."""
    words = {"a photo of a kitchen": (0.8, 0.6)}
    readers = Scripted({}, {}, images={1: (1.0, 0.0)}, texts=words)
    readers._texts = _Else(words, (0.6, 0.8))
    (found,) = ClipScene(clip=readers).classify([picture(1)])
    assert sorted(found) == list(places365())
    kitchen = np.exp(100 * 0.2) / (np.exp(100 * 0.2) + 364)
    assert found["kitchen"] == pytest.approx(kitchen, rel=1e-4)
    assert found["beach"] == pytest.approx((1 - kitchen) / 364, rel=1e-2)
    assert ClipScene(clip=readers).classify([]) == []


class _Else(dict):
    """Vectors of texts, and one for all other texts."""

    def __init__(self, known, other):
        super().__init__(known)
        self._other = other

    def get(self, key, default=None):
        return super().get(key, self._other)


def test_a_model_set_lends_its_clip_to_the_scenes(tmp_path, pocket):
    weights = pocket.path("clip").parent
    (tmp_path / "mine.yaml").write_text(
        "name: mine\ngenerator: {class: drawn}\n"
        f"detector: {{class: yolo, path: {weights / 'detector' / 'detector.pt'}}}\n"
        "scene: {class: clip-zero-shot, options: {grammar: base}}\n"
        f"clip: {{class: open-clip, path: {weights / 'clip'}}}\n"
    )
    models = load_model_set(str(tmp_path / "mine.yaml"), device="cpu")
    assert models.scene._clip is models.clip
    (found,) = models.scene.classify([Image.new("RGB", (64, 64), "blue")])
    axis = load_grammar("base").reading("scene")
    assert list(found) == [value.labels[0] for value in axis.values]
    assert sum(found.values()) == pytest.approx(1)


def test_a_grammar_without_scenes_is_refused(tmp_path):
    text = "name: bare\nproductions: {S: Noun}\naxes:\n"
    text += "  Noun: {reads: object, values: {dog: {labels: [dog]}}}\n"
    (tmp_path / "bare.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"no axis that reads the scene"):
        ClipScene(clip=Scripted({}, {}), grammar=str(tmp_path / "bare.yaml"))
