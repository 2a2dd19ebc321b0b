"""Which classifiers are trained, on how many images, and what they are asked."""

from collections import Counter

import numpy as np
import pytest

from rldf.errors import UsageError
from rldf.evaluation import downstream as tasks
from rldf.evaluation.classification import Scores
from rldf.evaluation.downstream import TrainConfig, check_train_config, learn
from rldf.evaluation.image_sets import open_images, read_contents
from tests.evaluation.sets import make_clone, noisy, write_set


@pytest.fixture
def school(monkeypatch):
    """Remember what is to be downstream; grade every test with its number."""
    seen = []

    def train_and_test(due, n_classes, recipe, seeds, cache, progress):
        seen.append((due, n_classes, recipe, seeds))
        count = iter(range(100))
        return [
            [Scores((next(count) / 10,), (1.0,), np.zeros((1, 1))) for _ in task.tests]
            for task in due
        ]

    monkeypatch.setattr(tasks, "train_and_test", train_and_test)
    return seen


def set_of(root):
    images = open_images(root)
    return images, read_contents(images)


def downstream(clone, *reals, warn=lambda message: None, **train_config):
    sets = [set_of(real) for real in reals]
    return learn(set_of(clone), sets, TrainConfig(**train_config), None, lambda *_: None, warn)


def test_a_clone_is_tested_on_its_own_val_and_on_real_images(tmp_path, school):
    clone = write_set(tmp_path / "clone", {"train": 6, "val": 2, "test": 3})
    real = write_set(tmp_path / "real", {"": 4}, seed=1)
    found = downstream(clone, real, epochs=7, seeds=2)
    ((task,), n_classes, recipe, seeds) = school[0]
    assert (n_classes, recipe.epochs, list(seeds)) == (3, 7, [0, 1])
    assert [len(task.examples), *map(len, task.tests)] == [18, 6, 12]
    assert {p.split for p in task.tests[0].files} == {"val"}
    assert (found.n_train, found.n_own, found.own.top1) == (18, 6, (0.0,))
    (test,) = found.tests
    assert (test.n_test, test.scores.top1, test.reference) == (12, (0.1,), None)


def test_real_images_with_train_and_val_give_a_reference_of_equally_many(tmp_path, school):
    clone = write_set(tmp_path / "clone", {"train": 6, "val": 2})
    real = write_set(tmp_path / "real", {"train": 9, "val": 4}, seed=1)
    (test,) = downstream(clone, real).tests
    due = school[0][0]
    assert [task.name for task in due] == [str(clone), str(real)]
    assert Counter(due[1].examples.labels) == Counter(due[0].examples.labels)
    assert due[1].tests == (due[0].tests[1],)
    assert {p.split for p in due[1].tests[0].files} == {"val"}
    assert (test.n_reference, test.scores.top1, test.reference.top1) == (18, (0.1,), (0.2,))
    (test,) = downstream(clone, real, reference=False).tests
    assert test.reference is None


def test_a_clone_without_splits_is_learned_whole_and_has_no_test_of_its_own(tmp_path, school):
    clone = write_set(tmp_path / "clone", {"": 5})
    found = downstream(clone, write_set(tmp_path / "real", {"val": 2}, seed=1))
    assert (found.n_train, found.n_own, found.own) == (15, 0, None)


def test_real_folders_may_bear_names_and_other_classes_are_told(tmp_path, school):
    clone = write_set(tmp_path / "clone", {"train": 5}, ["n01", "n02"])
    make_clone(clone, ["n01", "n02"])
    real = write_set(tmp_path / "real", {"": 4}, seed=1)
    (real / "n02").rename(real / "Name of n02")
    told = []
    (test,) = downstream(clone, real, warn=told.append).tests
    assert test.n_test == 8
    assert told == [f"4 images of {real} are of no class of the clone: they are not tested"]


@pytest.mark.parametrize(("size", "side"), [(128, 56), (512, 224), (1024, 224), (40, 32)])
def test_the_input_is_as_large_a_share_of_the_image_as_in_the_paper(tmp_path, school, size, side):
    clone = write_set(tmp_path / "clone", {"train": 4}, ["n01", "n02"], side=size)
    assert downstream(clone, clone).side == side
    assert downstream(clone, clone, side=64).side == 64


def test_what_cannot_be_learned_or_tested_is_refused(tmp_path, school):
    clone = write_set(tmp_path / "clone", {"train": 4})
    one = write_set(tmp_path / "one", {"train": 4}, ["n01"])
    flat = write_set(tmp_path / "flat", {"": 9}, ["n01"]) / "n01"
    with pytest.raises(UsageError, match="one has 1 class folders: --classify needs 2 or more"):
        downstream(one, clone)
    with pytest.raises(UsageError, match="flat/n01 has 0 class folders"):
        downstream(flat, clone)
    with pytest.raises(UsageError, match="no folder named like a class of the clone, such as n01"):
        downstream(clone, flat)
    empty = write_set(tmp_path / "empty", {"val": 4})
    write_set(empty, {"train": 1}, ["n03"])
    with pytest.raises(UsageError, match="has 1 training images of known classes: --classify need"):
        downstream(empty, clone)


@pytest.mark.parametrize(
    ("train_config", "told"),
    [
        ({"epochs": 0}, "--epochs 0: type a number from 1"),
        ({"seeds": 0}, "--classifier-seeds 0: type a number from 1 to 10"),
        ({"seeds": 11}, "--classifier-seeds 11"),
        ({"side": 31}, "--classifier-size 31: type a number from 32 to 1024"),
    ],
)
def test_numbers_out_of_range_are_refused(train_config, told):
    with pytest.raises(UsageError, match=told):
        check_train_config(TrainConfig(**train_config))


@pytest.mark.parametrize("names", [("Train", "Valid", "Test"), ("training", "dev", "testing")])
def test_usual_names_of_splits_are_learned_and_tested_as_such(tmp_path, school, names):
    train, val, test = names
    clone = write_set(tmp_path / "clone", {"train": 6, "val": 2})
    real = write_set(tmp_path / "real", {train: 9, val: 4, test: 5}, seed=1)
    (test,) = downstream(clone, real).tests
    due = school[0][0]
    assert (test.n_test, test.n_reference) == (12, 18)
    assert {p.name.partition("/")[0] for p in due[1].examples.files} == {train}
    assert {p.name.partition("/")[0] for p in due[1].tests[0].files} == {val}


def test_classes_that_cannot_be_learned_stay_classes_and_are_told(tmp_path, school):
    clone = write_set(tmp_path / "clone", {"train": 5, "val": 2}, ["n01", "n03"])
    make_clone(clone)
    real = write_set(tmp_path / "real", {"": 4}, seed=1)
    told = []
    found = downstream(clone, real, warn=told.append)
    assert school[0][1] == 3, "the network has an answer for every class of the clone"
    assert (found.classes, found.unlearned) == (("n01", "n02", "n03"), ("n02",))
    assert found.tests[0].n_test == 12, "images of the lost class are asked for"
    assert "no training images of n02 (name of n02): the classifier never" in told[0]
    assert not any("no class of the clone" in line for line in told)


@pytest.mark.parametrize("split", ["val", ""])
def test_classes_without_test_images_are_told_by_name(tmp_path, school, split):
    clone = write_set(tmp_path / "clone", {"train": 5, "val": 2})
    (clone / "val" / "n01" / "n01_0000.png").unlink()
    (clone / "val" / "n01" / "n01_0001.png").unlink()
    make_clone(clone)
    real = write_set(tmp_path / "real", {split: 4}, ["n01", "n02"], seed=1)
    told = []
    found = downstream(clone, real, warn=told.append)
    assert (found.own_untested, found.tests[0].untested) == (("n01",), ("n03",))
    assert f"{clone} has no test images of n01 (name of n01): accuracies omit these" in told
    assert f"{real} has no test images of n03 (name of n03): accuracies omit these" in told


def test_a_reference_of_fewer_images_is_told(tmp_path, school):
    clone = write_set(tmp_path / "clone", {"train": 6, "val": 2})
    real = write_set(tmp_path / "real", {"train": 6, "val": 4}, seed=1)
    for n in range(4):
        (real / "train" / "n02" / f"n02_{n:04d}.png").unlink()
    told = []
    downstream(clone, real, warn=told.append)
    assert told == [
        f"{real} has fewer training images of n02 than the clone: the classifier that is trained "
        "on real images gets fewer examples"
    ]


def test_a_split_without_known_classes_is_no_test(tmp_path, school):
    clone = write_set(tmp_path / "clone", {"train": 6, "test": 2})
    noisy((9, 9, 9), 0).save(clone / "test" / "unlabelled.png")
    (clone / "val").mkdir()
    noisy((9, 9, 9), 0).save(clone / "val" / "unlabelled.png")
    found = downstream(clone, write_set(tmp_path / "real", {"": 4}, seed=1))
    assert (found.n_own, found.own.top1) == (6, (0.0,))


def test_the_side_is_that_of_most_images(tmp_path, school):
    clone = write_set(tmp_path / "clone", {"train": 4}, ["n01", "n02"], side=512)
    noisy((9, 9, 9), 0, 40).save(clone / "train" / "n01" / "a.png")
    assert downstream(clone, clone).side == 224


@pytest.mark.parametrize("split", ["val", "test"])
def test_a_split_of_images_without_a_class_is_no_test(tmp_path, school, split):
    clone = write_set(tmp_path / "clone", {"train": 6})
    (clone / split).mkdir()
    noisy((9, 9, 9), 1).save(clone / split / "a.png")
    found = downstream(clone, write_set(tmp_path / "real", {"": 4}, seed=1))
    assert (found.n_own, found.own) == (0, None)
