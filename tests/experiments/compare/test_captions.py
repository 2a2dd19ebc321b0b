"""Captions: retrieval finds the best sentence, and model folders of strangers are read safely."""

import itertools
import json

import numpy as np
import pytest
from PIL import Image

from rldf.errors import ConfigError, ModelMissingError
from rldf.experiments.compare.captions import CaptionModel, SentenceRetrieval, make_captioner
from rldf.grammar.grammar import load_grammar
from rldf.pocket.world.drawing import draw
from tests.experiments.compare.tiny import save_captioner


class Additive:
    """CLIP whose likeness of a sentence is a sum over its words; counts the sentences."""

    def __init__(self, grammar, wanted):
        self.grammar, self.wanted, self.texts = grammar, wanted, 0

    def embed_images(self, images):
        return np.array([[1.0, 0.0]] * len(images), np.float32)

    def embed_texts(self, texts):
        self.texts += len(texts)
        cells = [self.grammar.parse(text) for text in texts]
        same = [sum(a == b for a, b in zip(cell, self.wanted, strict=True)) for cell in cells]
        angles = [0.1 * (len(self.wanted) - n) for n in same]
        return np.array([[np.cos(a), np.sin(a)] for a in angles], np.float32)


def test_retrieval_finds_one_sentence_among_millions_with_few_texts():
    grammar = load_grammar("pocket")
    wanted = tuple(n - 1 for n in grammar.shape)
    clip = Additive(grammar, wanted)
    assert SentenceRetrieval(grammar, clip).nearest(Image.new("RGB", (8, 8))) == wanted
    assert clip.texts < 5_000 < grammar.n_states


def test_retrieval_is_as_good_as_looking_at_every_sentence(pocket):
    grammar = load_grammar("base")
    cells = list(itertools.product(*map(range, grammar.shape)))
    texts = pocket.clip.embed_texts([grammar.derive(cell) for cell in cells])
    captioner = SentenceRetrieval(grammar, pocket.clip)
    for seed, cell in enumerate([(0, 3, 1, 4), (1, 7, 0, 6), (1, 5, 2, 2)]):
        image = draw(grammar.derive(cell), seed).image
        best = cells[int((texts @ pocket.clip.embed_images([image])[0]).argmax())]
        assert captioner.nearest(image) == best
        assert captioner.caption(image) == grammar.derive(best)


def test_a_model_set_with_a_world_of_its_own_is_captioned_in_its_grammar(pocket):
    caption = make_captioner(pocket, None, "base").caption(
        draw("a watercolour of two hens and no people by a lake at night", 1).image
    )
    assert load_grammar("pocket").decode(load_grammar("pocket").parse(caption))["Time"] == "night"


@pytest.mark.parametrize("kind", ["blip", "git", "vision-encoder-decoder"])
def test_image_to_text_folders_caption_the_same_each_time(tmp_path, kind):
    save_captioner(tmp_path, kind)
    image = Image.new("RGB", (50, 40), "red")
    said = CaptionModel(tmp_path).caption(image)
    assert said.split() and set(said.split()) <= {f"w{i}" for i in range(116)}
    assert CaptionModel(tmp_path).caption(image) == said


def test_a_missing_folder_is_a_missing_model(tmp_path):
    with pytest.raises(ModelMissingError, match=r"no image-to-text model at .*nowhere"):
        CaptionModel(tmp_path / "nowhere")


def test_a_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(ConfigError, match=r"no image-to-text model"):
        CaptionModel(tmp_path)


def test_pickled_weights_are_refused(tmp_path):
    import torch

    save_captioner(tmp_path, "git")
    (tmp_path / "model.safetensors").unlink()
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ConfigError, match=r"has only pickled weights"):
        CaptionModel(tmp_path)


def test_code_of_a_folder_does_not_run(tmp_path):
    save_captioner(tmp_path, "git")
    file = tmp_path / "config.json"
    config = json.loads(file.read_text()) | {
        "model_type": "own",
        "auto_map": {
            "AutoConfig": "evil.Config",
            "AutoModelForImageTextToText": "evil.Model",
        },
    }
    file.write_text(json.dumps(config))
    (tmp_path / "evil.py").write_text("raise SystemExit('it ran')")
    with pytest.raises(ConfigError, match=r"names code to run"):
        CaptionModel(tmp_path)
