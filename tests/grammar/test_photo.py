"""The grammar for photographs: every axis of the paper, in sentences that read back."""

import re
import time
from pathlib import Path

import numpy as np
import pytest
from open_clip import get_tokenizer

from rldf.grammar.grammar import check_grammar, load_grammar
from rldf.io.resources import find
from rldf.io.yaml import read_text
from rldf.perception.encoder import Encoder
from rldf.seeding import rng
from tests.doubles import picture, thing
from tests.perception.test_labels import Told

PHOTO = load_grammar("photo")
COCO = load_grammar("coco-places")
COCO_LABELS = (*(label for v in COCO.axis("Noun").values for label in v.labels), "person")


def of(**values):
    """Give the encoding of some values; the other axes have their first ones."""
    first = {axis.symbol: axis.values[0].name for axis in PHOTO.axes}
    return PHOTO.encode(first | values)


def test_every_axis_of_the_paper_is_there_and_the_proof_of_one_reading_is_fast():
    started = time.process_time()
    grammar, problems = check_grammar(read_text(find("grammars", "photo"), "grammar"))
    assert time.process_time() - started < 10  # 1 s on an idle core
    assert problems == []
    assert grammar.n_states > 10**12
    assert [axis.symbol for axis in grammar.axes] == [
        "Medium", "Frequency", "Colour", "Noun", "Density", "Gender", "Race", "Age", "Emotion",
        "Verb", "Scene", "City", "CompanionFrequency", "Companion", "Weather", "Time", "Palette",
    ]  # fmt: skip
    assert grammar.axis("Scene").values == COCO.axis("Scene").values
    own = grammar.axis("Noun").values
    assert own[-79:] == COCO.axis("Noun").values
    assert own[0].name == "nothing"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"Scene": "street"}, "a photo of a street"),
        ({"Scene": "sky", "Time": "sunset"}, "a photo of the sky at sunset"),
        (
            {"Noun": "dog", "Frequency": "two", "Density": "one", "Verb": "riding a bicycle",
             "Scene": "park"},
            "a photo of two dogs and one person riding a bicycle in a park",
        ),
        (
            {"Density": "many", "Gender": "woman", "Race": "East Asian", "Age": "forty",
             "Emotion": "happy", "Verb": "riding a bicycle", "Scene": "crosswalk", "City": "Tokyo",
             "Weather": "rain", "Time": "night"},
            "a photo of many women of East Asian descent aged about forty with happy faces riding "
            "bicycles on a crosswalk in Tokyo in the rain at night",
        ),
        (
            {"Medium": "painting", "Noun": "car", "Colour": "red", "Scene": "castle",
             "Companion": "goose", "CompanionFrequency": "many", "Palette": "warm colours"},
            "an oil painting of one red car in front of a castle with many geese in warm colours",
        ),
        ({"Density": "two", "Gender": "girl", "Scene": "beach"}, "a photo of two girls on a beach"),
        ({"Companion": "cat", "Scene": "beach"}, "a photo of a beach with one cat"),
    ],
)  # fmt: skip
def test_sentences(values, sentence):
    assert PHOTO.derive(of(**values)) == sentence
    assert PHOTO.parse(sentence) == of(**values)


def test_words_that_have_no_meaning_are_not_spoken():
    people = {"Gender": "man", "Age": "forty", "Verb": "running"}
    nobody = of(Noun="zebra", Colour="red", Scene="attic", Weather="snow", **people)
    assert PHOTO.derive(nobody) == "a photo of one zebra in an attic"
    assert PHOTO.canonical(nobody) == of(Noun="zebra", Scene="attic")
    child = of(Density="one", Gender="boy", Age="forty", Scene="glacier", City="Paris")
    assert PHOTO.derive(child) == "a photo of one boy on a glacier"


def test_what_keeps_a_sentence_from_speaking_of_an_axis_is_named():
    number = {axis.symbol: i for i, axis in enumerate(PHOTO.axes)}
    state = of(Noun="zebra", Scene="attic")
    assert PHOTO.unspoken(number["Weather"], state) == "Scene is attic"
    assert PHOTO.unspoken(number["Age"], state) == "Gender is anyone"
    assert PHOTO.unspoken(number["Age"], state, [number["Gender"]]) == "Density is no"
    assert PHOTO.unspoken(number["Age"], state, [number["Gender"], number["Density"]]) == ""
    assert PHOTO.unspoken(number["Frequency"], state) == ""


@pytest.mark.parametrize("n", [2_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_random_sentences_read_back_and_fit_clips_text_encoder(n):
    random, sentences = rng(0, "photo"), set()
    for _ in range(n):
        state = PHOTO.canonical(tuple(int(random.integers(n)) for n in PHOTO.shape))
        sentence = PHOTO.derive(state)
        assert PHOTO.parse(sentence) == state
        assert sentence == " ".join(sentence.split())
        sentences.add(sentence)
    assert len(sentences) > 0.99 * n
    tokenize = get_tokenizer("ViT-L-14", context_length=200)
    assert int((tokenize(sorted(sentences)) != 0).sum(1).max()) <= 77


def test_the_longest_sentence_fits_clips_text_encoder():
    """Tokens do not run across words: the longest value of each axis makes the longest sentence."""
    tokenize = get_tokenizer("ViT-L-14", context_length=300)
    longest = []
    for axis in PHOTO.axes:
        texts = [" ".join(max(v.forms.values(), key=len).split()) for v in axis.values]
        tokens = (tokenize(texts) != 0).sum(1)
        longest.append(int(tokens.max()) - 2)
    assert sum(longest) + len(["in", "front", "of", "and"]) + 2 <= 77


def test_articles_and_plurals():
    for value in PHOTO.axis("Noun").values[1:]:
        assert set(value.forms) == {"singular", "plural"}
        one, many = value.forms["singular"], value.forms["plural"]
        assert not one.startswith(("a ", "an "))
        same = {"deer", "fish", "jellyfish", "starfish", "sheep"}
        assert (one != many) or one in same
        assert not many.endswith(("ys",)) or many[-3] in "aeou"  # daisies, keys
        assert not many.endswith(("chs", "shs", "sss", "xs", "fs"))


class Captioned(Told):
    """Readers whose CLIP compares the words of a text, plural or not, with those of a caption."""

    def __init__(self, things, caption):
        super().__init__({1: things}, {1: {"beach": 1.0}}, labels=COCO_LABELS)
        self._caption = self._words(caption)

    def _words(self, text):
        return {word.removesuffix("s") for word in text.split()}

    def embed_texts(self, texts):
        far = np.array([len(self._caption ^ self._words(text)) for text in texts])
        angle = 0.1 * far
        return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def read(caption, *things):
    return Encoder(PHOTO, Captioned([*things], caption)).encode(picture(1))


def test_a_detectors_nouns_are_read_by_it_alone():
    reading = read("a photo of two tulips on a beach", thing("zebra"), thing("zebra"))
    assert reading.sentence == "a photo of two zebras on a beach"
    assert reading.record.axes["Noun"].source == "detector"


def test_nouns_that_the_detector_has_no_label_for_are_read_by_clip_where_it_sees_nothing():
    reading = read("a photo of three red tulips on a beach at night")
    assert reading.sentence == "a photo of three red tulips on a beach at night"
    for symbol in ("Noun", "Frequency", "Colour", "Time"):
        axis = reading.record.axes[symbol]
        assert (axis.source, axis.known) == ("CLIP", True)
        assert axis.probability > 0.1


@pytest.mark.parametrize(
    ("caption", "things"),
    [
        ("a photo of a beach", []),
        ("a photo of a beach in the rain at sunset", []),
        ("a photo of one woman aged about forty with a happy face reading a book on a beach",
         [thing("person")]),
        ("a photo of two girls of African descent running on a beach", [thing("person")] * 2),
    ],
)  # fmt: skip
def test_a_photograph_of_a_place_or_of_people_alone_has_an_encoding(caption, things):
    reading = read(caption, *things)
    assert reading.sentence == caption
    assert reading.encoding == PHOTO.canonical(reading.encoding)
    assert PHOTO.decode(reading.encoding)["Noun"] == "nothing"


def test_the_example_of_a_domain_derives_its_sentences():
    page = (Path(__file__).parents[2] / "docs" / "grammar-photo.md").read_text("utf-8")
    (text,) = re.findall(r"```yaml\n(name: .*?)```", page, re.DOTALL)
    grammar, problems = check_grammar(text)
    assert problems == []
    lines = re.findall(r"^ +([\d,]+)  (a .*)$", page, re.MULTILINE)
    assert len(lines) == 2
    for vector, sentence in lines:
        assert grammar.derive(tuple(map(int, vector.split(",")))) == sentence
