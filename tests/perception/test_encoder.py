"""The encoder: images in a grammar's words."""

import re
from pathlib import Path

import pytest

from rldf.grammar.grammar import check_grammar, load_grammar
from rldf.perception.encoder import Encoder
from tests.doubles import Scripted, picture, thing

BASE = load_grammar("base")


def read(things, scenes=None, grammar=BASE, **more):
    readers = Scripted({1: things}, {1: scenes or {"beach": 1.0}}, **more)
    return Encoder(grammar, readers).encode(picture(1))


def test_a_plain_image_is_read_on_every_axis():
    reading = read([thing("dog")], {"beach": 0.8, "park": 0.2})
    assert reading.sentence == "a photo of one dog and no people on a beach"
    assert BASE.parse(reading.sentence) == reading.encoding
    assert reading.confidence["Scene"] == pytest.approx(0.8)


def test_the_dominant_noun_has_the_largest_sum_of_confidence_times_area():
    small_and_sure = [thing("car", 0.99, side=10)] * 2
    large = [thing("zebra", 0.6, side=40)]
    reading = read(small_and_sure + large)
    assert [seen.value for seen in reading.seen.objects] == ["zebra", "car"]
    assert "one zebra" in reading.sentence


@pytest.mark.parametrize(("count", "word"), [(1, "one dog"), (2, "many dogs"), (9, "many dogs")])
def test_counts_fall_into_the_axis_bins(count, word):
    assert word in read([thing("dog")] * count).sentence


@pytest.mark.parametrize(("people", "words"), [(0, "no people"), (1, "one person"), (5, "many")])
def test_people_are_counted_apart_and_are_no_objects(people, words):
    crowd = [thing("person", side=90)] * people
    reading = read([thing("dog", side=5), *crowd])
    assert words in reading.sentence
    assert "one dog" in reading.sentence
    assert reading.seen.people == people


def test_the_scene_sums_the_probabilities_of_a_values_labels():
    text = (
        "name: two\nproductions: {S: Noun Scene}\naxes:\n"
        "  Noun: {reads: object, values: {dog: {labels: [dog]}}}\n"
        "  Scene:\n    reads: scene\n    values:\n"
        "      green: {labels: [park, lawn]}\n      sand: {labels: [beach]}\n"
    )
    grammar, problems = check_grammar(text)
    assert problems == []
    reading = read([thing("dog")], {"park": 0.3, "lawn": 0.3, "beach": 0.4}, grammar=grammar)
    assert reading.sentence == "dog green"
    assert reading.seen.scenes["green"] == pytest.approx(0.6)


def test_what_the_grammar_has_no_word_for_is_told_and_ignored():
    reading = read([thing("dog"), thing("toaster", side=80)])
    assert reading.seen.ignored == ("toaster",)
    assert "one dog" in reading.sentence


def test_an_image_without_any_known_object_has_no_encoding():
    reading = read([thing("toaster")])
    assert reading.encoding is None
    assert reading.sentence is None
    assert reading.likeness is None


def test_attributes_are_read_by_clip_beside_the_other_words():
    pocket = load_grammar("pocket")
    rainy = "a photo of one dog and no people on a beach in the rain"
    reading = read(
        [thing("dog")], grammar=pocket, images={1: (0.0, 1.0)}, texts={rainy: (0.0, 1.0)}
    )
    assert reading.sentence == rainy
    assert reading.confidence["Weather"] > 0.9
    assert reading.likeness == pytest.approx(1.0)


def test_an_axis_passes_over_nouns_that_it_has_no_word_for():
    text = (
        "name: two\nproductions: {S: Noun Companion}\naxes:\n"
        "  Noun: {reads: object, values: {dog: {labels: [dog]}, cat: {labels: [cat]}}}\n"
        "  Companion:\n    reads: object\n    rank: 2\n    values:\n"
        '      nothing: {text: ""}\n      ball: {text: with a ball, labels: [sports ball]}\n'
    )
    grammar, problems = check_grammar(text)
    assert problems == []
    ball, dog, cat = thing("sports ball", side=50), thing("dog", side=30), thing("cat", side=20)
    assert read([ball, dog, cat], grammar=grammar).sentence == "dog with a ball"
    assert read([dog, cat], grammar=grammar).sentence == "dog"
    assert read([ball], grammar=grammar).encoding is None


def test_a_second_noun_is_the_companion_and_nobody_dances_where_nobody_is():
    pocket = load_grammar("pocket")
    reading = read([thing("dog", side=40), thing("car", side=20)], grammar=pocket)
    words = pocket.decode(reading.encoding)
    assert (words["Noun"], words["Companion"]) == ("dog", "car")
    assert words["Verb"] == "standing"
    assert pocket.decode(read([thing("dog")], grammar=pocket).encoding)["Companion"] == "nothing"


PAIRS, PORTRAITS = (
    check_grammar(text)[0]
    for text in re.findall(
        r"```yaml\n(name: p.*?)```",
        (Path(__file__).parents[2] / "docs" / "writing-a-grammar.md").read_text("utf-8"),
        re.DOTALL,
    )
)


@pytest.mark.parametrize(
    ("spoons", "sentence"),
    [
        (0, "a photo of one bowl and no apples on a table"),
        (1, "a photo of one bowl and one spoon on a table"),
        (3, "a photo of one bowl and many spoons on a table"),
    ],
)
def test_the_second_object_is_counted_too(spoons, sentence):
    seen = [thing("bowl", side=60), *[thing("spoon", side=10)] * spoons]
    reading = read(seen, {"dining_room": 1.0}, grammar=PAIRS)
    assert reading.sentence == sentence
    assert PAIRS.parse(sentence) == reading.encoding


def test_what_people_are_like_is_read_by_clip():
    sad = "a photo of one old man with a sad face on a beach"
    words = {sad: (0.0, 1.0), "a photo of one old person on a beach": (0.8, 0.6)}
    words["a photo of one old man on a beach"] = (0.6, 0.8)
    reading = read([thing("person")], grammar=PORTRAITS, images={1: (0.0, 1.0)}, texts=words)
    assert reading.sentence == sad
    assert reading.confidence["Emotion"] > 0.9


def test_what_can_be_read_beside_an_unknown_object_is_the_nearest():
    reading = read([thing("toaster"), thing("person")], {"beach": 1.0})
    assert reading.encoding is None
    nearest = BASE.decode(reading.nearest)
    assert nearest == {"Frequency": "one", "Noun": "banana", "Density": "one", "Scene": "beach"}
    assert set(reading.confidence) == {"Density", "Scene"}


def test_the_nearest_of_a_readable_image_is_its_encoding():
    reading = read([thing("dog")])
    assert reading.nearest == reading.encoding
