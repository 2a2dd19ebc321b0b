"""What no reader can know is said, and is never the first value of an axis."""

import math

import pytest

from rldf.grammar.grammar import load_grammar
from rldf.models.schema import ModelSetFile
from rldf.perception.encoder import Encoder
from rldf.rewards.semantic import scene_term
from tests.doubles import picture, thing
from tests.perception.test_encoder import PAIRS
from tests.perception.test_labels import Told

BASE, POCKET = load_grammar("base"), load_grammar("pocket")


def read(things, scenes=None, grammar=BASE, models=None, **told):
    readers = Told({1: things}, {1: scenes or {"beach": 1.0}}, **told)
    return Encoder(grammar, readers, models).encode(picture(1))


def test_what_is_seen_well_is_known_without_a_word():
    reading = read([thing("dog", 0.7)], {"beach": 0.8, "park": 0.2})
    assert reading.record.warnings == ()
    assert not reading.record.doubtful
    noun, people = reading.record.axes["Noun"], reading.record.axes["Density"]
    assert (noun.value, noun.probability, noun.source) == ("dog", pytest.approx(0.7), "detector")
    assert (people.value, people.probability) == ("no", None)  # nobody measures absence


@pytest.mark.parametrize(
    "scenes", [{"beach": 0.0, "park": 0.0}, {"beach": math.nan, "park": math.nan}, {"attic": 1.0}]
)
def test_a_scene_without_a_probability_is_not_known(scenes):
    reading = read([thing("dog")], scenes)
    assert (reading.encoding, reading.sentence, reading.seen.scene) == (None, None, None)
    assert reading.unknown == ("Scene",)
    assert reading.record.axes["Scene"].value is None
    assert any(line.startswith("Scene not known") for line in reading.record.warnings)
    assert scene_term(reading.seen, reading.seen, 1.0) == -1.0  # two unknown places are not one


def test_a_likelier_scene_without_a_word_makes_the_scene_a_guess():
    reading = read([thing("dog")], {"beach": 0.1, "attic": 0.6, "park": 0.05})
    scene = reading.record.axes["Scene"]
    assert (scene.value, scene.known) == ("beach", False)
    assert "attic (0.60)" in " ".join(reading.record.warnings)


@pytest.mark.parametrize(
    ("labels", "grammar", "unknown"),
    [
        (("dog", "zebra"), BASE, ("Density",)),
        (("person",), BASE, ("Frequency", "Noun")),
        (("dog",), POCKET, ("Density", "Verb")),
    ],
)
def test_an_axis_that_the_detector_cannot_read_is_not_known(labels, grammar, unknown):
    reading = read([thing(labels[0])], grammar=grammar, labels=labels)
    assert reading.unknown == unknown
    assert reading.encoding is None
    assert "the detector has no label" in " ".join(reading.record.warnings)


@pytest.mark.parametrize(("dogs", "known"), [(2, False), (3, True)])
def test_a_count_at_the_most_that_a_detector_sees_is_a_guess_unless_more_is_the_same(dogs, known):
    reading = read([thing("dog")] * dogs, grammar=POCKET, most=dogs)
    assert reading.record.axes["Frequency"].known is known  # "two" is bounded, "many" is not
    assert not reading.record.axes["Density"].known


def test_sentences_that_clip_cannot_tell_apart_are_guesses_and_no_numbers_are_none():
    reading = read([thing("dog")], grammar=POCKET)  # all texts have one vector
    weather = reading.record.axes["Weather"]
    assert (weather.source, weather.known) == ("CLIP", False)
    broken = read([thing("dog")], grammar=POCKET, images={1: (math.nan, math.nan)})
    assert broken.record.axes["Weather"].value is None
    assert broken.encoding is None


def test_a_first_value_that_is_held_is_told():
    reading = read([thing("bowl", side=60)], {"dining_room": 1.0}, grammar=PAIRS)
    assert "no apples" in reading.sentence
    axes = reading.record.axes
    held = [symbol for symbol, axis in axes.items() if not axis.known]
    assert [axes[symbol].value for symbol in held] == ["apple"]  # of no apples and no spoons
    assert (axes[held[0]].source, axes[held[0]].probability) == ("nobody", None)
    assert f"{held[0]} doubtful" in " ".join(reading.record.warnings)


def test_an_image_of_another_kind_is_doubtful_as_a_whole():
    part = {"class": "drawn"}
    parts = dict.fromkeys(("generator", "detector", "scene", "clip"), part)
    models = ModelSetFile.model_validate(
        {"name": "toy", "domain": "drawings", "min_clip_similarity": 0.9} | parts
    )
    unlike = {"texts": {"a photo of one dog and no people on a beach": (0.0, 1.0)}}
    reading = read([thing("dog")], models=models, **unlike)
    assert reading.encoding is not None
    assert not any(axis.known for axis in reading.record.axes.values())
    assert "may be a photograph" in reading.record.warnings[0]
    assert not read([thing("dog")], models=models).record.doubtful


def test_what_the_grammar_leaves_out_is_a_warning_and_no_doubt():
    reading = read([thing("dog"), thing("toaster")])
    assert "toaster" in " ".join(reading.record.warnings)
    assert not reading.record.doubtful
