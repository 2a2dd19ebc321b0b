"""Examples: which images under which numbers, and crops that follow from seed and place alone."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from rldf.errors import UsageError
from rldf.evaluation import examples as examples_
from rldf.evaluation.examples import (
    CROP_AREA,
    class_keys,
    epoch_batches,
    middle_crop,
    take_examples,
    training_crop,
)
from rldf.evaluation.image_sets import open_images, read_contents
from rldf.seeding import rng
from tests.evaluation.sets import COLOURS, write_set

CLASSES = tuple(COLOURS)


def take(root, split=None, names=None, most=None, classes=CLASSES):
    images = open_images(root)
    return take_examples(images, read_contents(images), classes, {split}, names or {}, most)


def plane(width, height):
    """An image whose red tells the column and whose green the row."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.arange(width)
    pixels[..., 1] = np.arange(height)[:, None]
    return Image.fromarray(pixels)


def test_class_numbers_follow_the_sorted_keys(tmp_path):
    root = write_set(tmp_path, {"train": 2, "val": 1}, ["n03", "n01"])
    assert class_keys(read_contents(open_images(root))) == ("n01", "n03")
    found = take(root, "val", classes=("n01", "n03"))
    assert [p.name for p in found.files] == ["val/n01/n01_0000.png", "val/n03/n03_0000.png"]
    assert found.labels == (0, 1)


def test_a_folder_may_bear_a_classs_key_or_its_name_in_any_case(tmp_path):
    root = write_set(tmp_path, {"": 1})
    (root / "n02").rename(root / "Zebra")
    (root / "n03").rename(root / "unknown")
    found = take(root, names={"n02": "zebra"})
    assert [(p.label, number) for p, number in zip(found.files, found.labels, strict=True)] == [
        ("Zebra", 1),
        ("n01", 0),
    ]


def test_at_most_as_many_of_each_class_as_asked_for(tmp_path):
    root = write_set(tmp_path, {"train": 4})
    found = take(root, "train", most={0: 3, 2: 1})
    assert found.labels == (0, 0, 0, 2)


def test_other_files_or_labels_make_other_examples(tmp_path):
    root = write_set(tmp_path, {"": 2})
    key = take(root).key
    assert take(root).key == key
    assert take(root, classes=CLASSES[::-1]).key != key
    (root / "n01" / "n01_0000.png").unlink()
    assert take(root).key != key


def test_a_packed_clone_that_does_not_fit_into_memory_is_refused_with_a_way_out(
    tmp_path, monkeypatch
):
    images = open_images(write_set(tmp_path, {"": 2}))
    packed = [replace(picture, source=picture.data()) for picture in images]
    images = replace(images, stream=lambda: iter(packed))
    contents = read_contents(images)
    assert len(take_examples(images, contents, CLASSES, {None}, {})) == 6
    monkeypatch.setattr(examples_, "_HELD", 100)
    with pytest.raises(UsageError, match="type 'rldf clone convert'"):
        take_examples(images, contents, CLASSES, {None}, {})


def test_a_training_crop_follows_from_its_seed_and_stays_inside():
    image = plane(120, 80)
    first = training_crop(image, 16, rng(0, "crop", 1, 2))
    assert np.array_equal(first, training_crop(image, 16, rng(0, "crop", 1, 2)))
    assert not np.array_equal(first, training_crop(image, 16, rng(0, "crop", 2, 2)))
    for k in range(50):
        crop = training_crop(image, 16, rng(k, "crop"))
        assert crop.shape == (16, 16, 3)
        width, height = np.ptp(crop[..., 0].astype(int)), np.ptp(crop[..., 1].astype(int))
        # the outer pixels tell the middles of their cells, of which there are 16 a side
        share = width * height * (16 / 15) ** 2 / (120 * 80)
        assert CROP_AREA[0] * 0.9 < share < 1.1


def test_half_of_the_training_crops_are_mirrored():
    crops = [training_crop(plane(64, 64), 8, rng(k, "crop")) for k in range(200)]
    mirrored = [int(crop[0, 0, 0]) > int(crop[0, -1, 0]) for crop in crops]
    assert 70 < sum(mirrored) < 130


def test_the_middle_crop_is_the_middle_square():
    crop = middle_crop(plane(120, 80), 70).astype(int)
    assert abs(crop[0, 0, 0] - 25) <= 1
    assert abs(crop[0, -1, 0] - 94) <= 1
    assert abs(crop[0, 0, 1] - 5) <= 1
    assert abs(crop[-1, 0, 1] - 74) <= 1


def test_an_epoch_shows_each_example_at_most_once_in_an_order_of_its_own():
    epochs = [epoch_batches(23, 5, 0, epoch) for epoch in range(3)]
    for batches in epochs:
        assert [len(batch) for batch in batches] == [5, 5, 5, 5]
        places = [place for batch in batches for place in batch]
        assert len(set(places)) == 20
        assert set(places) <= set(range(23))
    assert epochs[0] != epochs[1] != epochs[2]
    assert epoch_batches(23, 5, 0, 1) == epochs[1]
    assert epoch_batches(23, 5, 1, 1) != epochs[1]
