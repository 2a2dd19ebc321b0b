"""The drawn world: exact ground truth, the same picture every time."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rldf.errors import GrammarError
from rldf.grammar.grammar import load_grammar
from rldf.pocket.training import autoencoder, clip, detector, diffusion, scene
from rldf.pocket.training import drawings as training
from rldf.pocket.training.tokenizer import TOKENS, build_tokenizer
from rldf.pocket.world.backdrops import PAINTERS
from rldf.pocket.world.drawing import draw, world_grammar
from rldf.pocket.world.sampling import CHECK_SEEDS, sample_encoding
from rldf.pocket.world.sprites import NOUNS, looks
from rldf.seeding import rng

WORLD = world_grammar()
BASE = load_grammar("base")
TRAININGS = (
    autoencoder.DRAWINGS,
    detector.SHIPPED.drawings,
    scene.DRAWINGS,
    clip.DRAWINGS,
    diffusion.DRAWINGS,
)
COUNTS = {"no": {0}, "one": {1}, "two": {2}, "many": {3, 4}}
PEOPLE = {"no": {0}, "one": {1}, "many": {2, 3, 4}}


def label(symbol, value):
    """The reader's label of a value, None for a value that stands for nothing."""
    axis = WORLD.axis(symbol)
    return next(iter(axis.values[axis.index(value)].labels), None)


def test_every_word_of_the_grammar_has_its_picture():
    assert [value.name for value in WORLD.axis("Noun").values] == list(NOUNS)
    assert [value.name for value in WORLD.axis("Scene").values] == list(PAINTERS)
    assert [len(looks(noun)) for noun in NOUNS] == [
        len(glyphs.split()) for glyphs in NOUNS.values()
    ]
    for value in WORLD.axis("Verb").values:
        assert len(looks(value.name)) == 10


def test_the_world_is_as_large_as_promised():
    nouns = WORLD.axis("Noun").values
    assert len(nouns) >= 120
    assert len({value.wnid for value in nouns} - {None}) >= 100
    assert len(WORLD.axis("Scene").values) >= 16
    assert len(WORLD.axis("Verb").values) - 1 >= 4


def test_wnids_are_ilsvrc_classes_of_that_name():
    timm = pytest.importorskip("timm.data")
    info = timm.ImageNetInfo("imagenet-1k")
    for value in WORLD.axis("Noun").values:
        if value.wnid is not None:
            index = info.label_names().index(value.wnid)
            described = info.index_to_description(index).lower()
            named = {
                "elephant": "african elephant", "airplane": "airliner", "hot dog": "hotdog",
                "Granny Smith apple": "granny smith", "corn cob": "corn", "rooster": "cock",
                "horse": "sorrel", "jeans": "blue jean",
            }  # fmt: skip
            assert named.get(value.name, value.name.lower()) in described


def test_every_base_sentence_is_a_sentence_of_the_world():
    for index in range(0, BASE.n_states, 7):
        state = tuple(int(i) for i in np.unravel_index(index, BASE.shape))
        words = WORLD.decode(WORLD.parse(BASE.derive(state)))
        assert words.items() >= BASE.decode(state).items()


@settings(max_examples=60)
@given(st.integers(0, 10**12))
@example(588796345)  # so crowded that everything shrinks
def test_boxes_and_labels_are_what_the_sentence_says(seed):
    words_of = sample_encoding(WORLD, rng(seed, "sentence"))
    words = WORLD.decode(words_of)
    drawing = draw(WORLD.derive(words_of), seed)
    assert drawing.image.size == (128, 128)
    assert drawing.image.mode == "RGB"
    labels = [box.label for box in drawing.boxes]
    noun, companion = label("Noun", words["Noun"]), label("Companion", words["Companion"])
    assert labels.count(noun) in COUNTS[words["Frequency"]]
    person = label("Verb", words["Verb"])
    assert labels.count(person) in PEOPLE[words["Density"]]
    assert set(labels) - {noun, person} == {companion} - {None}
    if companion is not None:
        assert labels.count(companion) in COUNTS[words["CompanionFrequency"]]
    assert drawing.scene == label("Scene", words["Scene"])
    for box in drawing.boxes:
        left, top, right, lower = box.xyxy
        assert 0 <= left < right <= 128
        assert 0 <= top < lower <= 128
        assert max(right - left, lower - top) >= 20, "too small to recognise"


def test_the_same_sentence_and_seed_give_the_same_picture():
    sentence = "a watercolour of two dogs and one person dancing in a park in the rain at night"
    first, again, other = draw(sentence, 5), draw(sentence, 5), draw(sentence, 6)
    assert first.image.tobytes() == again.image.tobytes()
    assert first.boxes == again.boxes
    assert first.image.tobytes() != other.image.tobytes()


@pytest.mark.parametrize(
    "attribute", ["in the rain", "in falling snow", "in thick fog", "at sunset", "at night"]
)
def test_attributes_change_the_pixels(attribute):
    plain = "a photo of one dog and no people on a beach"
    means = [
        np.mean([np.asarray(draw(text, seed).image, float) for seed in range(8)], axis=0)
        for text in (plain, f"{plain} {attribute}")
    ]
    assert np.abs(means[0] - means[1]).mean() > 8


def test_a_colour_word_colours_the_things_of_the_first_noun_and_nothing_else():
    hues = {}
    for colour in ("red", "yellow", "green", "blue", "purple"):
        image = draw(f"a photo of one {colour} car and no people in a snowfield", 4).image
        hsv = np.asarray(image.convert("HSV"), int)
        hues[colour] = np.bincount(hsv[hsv[..., 1] > 200][:, 0], minlength=256).argmax()
    order = [hues[c] for c in ("yellow", "green", "blue", "purple")]
    assert order == sorted(order)
    assert min(hues["red"], 256 - hues["red"]) < order[0]
    with pytest.raises(GrammarError):
        draw("a photo of one red tiger and no people on a beach", 1)


def test_a_sentence_of_another_language_is_refused():
    with pytest.raises(GrammarError, match="not a sentence of grammar pocket"):
        draw("a photo of one dragon and no people on a beach", 1)


def test_training_seeds_stay_below_the_check_seeds(tmp_path):
    most = max(n for part in TRAININGS for n in part.values())
    assert most >= 40_000
    assert all(0 <= first <= CHECK_SEEDS - most for first in training._FIRST_SEED.values())
    too_far = (CHECK_SEEDS - training._FIRST_SEED["pocket"]) // training.SHARD
    with pytest.raises(AssertionError, match="below the check seeds"):
        training.make_shard(tmp_path, "pocket", too_far)


def test_a_shard_is_drawn_once_and_read_back(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SHARD", 3)
    (pixels, records), *_ = training.load_shards(tmp_path, "base", 3)
    assert pixels.shape == (3, 128, 128, 3)
    sentence, drawing = training.draw_sample("base", 1)
    assert records[1].sentence == sentence
    assert np.array_equal(pixels[1], np.asarray(drawing.image))
    monkeypatch.setattr(training, "draw_sample", None)
    again, _ = next(training.load_shards(tmp_path, "base", 3))
    assert np.array_equal(pixels, again)


def test_every_sentence_of_the_world_fits_the_text_encoder(tmp_path):
    tokenizer = build_tokenizer(tmp_path)

    def longest(forms):
        return max(len(tokenizer(text).input_ids) - 2 for text in forms)

    of_axes = [
        longest(text for value in axis.values for text in value.forms.values())
        for axis in WORLD.axes
    ]
    fixed = sum(longest(slot.forms.values()) for slot in WORLD.slots if slot.axis is None)
    assert 2 + fixed + sum(of_axes) <= TOKENS
