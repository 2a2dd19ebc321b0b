"""The classifier: it learns, and a training that was cut off ends with the same weights."""

import numpy as np
import pytest
import torch

from rldf.errors import ImageError
from rldf.evaluation.classification import Recipe
from rldf.evaluation.classifier import predict, train
from rldf.evaluation.examples import take_examples
from rldf.evaluation.image_sets import open_images, read_contents
from tests.evaluation.sets import COLOURS, write_set

N = len(COLOURS)


class Killed(BaseException):
    pass


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    images = open_images(write_set(tmp_path_factory.mktemp("set"), {"": 11}))
    return take_examples(images, read_contents(images), tuple(COLOURS), {None}, {})


@pytest.fixture(scope="module")
def whole(examples, tmp_path_factory):
    return train(examples, N, Recipe(epochs=3, side=32), 0, tmp_path_factory.mktemp("c") / "part")


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def stop_after(epoch):
    def tell(done):
        if done == epoch:
            raise Killed

    return tell


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_training_that_was_cut_off_ends_with_the_same_weights(tmp_path, examples, whole, epoch):
    recipe, part, told = Recipe(epochs=3, side=32), tmp_path / "part", []
    with pytest.raises(Killed):
        train(examples, N, recipe, 0, part, stop_after(epoch))
    assert same(train(examples, N, recipe, 0, part, told.append), whole)
    assert told == list(range(epoch + 1, 4))


def test_a_damaged_checkpoint_is_begun_anew(tmp_path, examples):
    recipe, part, told = Recipe(epochs=1, side=32), tmp_path / "part", []
    part.write_bytes(b"PK\x03\x04 no checkpoint")
    train(examples, N, recipe, 0, part, told.append)
    assert told == [1]


def test_a_training_goes_on_where_no_checkpoint_can_be_kept(tmp_path, examples, whole):
    (tmp_path / "file").touch()
    found = train(examples, N, Recipe(epochs=3, side=32), 0, tmp_path / "file" / "part")
    assert same(found, whole)


def test_another_seed_gives_other_weights_and_the_global_source_is_left_alone(tmp_path, examples):
    before = torch.random.get_rng_state()
    first, other = (
        train(examples, N, Recipe(epochs=1, side=32), seed, tmp_path / str(seed)) for seed in (0, 1)
    )
    assert not np.array_equal(first["conv1.weight"], other["conv1.weight"])
    assert torch.equal(torch.random.get_rng_state(), before)


def test_it_learns_colours(tmp_path, examples):
    weights = train(examples, N, Recipe(epochs=20, side=32), 0, tmp_path / "part")
    root = write_set(tmp_path / "unseen", {"": 10}, seed=1)
    images = open_images(root)
    unseen = take_examples(images, read_contents(images), tuple(COLOURS), {None}, {})
    answers = predict(weights, N, unseen, 32)
    assert answers.shape == (30, 3)
    assert all(sorted(row) == [0, 1, 2] for row in answers.tolist())
    assert np.mean(answers[:, 0] == np.array(unseen.labels)) > 0.8


def test_a_damaged_image_ends_it_with_its_name(tmp_path):
    root = write_set(tmp_path / "set", {"": 6})
    bad = root / "n02" / "n02_0001.png"
    bad.write_bytes(bad.read_bytes()[:-40])
    images = open_images(root)
    found = take_examples(images, read_contents(images), tuple(COLOURS), {None}, {})
    with pytest.raises(ImageError, match=r"n02_0001\.png is a damaged image"):
        train(found, N, Recipe(epochs=1, side=32), 0, tmp_path / "part")
