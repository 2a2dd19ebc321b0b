"""Nouns in the classes of ImageNet: which are whose, and when a noun is read."""

import pytest

from rldf.grammar.grammar import check_grammar, load_grammar
from rldf.perception.nouns import (
    class_name,
    further_classes,
    imagenet,
    noun_of_class,
    read_nouns,
)

CLASSES = imagenet().label_names()
NOUNS = load_grammar("pocket-nouns").axis("Noun")
ZEBRA, DOG, MINIVAN, CAB, RUGBY_BALL = (
    "n02391049", "n02085620", "n03770679", "n02930766", "n04118538",
)  # fmt: skip


def classes(**shares: float) -> dict[str, float]:
    """Share what is left among all classes that are not named."""
    left = (1 - sum(shares.values())) / (len(CLASSES) - len(shares))
    return {wnid: shares.get(wnid, left) for wnid in CLASSES}


def nouns(text: str):
    grammar, problems = check_grammar(
        f"name: t\nproductions: {{S: Noun}}\naxes:\n  Noun: {{reads: object, values: {text}}}\n"
    )
    assert problems == []
    return grammar.axis("Noun")


def test_every_noun_of_the_pocket_models_has_a_class_and_every_class_is_imagenets():
    owner = noun_of_class(NOUNS)
    assert set(owner.values()) == {value.name for value in NOUNS.values}
    assert set(owner) <= set(CLASSES)
    assert {wnid for row in further_classes().values() for wnid in row} <= set(CLASSES)


def test_a_dog_is_any_of_the_118_breeds_and_no_wild_dog():
    dogs = [wnid for wnid, noun in noun_of_class(NOUNS).items() if noun == "dog"]
    assert len(dogs) == 118
    first, last = CLASSES.index("n02085620"), CLASSES.index("n02113978")  # Chihuahua, hairless dog
    assert sorted(dogs) == sorted(CLASSES[first : last + 1])
    assert not {"dingo", "dhole", "timber wolf"} & {class_name(wnid) for wnid in dogs}


def test_a_cab_is_a_car_only_where_a_grammar_has_no_cab():
    cars = "{car: {labels: [car]}}"
    both = "{car: {labels: [car]}, cab: {labels: [cab], wnid: n02930766}}"
    assert noun_of_class(nouns(cars))[CAB] == "car"
    assert noun_of_class(nouns(both))[CAB] == "cab"
    assert noun_of_class(nouns(both))[MINIVAN] == "car"


def test_the_probability_of_a_noun_is_the_sum_of_its_classes():
    breeds = CLASSES[CLASSES.index(DOG) :][:118]
    given = classes(**dict.fromkeys(breeds, 0.8 / 118), **{ZEBRA: 0.1})
    read = read_nouns(NOUNS, given, "pocket-nouns")
    assert read.result.index == NOUNS.index("dog")
    assert read.result.probability == pytest.approx(0.8)
    assert (read.result.source, read.result.doubt) == ("image classifier", "")
    assert list(read.shares) == ["dog", "zebra"]
    assert read.shares["zebra"] == pytest.approx(0.1)


def test_many_classes_do_not_make_a_noun_likely():
    """With nothing seen, 118 of 1000 classes are dogs; a zebra of .05 is more than by chance."""
    read = read_nouns(NOUNS, classes(**{ZEBRA: 0.05}), "pocket-nouns")
    assert list(read.shares) == ["zebra"]
    nothing = classes(**{RUGBY_BALL: 0.002})
    assert read_nouns(NOUNS, nothing, "pocket-nouns").result.index is None


def test_a_noun_is_doubtful_where_a_class_without_a_word_is_likelier():
    read = read_nouns(NOUNS, classes(n04254680=0.1, **{RUGBY_BALL: 0.7}), "pocket-nouns")
    assert read.result.index == NOUNS.index("soccer ball")
    assert "rugby ball (0.70)" in read.result.doubt
    assert "rather than soccer ball (0.10)" in read.result.doubt


def test_without_a_noun_it_is_told_what_is_seen():
    read = read_nouns(NOUNS, classes(**{RUGBY_BALL: 0.7}), "pocket-nouns")
    assert (read.result.index, read.shares) == (None, {})
    assert "rugby ball (0.70)" in read.result.doubt
