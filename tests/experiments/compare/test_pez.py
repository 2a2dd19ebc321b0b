"""Hard prompts by gradient: the projection, the text tower, and prompts that say what is there."""

import numpy as np
import open_clip
import pytest
import torch

from rldf import seeding as seeds
from rldf.errors import UsageError
from rldf.experiments.compare.pez import TextTower, climb, hard_prompt, nearest
from rldf.pocket.world.drawing import draw

SENTENCE = "a photo of one banana and no people in a snowfield"


@pytest.fixture(scope="module")
def tower(pocket):
    return TextTower(pocket.clip.model, pocket.clip.tokenize)


@pytest.fixture(scope="module")
def image(pocket):
    return pocket.clip.embed_images([draw(SENTENCE, 5).image])[0]


def test_the_projection_takes_the_nearest_word_by_angle():
    rng = np.random.default_rng(0)
    soft, words = rng.normal(size=(2, 3, 4)), rng.normal(size=(9, 4))
    found = nearest(torch.tensor(soft), torch.tensor(words)).numpy()
    for i, j in np.ndindex(2, 3):
        angles = [v @ soft[i, j] / np.linalg.norm(v) for v in words]
        assert found[i, j] == int(np.argmax(angles))


def test_the_tower_embeds_a_prompt_as_the_model_embeds_its_text(pocket, tower):
    tokens = pocket.clip.tokenize([SENTENCE])[0]
    special = set(pocket.clip.tokenize([""])[0].tolist())
    numbers = [n for n in tokens.tolist() if n not in special]
    places = [tower.numbers.tolist().index(n) for n in numbers]
    with torch.no_grad():
        found = tower.embed(tower.words[places][None])[0].numpy()
    assert found == pytest.approx(pocket.clip.embed_texts([SENTENCE])[0], abs=1e-5)
    assert tower.text(tuple(numbers)) == SENTENCE


def test_the_tower_holds_for_models_whose_text_half_is_a_part_of_its_own():
    torch.manual_seed(0)
    model = open_clip.model.CustomTextCLIP(
        8,
        {"image_size": 32, "patch_size": 16, "width": 16, "layers": 1, "head_width": 8},
        {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
    ).eval()
    tokenize = open_clip.SimpleTokenizer()
    tower = TextTower(model, tokenize)
    assert tower.room == 75
    numbers = tokenize.encode("two dogs")
    places = [tower.numbers.tolist().index(n) for n in numbers]
    with torch.no_grad():
        said = model.encode_text(tokenize(["two dogs"]), normalize=True)
        assert torch.allclose(tower.embed(tower.words[places][None]), said, atol=1e-5)


def test_prompts_hold_printable_words_only(tower, pocket):
    special = set(pocket.clip.tokenize([""])[0].tolist())
    assert not special & set(tower.numbers.tolist())
    assert all(tower.text((n,)).isprintable() for n in tower.numbers.tolist())
    assert tower.room == 30


def test_the_climb_leaves_its_start_behind(tower, image):
    def best(steps):
        found = climb(tower, image, seeds.rng(0), length=8, steps=steps)[0]
        places = [tower.numbers.tolist().index(n) for n in found]
        with torch.no_grad():
            return float(tower.embed(tower.words[places][None])[0] @ torch.from_numpy(image))

    assert best(1) < 0.6 < 0.9 < best(60)


def test_a_prompt_names_what_is_in_the_image(pocket, image):
    prompt = hard_prompt(pocket.clip, image, 0, length=8, steps=100)
    assert "banana" in prompt
    assert float(pocket.clip.embed_texts([prompt])[0] @ image) > 0.9
    assert hard_prompt(pocket.clip, image, 0, length=8, steps=100) == prompt


def test_a_prompt_is_never_longer_than_the_tower_takes(tower, image):
    found = climb(tower, image, seeds.rng(0), length=500, steps=2)
    assert {len(tokens) for tokens in found} == {30}


def test_another_kind_of_clip_is_told(image):
    with pytest.raises(UsageError, match="is not an open_clip model"):
        hard_prompt(object(), image, 0)
