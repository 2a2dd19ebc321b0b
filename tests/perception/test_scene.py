"""Scene classifiers of transformers: folders that carry code, and labels of other names."""

import json

import pytest
import torch
from PIL import Image
from transformers import ResNetConfig, ResNetForImageClassification, ViTImageProcessor

from rldf.errors import ConfigError
from rldf.perception.scene import TransformersScene


def test_code_of_a_folder_is_neither_run_nor_asked_for(tmp_path, monkeypatch):
    marker = tmp_path / "code-ran"
    config = {
        "model_type": "mystery",
        "auto_map": {
            "AutoConfig": "evil.Config",
            "AutoImageProcessor": "evil.Processor",
            "AutoModelForImageClassification": "evil.Model",
        },
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(config))
    (tmp_path / "evil.py").write_text(f"open({str(marker)!r}, 'w')\n")

    asked = []
    monkeypatch.setattr("builtins.input", lambda *words: asked.append(words) or "n")
    with pytest.raises(ConfigError, match="no image classifier") as caught:
        TransformersScene(path=tmp_path)
    assert "\n" not in str(caught.value)
    assert not asked
    assert not marker.exists()


@pytest.fixture
def rooms(tmp_path):
    torch.manual_seed(7)
    names = dict(enumerate(("Kitchen", "galley", "/b/beach")))
    config = ResNetConfig(
        embedding_size=4, hidden_sizes=[4, 8], depths=[1, 1], layer_type="basic",
        id2label=names, label2id={name: i for i, name in names.items()},
    )  # fmt: skip
    ResNetForImageClassification(config).save_pretrained(tmp_path)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    return tmp_path


def test_a_label_map_gives_places_their_names_and_adds_those_of_one_name(rooms):
    image = Image.radial_gradient("L").convert("RGB")
    (plain,) = TransformersScene(path=rooms).classify([image])
    assert list(plain) == ["Kitchen", "galley", "/b/beach"]
    (rooms / "places.json").write_text(json.dumps({"Kitchen": "kitchen", "galley": "kitchen"}))
    (named,) = TransformersScene(path=rooms, label_map="places.json").classify([image])
    assert set(named) == {"kitchen", "/b/beach"}
    assert named["kitchen"] == pytest.approx(plain["Kitchen"] + plain["galley"])
    assert sum(named.values()) == pytest.approx(1)


def test_a_wrong_label_map_of_a_scene_classifier_is_told(rooms):
    (rooms / "places.json").write_text(json.dumps({"kitchenette": "kitchen"}))
    with pytest.raises(ConfigError, match=r"no label 'kitchenette'"):
        TransformersScene(path=rooms, label_map="places.json")


def test_images_that_are_not_cut_to_one_size_are_read_like_each_alone(rooms):
    ViTImageProcessor(do_resize=False).save_pretrained(rooms)
    scene = TransformersScene(path=rooms)
    images = [Image.radial_gradient("L").convert("RGB").crop((0, 0, w, 200)) for w in (128, 96)]
    together, alone = scene.classify(images), [scene.classify([one])[0] for one in images]
    for row, single in zip(together, alone, strict=True):
        assert row == pytest.approx(single)
