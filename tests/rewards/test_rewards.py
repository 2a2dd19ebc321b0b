"""The paper's three rewards, and their files."""

from pathlib import Path

import numpy as np
import pytest

from rldf.errors import ConfigError, NoGoalError
from rldf.grammar.grammar import load_grammar
from rldf.io.resources import names
from rldf.perception.encoder import Encoder
from rldf.rewards.context import RewardContext
from rldf.rewards.files import build_reward, load_reward_file
from tests.doubles import Scripted, picture, thing

GUIDE = Path(__file__).parents[2] / "docs" / "writing-a-reward.md"
GOAL, SAME, OTHER_PLACE, OTHER_THING, BOTH, NOTHING, EXTRA = range(7)


@pytest.fixture
def context():
    readers = Scripted(
        {
            GOAL: [thing("dog"), thing("car", side=9)],
            SAME: [thing("dog")] * 3,
            OTHER_PLACE: [thing("dog")],
            OTHER_THING: [thing("zebra")],
            BOTH: [thing("zebra"), thing("person")],
            NOTHING: [thing("person")],
            EXTRA: [thing("dog"), thing("zebra")],
        },
        {
            tag: {"beach": 0.9, "park": 0.1} if tag not in (OTHER_PLACE, BOTH) else {"park": 1.0}
            for tag in range(7)
        },
        images={tag: (1.0, float(tag)) for tag in range(7)},
    )
    encoder = Encoder(load_grammar("base"), readers)
    image = picture(GOAL)
    return RewardContext(
        image=image, reading=encoder.encode(image), encoder=encoder, readers=readers
    )


def scores(context, name):
    return build_reward(load_reward_file(name), context)([picture(tag) for tag in range(7)])


def test_multi_semantic_pays_for_objects_and_scene_and_nothing_for_counts(context):
    expected = [2.0, 2.0, 0.0, 1.0, -1.0, 1.0, 1.0]
    assert scores(context, "multi").tolist() == expected


def test_partial_semantic_pays_for_the_scene_alone(context):
    assert scores(context, "partial").tolist() == [1.0, 1.0, -1.0, 1.0, -1.0, 1.0, 1.0]


def test_the_clip_reward_is_the_cosine_of_the_two_images(context):
    expected = [1 / np.sqrt(1 + tag**2) for tag in range(7)]
    assert scores(context, "clip") == pytest.approx(expected, abs=1e-6)


def test_a_combined_reward_is_the_weighted_sum_of_its_parts(context):
    expected = scores(context, "clip") + scores(context, "agreement")
    assert scores(context, "combined") == pytest.approx(expected)


def test_agreement_is_the_share_of_axes_that_read_the_same(context):
    # Frequency, Noun, Density, Scene; the goal is one dog, no people, a beach
    expected = [1.0, 0.75, 0.75, 0.75, 0.25, 0.25, 1.0]
    assert scores(context, "agreement").tolist() == expected


def test_agreement_sees_which_of_two_things_is_the_larger():
    goal = [thing("dog", side=30), thing("zebra", side=9)]
    readers = Scripted(
        {0: goal, 1: goal[:1], 2: [thing("zebra", side=30), thing("dog", side=9)]}, {}
    )
    encoder = Encoder(load_grammar("pocket"), readers)
    image = picture(0)
    context = RewardContext(
        image=image, reading=encoder.encode(image), encoder=encoder, readers=readers
    )
    pays = build_reward(load_reward_file("agreement"), context)([picture(tag) for tag in range(3)])
    # of Frequency, Noun, Companion, Density, Scene; styles, weather and actions are not asked for
    assert pays.tolist() == [1.0, 0.8, 0.6]


def test_scoring_a_batch_is_scoring_one_by_one(context):
    for name in names("rewards"):
        reward = build_reward(load_reward_file(name), context)
        images = [picture(tag) for tag in range(7)]
        alone = np.concatenate([reward([image]) for image in images])
        assert alone == pytest.approx(reward(images), abs=1e-6)


def test_constants_come_from_the_file(context, tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("name: mine\nclass: multi-semantic\nconstants: {C: 5, Cs: 0.25}\n")
    assert scores(context, str(mine)).tolist()[:3] == [5.25, 5.25, 4.75]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: x\nclass: os:system\n", "'os:system' is not one of the rewards"),
        ("name: x\nclass: rldf.rewards.clip:ClipSimilarity\n", "is not one of the rewards"),
        ("name: x\nclass: clip\nconstants: {C: 1}\n", "constants.C: clip takes no constants"),
        ("name: x\nclass: multi-semantic\nconstants: {D: 1}\n", "takes C, Cs"),
        ("name: x\nclass: clip\ncolour: red\n", "colour: unknown key"),
        ("name: x\nclass: combined\n", "needs at least one part"),
        ("name: x\nclass: combined\nparts: [{reward: combined}]\n", "may not be a combined"),
        ("name: x\nclass: combined\nparts: [{reward: nope}]\n", "no reward 'nope'"),
        ("name: x\nclass: multi-semantic\nconstants: {C: .nan}\n", "finite"),
        ("!!python/object/apply:os.system ['echo hi']", "not valid YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_its_reason(tmp_path, text, told):
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"bad\.yaml") as caught:
        load_reward_file(str(file))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"clip, .*combined, .*multi, .*partial"):
        load_reward_file("best")


def test_semantic_rewards_refuse_an_input_without_objects(context):
    empty = RewardContext(
        image=picture(NOTHING),
        reading=context.encoder.encode(picture(NOTHING)),
        encoder=context.encoder,
        readers=context.readers,
    )
    for name in ("multi", "partial", "combined"):
        with pytest.raises(NoGoalError, match="--reward clip"):
            build_reward(load_reward_file(name), empty)
    assert build_reward(load_reward_file("clip"), empty)([picture(NOTHING)]) == pytest.approx(1.0)


@pytest.mark.parametrize("paid", [np.nan, np.inf])
def test_a_reward_that_pays_no_number_is_an_error(context, monkeypatch, paid):
    monkeypatch.setattr(
        "rldf.rewards.clip.ClipSimilarity.__call__",
        lambda self, images: np.full(len(images), paid),
    )
    for name in ("clip", "combined"):
        with pytest.raises(ConfigError, match=r"reward clip returned a score that is not finite"):
            scores(context, name)
