"""One axis of a picture, read where the rest of its sentence is known."""

import pytest

from rldf.experiments.applications.control import read_back, reader_of
from rldf.grammar.axis_kinds import ReadBack
from rldf.grammar.grammar import load_grammar
from rldf.perception.encoder import Encoder
from tests.doubles import Scripted, picture, thing

GRAMMAR = load_grammar("pocket")
DOG = GRAMMAR.parse("a photo of one dog and no people in a park")
TWICE = GRAMMAR.parse("a photo of one dog with a dog and no people in a park")
SNOW, RAIN = "in falling snow", "in the rain"

READERS = Scripted(
    things={
        1: [thing("dog", side=20), thing("dog", side=20), thing("zebra", side=60)],
        2: [thing("person"), thing("person")],
        3: [thing("dog", side=20)],
    },
    scenes={1: {"beach": 0.7, "park": 0.3}},
    images={1: (0.0, 1.0)},
    texts={GRAMMAR.derive(DOG) + f" {SNOW}": (0.0, 1.0)},
)
PICTURES = [picture(tag) for tag in (1, 2, 3)]


def read(symbol, cell=DOG):
    number = [axis.symbol for axis in GRAMMAR.axes].index(symbol)
    found = read_back(Encoder(GRAMMAR, READERS), READERS, number, PICTURES, [cell] * 3)
    values = GRAMMAR.axes[number].values
    names = [None if back.value is None else values[back.value].name for back in found]
    return names, [back.number for back in found]


def test_clip_chooses_among_the_sentences_that_differ_in_the_axis():
    assert read("Weather")[0] == ["snow", None, None]  # all equally like: not the first of them


def test_counts_are_of_the_noun_that_was_drawn():
    assert read("Frequency") == (["two", None, "one"], [2, 0, 1])


def test_people_are_counted():
    assert read("Density") == (["no", "many", "no"], [0, 2, 0])


def test_the_scene_is_the_most_probable_one():
    assert read("Scene")[0] == ["beach", "park", "park"]


def test_an_object_is_the_weightiest_apart_from_those_of_other_axes():
    assert read("Noun")[0] == ["zebra", None, "dog"]
    assert read("Companion")[0] == ["zebra", "nothing", "nothing"]


def test_the_same_noun_twice_needs_two_of_it():
    one, two = Scripted({1: [thing("dog")]}, {}), Scripted({1: [thing("dog")] * 2}, {})
    number = [axis.symbol for axis in GRAMMAR.axes].index("Companion")
    dog = GRAMMAR.axis("Companion").index("dog")
    found = [
        read_back(Encoder(GRAMMAR, readers), readers, number, PICTURES[:1], [TWICE])[0]
        for readers in (one, two)
    ]
    assert found == [ReadBack(0), ReadBack(dog)]


@pytest.mark.parametrize(
    ("symbol", "reader"),
    [("Time", "CLIP"), ("Verb", "CLIP"), ("Scene", "the scene classifier"),
     ("Noun", "the detector"), ("Density", "the detector")],
)  # fmt: skip
def test_every_axis_has_its_reader(symbol, reader):
    assert reader_of(GRAMMAR.axis(symbol)) == reader
