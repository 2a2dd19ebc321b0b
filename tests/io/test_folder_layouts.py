"""What the folders of an image set mean, by their names and by what they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rldf.errors import UsageError
from rldf.io.folder_layouts import clone_layout, layout_of, split_of


def layout(*folders):
    return layout_of({tuple(filter(None, folder.split("/"))) for folder in folders}, "root")


def read(found, folder):
    return found.read(tuple(filter(None, folder.split("/"))))


@pytest.mark.parametrize(
    ("split", "names"),
    [
        ("train", "train Train TRAIN training train2017 train_set trainset TrainingImages train-1"),
        ("val", "val Valid VALIDATION dev Development val2017 valid_data eval ILSVRC2012_img_val"),
        ("test", "test Test testing test_images testset 02_test"),
    ],
)
def test_splits_are_known_by_their_usual_names_in_any_case(split, names):
    assert {name: split_of(name) for name in names.split()} == dict.fromkeys(names.split(), split)


@pytest.mark.parametrize(
    "name", ["test-tube", "trainer", "cat", "validator", "contest", "protest", "images", "12"]
)
def test_other_names_are_no_splits(name):
    assert split_of(name) is None


@given(st.text(max_size=300))
def test_any_name_is_read(name):
    assert split_of(name) in {None, "train", "val", "test"}


@pytest.mark.parametrize("names", [("train", "valid", "test"), ("Training", "Dev", "TESTING")])
def test_folders_named_like_splits_are_splits(names):
    found = layout(*(f"{name}/{key}" for name in names for key in ("cat", "dog")))
    assert [read(found, f"{name}/cat") for name in names] == [
        ("train", "cat"), ("val", "cat"), ("test", "cat"),
    ]  # fmt: skip
    assert found.notes == ()
    assert found.class_of((names[0], "dog")) == "dog"


def test_a_split_without_folders_of_classes_has_no_class():
    found = layout("train/cat", "train/dog", "test")
    assert read(found, "test") == ("test", None)


def test_two_folders_of_one_split_are_told():
    found = layout("train/cat", "dev/cat", "valid/cat")
    assert read(found, "dev/cat") == read(found, "valid/cat") == ("val", "cat")
    assert "dev and valid are taken together as its val split" in found.notes[0]


@pytest.mark.parametrize("other", ["masks", "docs/figures"])
def test_what_holds_none_of_their_classes_is_left_out_and_told(other):
    found = layout("Train/cat", "Train/dog", "Val/cat", "Val/dog", other)
    assert read(found, "Train/dog") == ("train", "dog")
    assert read(found, other) is None
    assert f"the images in {other.partition('/')[0]} are left out" in found.notes[0]


@pytest.mark.parametrize(
    "folders",
    [("train/a", "train/b", "test/a", "extra/a"), ("training/a", "training/b", "extra/A")],
)
def test_a_folder_of_the_same_classes_beside_splits_is_one_more(folders):
    found = layout(*folders)
    assert read(found, "extra/a") == ("extra", "a")
    assert "extra, where there are the same classes" in found.notes[0]


def test_a_class_may_be_called_train_and_is_told():
    found = layout("car", "train", "bus")
    assert read(found, "train") == (None, "train")
    assert "train is taken as a class" in found.notes[0]


@pytest.mark.parametrize(
    "folders",
    [
        ("cat", "dog", "test"),  # test may hold images without labels
        ("train", "test", "car"),
        ("valid", "bus", "car"),
        ("train/steam", "train/diesel", "car"),
        ("train/left", "car/left", "bus/left"),
        ("train/cat", "test/dog", "bird"),
    ],
)
def test_where_it_does_not_show_what_they_are_they_are_refused(folders):
    with pytest.raises(
        UsageError, match=r"may be splits or classes, since .*: rename them"
    ) as told:
        layout(*folders)
    assert "\n" not in str(told.value)


def test_splits_may_lie_in_the_folders_of_classes():
    found = layout("cat/train", "cat/Test", "dog/train", "dog/Test", "dog/notes")
    assert read(found, "cat/Test") == ("test", "cat")
    assert read(found, "dog/train") == ("train", "dog")
    assert read(found, "dog/notes") is None


@pytest.mark.parametrize("around", ["images", "data", "my pets 2", "archive/dataset"])
def test_a_folder_around_splits_is_no_class(around):
    found = layout(*(f"{around}/{s}/{c}" for s in ("train", "valid") for c in ("cat", "dog")))
    assert read(found, f"{around}/valid/cat") == ("val", "cat")


def test_folders_called_images_are_no_class():
    assert read(layout("images/cat", "images/dog"), "images/dog") == (None, "dog")
    assert read(layout("images"), "images") == (None, None)
    found = layout("train/images", "val/images")
    assert read(found, "val/images") == ("val", None)
    assert found.class_of(("val", "images")) is None


@pytest.mark.parametrize(
    "folders", [("fold-a/cat", "fold-a/dog", "fold-b/cat", "fold-b/dog"), ("pets/cat", "pets/dog")]
)
def test_classes_that_hold_the_same_folders_are_told(folders):
    found = layout(*folders)
    assert read(found, folders[0]) == (None, folders[0].partition("/")[0])
    assert "if these are the classes, give the folder that holds them" in found.notes[0]


@pytest.mark.parametrize("folders", [("cat", "dog"), ("cat/big", "dog"), ("cat",), ("",)])
def test_usual_sets_without_splits_are_read_without_a_word(folders):
    found = layout(*folders)
    own = folders[0].partition("/")[0] or None
    assert (read(found, folders[0]), found.notes) == ((None, own), ())


def test_of_a_clone_nothing_but_the_splits_is_read():
    found = clone_layout({("train", "n01"), ("sheets",)})
    assert read(found, "train/n01") == ("train", "n01")
    assert read(found, "sheets") is None


_NAMES = st.sampled_from(["train", "Val", "test", "cat", "dog", "images", "extra", ""])


@given(st.sets(st.lists(_NAMES, max_size=4).map(lambda own: tuple(filter(None, own))), max_size=8))
def test_no_layout_makes_classes_of_all_the_splits(folders):
    """Whatever the folders are: where all tops are splits by name, none becomes a class."""
    tops = {own[0] for own in folders if own}
    try:
        found = layout_of(folders, "root")
    except UsageError as error:
        assert "\n" not in str(error)
        return
    if tops and all(map(split_of, tops)):
        for own in filter(None, folders):
            split, label = found.read(own)
            assert split == split_of(own[0])
            assert label in {None, *own[1:]}
