"""A photograph is read by its main object, and says what is not known."""

import itertools

import pytest

from rldf.errors import NoGoalError
from rldf.grammar.grammar import load_grammar
from rldf.perception.encoder import Encoder, grammar_for
from rldf.rewards.context import RewardContext
from rldf.rewards.files import build_reward, load_reward_file
from tests.doubles import Scripted, picture, tag_of, thing
from tests.perception.test_nouns import RUGBY_BALL, ZEBRA, classes

NOUNS = load_grammar("pocket-nouns")
PHOTO, EMPTY, DRAWING, OTHER = 1, 2, 3, 4
TIGER = "n02129604"
_SEEN = {PHOTO: {ZEBRA: 0.6, TIGER: 0.2}, EMPTY: {RUGBY_BALL: 0.9}}


class Photographs:
    """A reader of photographs that answers by the image's number."""

    def are_photographs(self, images):
        return [tag_of(image) in _SEEN for image in images]

    def classify(self, images):
        return [classes(**_SEEN[tag_of(image)]) for image in images]


class Readers(Scripted):
    photographs = Photographs()


@pytest.fixture
def readers():
    things = {DRAWING: [thing("zebra")], OTHER: [thing("dog")]}
    sentences = map(NOUNS.derive, itertools.product(*map(range, NOUNS.shape)))
    texts = {sentence: (float("zebra" in sentence), 1.0, 0.0) for sentence in sentences}
    images = {DRAWING: (1.0, 1.0, 0.0), OTHER: (0.0, 1.0, 0.0)}
    return Readers(things, {}, images=images, texts=texts)


def context(readers, tag, grammar=NOUNS):
    encoder = Encoder(grammar, readers)
    image = picture(tag)
    return RewardContext(
        image=image, reading=encoder.encode(image), encoder=encoder, readers=readers
    )


def scores(name, of, *tags):
    return build_reward(load_reward_file(name), of)([picture(tag) for tag in tags]).tolist()


def test_only_the_noun_of_a_photograph_is_read_and_all_else_is_unknown(readers):
    reading = context(readers, PHOTO).reading
    assert reading.record.medium == "photograph"
    assert (reading.encoding, reading.sentence, reading.likeness) == (None, None, None)
    assert reading.unknown == ("Frequency", "Density", "Scene")
    noun = reading.record.axes["Noun"]
    assert (noun.value, noun.source, noun.known) == ("zebra", "image classifier", True)
    assert noun.probability == pytest.approx(0.6)
    assert reading.shares == {"Noun": {"zebra": 0.6, "tiger": 0.2}}
    assert reading.record.doubtful
    assert reading.record.words == (
        "Noun zebra (image classifier, 0.60); not known: Frequency, Density, Scene"
    )
    (seen,) = reading.seen.objects
    assert (seen.value, seen.count, reading.seen.people) == ("zebra", None, None)


def test_a_drawing_is_read_as_before(readers):
    reading = context(readers, DRAWING).reading
    plain = Scripted({DRAWING: [thing("zebra")]}, {}, images=readers._images, texts=readers._texts)
    before = Encoder(NOUNS, plain).encode(picture(DRAWING))
    assert (reading.record.medium, before.record.medium) == ("drawing", None)
    assert reading.encoding == before.encoding
    assert reading.record.axes == before.record.axes
    assert reading.record.warnings == before.record.warnings


def test_an_image_that_was_generated_is_never_taken_for_a_photograph(readers):
    encoder = Encoder(NOUNS, readers)
    assert encoder.encode_drawn(picture(PHOTO)).record.medium is None


def test_an_axis_without_a_meaning_beside_the_words_is_not_asked_for(readers):
    """In the whole grammar nothing but the noun is known either, actions of nobody included."""
    reading = context(readers, PHOTO, load_grammar("pocket")).reading
    read = {symbol for symbol, axis in reading.record.axes.items() if axis.value is not None}
    assert read == {"Noun"}


def test_the_grammar_follows_the_image_where_nobody_names_one(readers, pocket):
    assert grammar_for(picture(PHOTO), readers, pocket.file) == "pocket-nouns"
    assert grammar_for(picture(DRAWING), readers, pocket.file) == "base"
    assert grammar_for(picture(PHOTO), Scripted({}, {}), pocket.file) == "base"


def test_clip_compares_images_with_the_words_by_their_probability(readers):
    """Texts of zebras are (1, 1) / √2 and of tigers (0, 1); .6 and .2 weigh 3/4 and 1/4."""
    half = 2**-0.5
    goal = (0.75 * half, 0.75 * half + 0.25)
    expected = [half * goal[0] + half * goal[1], goal[1]]
    assert scores("clip", context(readers, PHOTO), DRAWING, OTHER) == pytest.approx(expected)


def test_semantic_rewards_compare_the_axes_that_are_known(readers):
    of = context(readers, PHOTO)
    assert scores("multi", of, DRAWING, OTHER) == [1.0, 0.0]  # no place was read
    assert scores("agreement", of, DRAWING, OTHER) == [1.0, 0.0]
    with pytest.raises(NoGoalError, match="Scene of grammar pocket-nouns cannot be read"):
        build_reward(load_reward_file("partial"), of)


@pytest.mark.parametrize("name", ["clip", "multi", "agreement", "combined"])
def test_a_photograph_without_a_word_is_refused_with_what_is_seen(readers, name):
    of = context(readers, EMPTY)
    with pytest.raises(NoGoalError, match=r"no word of grammar pocket-nouns") as caught:
        build_reward(load_reward_file(name), of)
    assert "rugby ball (0.90)" in str(caught.value)
    assert "\n" not in str(caught.value)
