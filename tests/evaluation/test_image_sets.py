"""Image sets: which files belong to them, in which order, with which labels."""

import os

import pytest
from PIL import Image

from rldf.errors import ImageError, UsageError
from rldf.evaluation.examples import class_keys
from rldf.evaluation.image_sets import choose, in_turns, open_images, read_contents
from tests.evaluation.sets import make_clone, noisy, write_set


def labels(root):
    return [(p.name, p.split, p.label) for p in open_images(root)]


def test_a_set_with_splits(tmp_path):
    write_set(tmp_path, {"train": 1, "val": 1}, ["n02", "n01"])
    assert labels(tmp_path) == [
        ("train/n01/n01_0000.png", "train", "n01"),
        ("train/n02/n02_0000.png", "train", "n02"),
        ("val/n01/n01_0000.png", "val", "n01"),
        ("val/n02/n02_0000.png", "val", "n02"),
    ]


def test_a_set_with_classes_of_which_one_is_called_train(tmp_path):
    for key in ("train", "car"):
        (tmp_path / key).mkdir()
        noisy((9, 9, 9), 0).save(tmp_path / key / "a.jpg")
    assert labels(tmp_path) == [("car/a.jpg", None, "car"), ("train/a.jpg", None, "train")]


def test_a_flat_set_and_folders_within_a_class(tmp_path):
    noisy((9, 9, 9), 0).save(tmp_path / "b.JPEG")
    assert labels(tmp_path) == [("b.JPEG", None, None)]
    (tmp_path / "zebra" / "more").mkdir(parents=True)
    noisy((9, 9, 9), 0).save(tmp_path / "zebra" / "more" / "c.png")
    assert labels(tmp_path)[1] == ("zebra/more/c.png", None, "zebra")


def test_only_the_splits_of_a_clone_are_its_images(tmp_path):
    write_set(tmp_path, {"train": 1}, ["n01"])
    make_clone(tmp_path)
    (tmp_path / "sheets").mkdir()
    noisy((9, 9, 9), 0).save(tmp_path / "sheets" / "n01.jpg")
    images = open_images(tmp_path)
    assert [p.name for p in images] == ["train/n01/n01_0000.png"]
    assert images.class_names["n01"] == "name of n01"
    assert images.of_world is True


def test_hidden_files_and_others_are_left_out_and_links_are_followed_once(tmp_path):
    root = write_set(tmp_path / "set", {"": 1}, ["n01"])
    (root / ".hidden.png").write_bytes(b"x")
    (root / ".rldf-1.tmp").write_bytes(b"x")
    (root / "notes.txt").write_text("x")
    outside = write_set(tmp_path / "outside", {"": 1}, ["n02"])
    os.symlink(outside / "n02", root / "n02")
    os.symlink(root, root / "n01" / "loop")
    assert [p.name for p in open_images(root)] == ["n01/n01_0000.png", "n02/n02_0000.png"]


def test_the_key_of_a_set_follows_its_files_not_their_names_or_times(tmp_path):
    first = write_set(tmp_path / "first", {"": 3})
    key = read_contents(open_images(first)).key
    for path in first.rglob("*.png"):
        os.utime(path, (1, 1))
    first.rename(tmp_path / "renamed")
    assert read_contents(open_images(tmp_path / "renamed")).key == key
    image = next((tmp_path / "renamed").rglob("*.png"))
    noisy((1, 2, 3), 99).save(image)
    assert read_contents(open_images(tmp_path / "renamed")).key != key


def test_pictures_are_chosen_by_their_places(tmp_path):
    images = open_images(write_set(tmp_path, {"": 2}))
    names = [p.name for p in images]
    assert [p.name for p in choose(images, [5, 0, 5])] == [names[5], names[0], names[5]]


@pytest.mark.parametrize("mode", ["L", "CMYK", "I;16", "P", "RGBA"])
def test_images_of_any_mode_are_read_as_rgb(tmp_path, mode):
    suffix = "jpg" if mode == "CMYK" else "png"
    image = Image.new("RGB", (20, 10), (200, 0, 0))
    (Image.new(mode, (20, 10)) if mode == "I;16" else image.convert(mode)).save(
        tmp_path / f"a.{suffix}"
    )
    images = open_images(tmp_path)
    decoded = images.decode(next(iter(images)))
    assert (decoded.mode, decoded.size) == ("RGB", (20, 10))


def cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def test_a_truncated_image_of_a_clone_names_the_command_that_lists_all_such(tmp_path):
    root = write_set(tmp_path / "my clone", {"train": 1}, ["n01"], suffix="jpg")
    cut(root / "train/n01/n01_0000.jpg")
    images = open_images(root)
    with pytest.raises(ImageError, match=r"n01_0000\.jpg is a damaged image") as told:
        images.decode(next(iter(images)))
    assert "rldf clone verify" not in str(told.value)
    make_clone(root)
    images = open_images(root)
    with pytest.raises(ImageError, match=r"type 'rldf clone verify '.*my clone''"):
        images.decode(next(iter(images)))


def test_what_is_no_image_set_is_refused(tmp_path):
    with pytest.raises(UsageError, match="none is not there"):
        open_images(tmp_path / "none")
    with pytest.raises(UsageError, match="holds no images"):
        open_images(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is no folder"):
        open_images(tmp_path / "file")
    (tmp_path / "clone.json").write_text("{")
    with pytest.raises(UsageError, match=r"clone\.json is damaged; type 'rldf clone verify"):
        open_images(tmp_path)


@pytest.mark.parametrize("text", ["{}", '{"plan": 3}', '{"plan": {"classes": [1, {"key": 2}]}}'])
def test_a_strangers_clone_document_may_say_anything(tmp_path, text):
    write_set(tmp_path, {"train": 1}, ["n01"])
    (tmp_path / "clone.json").write_text(text)
    assert open_images(tmp_path).class_names == {}


@pytest.mark.parametrize("names", [("train", "valid", "test"), ("TRAIN", "Val", "Testing")])
def test_a_folder_with_splits_is_no_set_of_three_classes(tmp_path, names):
    root = write_set(tmp_path, dict.fromkeys(names, 1), ["n01", "n02"])
    contents = read_contents(open_images(root))
    assert set(contents.splits) == {"train", "val", "test"}
    assert class_keys(contents) == ("n01", "n02")


def test_what_lies_outside_of_the_splits_is_left_out_and_told(tmp_path):
    root = write_set(tmp_path, {"Train": 1, "Valid": 1}, ["n01", "n02"])
    (root / "figures").mkdir()
    noisy((9, 9, 9), 0).save(root / "figures" / "a.png")
    noisy((9, 9, 9), 0).save(root / "overview.png")
    images = open_images(root)
    assert len([*images]) == 4
    assert any("the images in figures are left out" in note for note in images.notes)
    assert any("2 images outside of its splits" in note for note in images.notes)


def test_a_folder_that_may_be_splits_or_classes_is_refused(tmp_path):
    root = write_set(tmp_path, {"": 1}, ["n01", "n02"])
    (root / "n02").rename(root / "Test")
    with pytest.raises(UsageError, match="Test may be splits or classes, since n01 beside it"):
        open_images(root)


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_class_without_images_is_a_class(tmp_path, split):
    root = write_set(tmp_path, {"train": 1, "val": 1}, ["n01", "n02"])
    (root / split / "n03").mkdir()
    assert class_keys(read_contents(open_images(root))) == ("n01", "n02", "n03")
    make_clone(root, ["n01", "n02", "n04"])
    assert class_keys(read_contents(open_images(root))) == ("n01", "n02", "n04")


def test_pictures_in_turns_are_of_all_classes_alike(tmp_path):
    images = open_images(write_set(tmp_path, {"train": 4, "test": 4}))
    labels = [picture.label for picture in in_turns(images, 8)]
    assert labels == [*("n01", "n02", "n03") * 2, "n01", "n02"]
    assert len(in_turns(images, 99)) == len({p.name for p in in_turns(images, 99)}) == 24


@pytest.mark.parametrize("text", ['{"plan": {}}', '{"version": 99}'])
def test_a_clone_that_does_not_follow_the_schema_is_told_and_read_without_names(tmp_path, text):
    write_set(tmp_path, {"train": 1}, ["n01"])
    make_clone(tmp_path)
    assert open_images(tmp_path).notes == ()
    (tmp_path / "clone.json").write_text(text)
    images = open_images(tmp_path)
    assert images.of_world is None
    assert any("clone.json is damaged" in note and "not known" in note for note in images.notes)
