"""The plan: pure, indexable, even."""

import json
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rldf.dataset.config import PlanConfig, read_config
from rldf.dataset.plan import estimate_bytes, make_plan, retry_seed
from rldf.dataset.presets import load_preset
from rldf.errors import RunError
from rldf.seeding import SEED_BITS, derive

from .plans import POCKET, pocket_config, pocket_plan

PLAN = pocket_plan()
SYMBOLS = [axis.symbol for axis in POCKET.axes]
ONLY = {"train": 1}


def images(plan):
    return [plan.image(i) for i in range(len(plan))]


def test_an_image_says_all_that_is_known_before_it_is_drawn():
    image = PLAN.image(1)
    key = PLAN.classes[1].key
    assert (image.index, image.label, image.split, image.key) == (1, 1, "train", key)
    assert image.name == f"train/{key}/{key}_00000000.jpg"
    assert image.seed == derive(0, key, 0)
    assert image.sentence == POCKET.derive(image.encoding)
    assert POCKET.decode(image.encoding)["Noun"] == PLAN.classes[1].noun


def test_every_class_has_its_images_in_every_split_under_names_of_their_own():
    found = images(PLAN)
    assert len(PLAN) == 75
    assert PLAN.counts == {"train": 60, "val": 9, "test": 6}
    counts = Counter((image.split, image.key) for image in found)
    for label in PLAN.classes:
        assert [counts[split, label.key] for split in ("train", "val", "test")] == [20, 3, 2]
    assert len({image.name for image in found}) == len({image.seed for image in found}) == 75
    assert [image.split for image in found] == ["train"] * 60 + ["val"] * 9 + ["test"] * 6


def test_labels_are_the_order_of_sorted_folders():
    keys = [label.key for label in PLAN.classes]
    assert keys == sorted(keys)
    assert all(keys[image.label] == image.key for image in images(PLAN))


def test_any_run_of_images_holds_the_classes_alike():
    labels = [image.label for image in images(PLAN)]
    assert all((b - a) % 3 == 1 for a, b in pairwise(labels))


@settings(max_examples=30)
@given(st.integers(-(2**70), 2**70), st.lists(st.integers(0, 74), min_size=1, max_size=5))
def test_an_image_is_the_same_whoever_asks_and_in_whatever_order(seed, indices):
    whole, alone = pocket_plan(seed=seed), make_plan(pocket_config(seed=seed))
    expected = [whole.image(i) for i in range(0, 75, 5)]
    assert [alone.image(i) for i in indices] == [pocket_plan(seed=seed).image(i) for i in indices]
    assert [alone.image(i) for i in range(70, -1, -5)] == expected[::-1]


@pytest.mark.parametrize("index", [-1, 75, 10**12])
def test_there_is_no_image_outside_the_plan(index):
    with pytest.raises(IndexError):
        PLAN.image(index)


def test_another_seed_gives_other_images():
    other = pocket_plan(seed=1)
    assert not {i.seed for i in images(PLAN)} & {i.seed for i in images(other)}
    assert [i.encoding for i in images(PLAN)] != [i.encoding for i in images(other)]


def test_a_class_has_the_same_images_among_other_classes():
    few, more = pocket_plan("3"), pocket_plan("9")
    key = few.classes[0].key

    def of_class(plan):
        return [(i.encoding, i.seed, i.name) for i in images(plan) if i.key == key]

    assert of_class(few) == of_class(more)


def test_more_images_of_a_class_begin_with_the_same_ones():
    few, more = pocket_plan(splits={"train": 10}), pocket_plan(splits={"train": 30})
    assert images(few) == images(more)[: len(few)]


def test_each_axis_is_even_in_each_class():
    plan = pocket_plan(splits={"train": 80, "val": 11, "test": 9})
    found = images(plan)
    for place, axis in enumerate(POCKET.axes):
        if axis.symbol in ("Noun", "Companion"):
            continue
        n = len(axis.values)
        for label in range(3):
            counts = Counter(i.encoding[place] for i in found if i.label == label)
            assert {counts[v] for v in range(n)} <= {100 // n, -(-100 // n)}
            for split in ("train", "val", "test"):
                of_split = [
                    i.encoding[place] for i in found if (i.label, i.split) == (label, split)
                ]
                each = [of_split.count(v) for v in range(n)]
                assert max(each) - min(each) <= 2


def test_no_companion_and_mostly_plain_pictures_to_train_on():
    plan = pocket_plan("2", splits={"train": 300}, preset="train")
    found = [POCKET.decode(image.encoding) for image in images(plan)]
    assert {words["Companion"] for words in found} == {"nothing"}
    for symbol, plain in (("Style", "photo"), ("Weather", "clear"), ("Time", "day")):
        assert Counter(words[symbol] for words in found)[plain] == 360
    assert set(Counter(words["Frequency"] for words in found).values()) == {200}


def test_the_configuration_survives_json():
    config = pocket_config(image_format="png", seed=-5)
    record = json.loads(json.dumps(config.model_dump(mode="json")))
    again = read_config(record, "clone.json")
    assert again == config
    assert images(make_plan(again)) == images(make_plan(config))
    assert make_plan(again).image(0).name.endswith(".png")


def broken(**changes):
    record = pocket_config().model_dump(mode="json")
    return record | changes


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (broken(extra=1), "extra: unknown key"),
        (broken(splits={"train": 0}), "splits.train"),
        (broken(splits={"../x": 5}), "splits"),
        (broken(classes=[]), "classes"),
        (broken(classes=[{"key": "../../etc", "name": "x", "noun": "zebra"}]), "classes.0.key"),
        (broken(classes=[{"key": "x", "name": "x", "noun": "unicorn"}]), "no value 'unicorn'"),
        (broken(classes=[{"key": k, "name": k, "noun": "zebra"} for k in "ba"]), "sorted"),
        (broken(version=2), "version"),
        (broken(seed="0"), "seed"),
        (broken(image_format="exe"), "image_format"),
        ({}, "is missing"),
        (broken(seed=float("nan")), "seed"),
    ],
)
def test_a_damaged_configuration_is_told_in_one_line(record, said):
    with pytest.raises(RunError) as caught:
        read_config(record, "OUT/clone.json")
    assert str(caught.value).startswith("the plan in OUT/clone.json is damaged: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_grammar_that_derives_nothing_somewhere_is_damaged():
    for place, change in ((0, {"axis": 99}), (0, {"agrees": -1}), (4, {"forms": {"plural": "x"}})):
        record = pocket_config().model_dump(mode="json")
        record["grammar"]["slots"][place] |= change
        with pytest.raises(RunError, match="some of its encodings have no sentence"):
            read_config(record, "clone.json")


def test_a_configuration_is_not_changed_later():
    with pytest.raises(ValidationError):
        pocket_config().seed = 3


def test_a_summary_is_short_and_tells_each_difference():
    base = pocket_config().summary()
    assert json.loads(json.dumps(base)) == base
    assert len(json.dumps(base)) < 1000
    for other, keys in (
        (pocket_config(seed=1), {"seed"}),
        (pocket_config("4"), {"classes", "class list"}),
        (pocket_config(preset="train"), {"preset", "preset rules"}),
        (pocket_config(splits={"train": 25}), {"splits"}),
        (pocket_config(image_format="png"), {"image_format"}),
    ):
        summary = other.summary()
        assert {key for key in base if base[key] != summary[key]} == keys


def test_the_chain_of_seeds():
    chain = [retry_seed(7, attempt) for attempt in range(100)]
    assert chain[0] == 7
    assert len(set(chain)) == 100
    assert all(0 <= seed < 2**SEED_BITS for seed in chain)
    assert not set(chain[1:]) & {retry_seed(8, attempt) for attempt in range(100)}


def test_disk_is_estimated_from_the_mean_size_of_an_image():
    assert 100_000 * 5_000 < estimate_bytes(100_000, 5_000) < 100_000 * 6_000


def test_a_plan_of_one_image():
    config = PlanConfig(
        **{**dict(pocket_config("1")), "splits": ONLY, "preset": load_preset("train")}
    )
    assert [image.split for image in images(make_plan(config))] == ["train"]
