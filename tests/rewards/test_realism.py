"""Unrealistic pictures: what the readers do not agree on pays the penalty, and only that."""

import numpy as np
import pytest

from rldf.errors import UsageError
from rldf.grammar.grammar import load_grammar
from rldf.models.model_sets import load_model_set
from rldf.perception.encoder import Encoder
from rldf.rewards.context import RewardContext
from rldf.rewards.realism import PENALTY, PenaliseUnrealistic, realism, realism_floor
from tests.doubles import Scripted, picture, thing

GOOD, SMEARED, MISSED, VOID = range(4)
DOG = "a photo of one dog and no people in a park"
ZEBRA = "a photo of one zebra and no people in a park"


@pytest.fixture
def context():
    texts = {
        sentence: (0.0, 0.0, 1.0)
        for grammar in [load_grammar("base")]
        for cell in np.ndindex(*grammar.shape)
        if (sentence := grammar.derive(cell)) not in (DOG, ZEBRA)
    }
    readers = Scripted(
        {GOOD: [thing("dog")], SMEARED: [thing("zebra")]},
        {tag: {"park": 1.0} for tag in range(4)},
        images={
            GOOD: (0.8, 0.6, 0.0),
            SMEARED: (0.8, 0.6, 0.0),  # read as a zebra, but CLIP sees more of a dog
            MISSED: (0.1, 0.99, 0.0),  # the detector missed a zebra that CLIP sees
            VOID: (-1.0, -1.0, -1.0),
        },
        texts=texts | {DOG: (1.0, 0.0, 0.0), ZEBRA: (0.0, 1.0, 0.0)},
    )
    encoder = Encoder(load_grammar("base"), readers)
    image = picture(GOOD)
    return RewardContext(
        image=image, reading=encoder.encode(image), encoder=encoder, readers=readers
    )


def tags(images):
    """Pay each picture ten times its number."""
    return np.array([10.0 * image.getpixel((0, 0))[0] for image in images])


def test_realism_is_the_likeness_to_the_sentence_that_is_read(context):
    assert realism(picture(GOOD), context) == pytest.approx(0.8)
    assert realism(picture(SMEARED), context) == pytest.approx(0.6)


def test_a_thing_that_the_detector_missed_is_looked_for_with_clip(context):
    assert realism(picture(MISSED), context) == pytest.approx(0.99 / np.hypot(0.1, 0.99))


def test_only_unrealistic_pictures_pay_the_penalty(context):
    reward = PenaliseUnrealistic(tags, context, floor=0.7)
    images = [picture(tag) for tag in (MISSED, SMEARED, GOOD, VOID)]
    assert reward(images).tolist() == [10.0 * MISSED, PENALTY, 10.0 * GOOD, PENALTY]


def test_the_floor_is_what_the_model_set_calls_familiar():
    file = load_model_set("pocket").file
    assert realism_floor(file) == file.min_clip_similarity > 0


def test_a_model_set_that_does_not_say_is_refused_in_one_line():
    file = load_model_set("pocket").file.model_copy(update={"min_clip_similarity": 0.0})
    with pytest.raises(UsageError, match=r"pocket .*add 'min_clip_similarity: COSINE'"):
        realism_floor(file)
