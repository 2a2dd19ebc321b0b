"""Which folders are meant: the newest clone, the named real images, the drawn reference."""

import os
import threading
from pathlib import Path

import pytest

from rldf.errors import RunError, UsageError
from rldf.evaluation.image_sets import open_images, read_contents
from rldf.evaluation.reference import drawn_reference, is_unfinished, newest_clone, real_folders
from rldf.pocket.reference import Reference, draw_reference, nouns_of, world_classes
from tests.evaluation.sets import make_clone, write_set

ZEBRA = "n02391049"


def marked(path, age):
    make_clone(path)
    os.utime(path / "clone.json", (age, age))
    return path


def test_the_newest_clone_is_found_at_most_three_folders_down(tmp_path):
    marked(tmp_path / "clones" / "old", 1000)
    newest = marked(tmp_path / "a" / "b" / "new", 2000)
    marked(tmp_path / "a" / "b" / "c" / "deep", 3000)
    marked(tmp_path / ".hidden" / "clone", 3000)
    marked(newest / "inside", 3000)
    assert newest_clone(tmp_path) == newest


def test_the_working_folder_may_be_the_clone_itself(tmp_path):
    marked(tmp_path, 1000)
    assert newest_clone(tmp_path) == tmp_path


def test_without_a_clone_the_command_that_makes_one_is_told(tmp_path):
    with pytest.raises(UsageError, match="type 'rldf clone-imagenet' to make one"):
        newest_clone(tmp_path)


def test_real_folders_are_those_named_else_those_of_the_variable(monkeypatch):
    monkeypatch.delenv("RLDF_REAL", raising=False)
    assert real_folders([]) == ()
    monkeypatch.setenv("RLDF_REAL", os.pathsep.join(("one", "two")))
    assert real_folders([]) == (Path("one"), Path("two"))
    assert real_folders([Path("three")]) == (Path("three"),)


@pytest.fixture
def clone(tmp_path):
    root = write_set(tmp_path / "clone", {"train": 3, "val": 1}, ["n01"])
    for split in ("train", "val"):
        (root / split / "n01").rename(root / split / ZEBRA)
    make_clone(root, [ZEBRA])
    images = open_images(root)
    return images, read_contents(images)


def test_a_reference_holds_drawings_of_the_clones_classes_and_is_made_once(tmp_path, clone):
    told = []
    folder = drawn_reference(*clone, tmp_path / "cache", lambda *step: told.append(step))
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    assert len(files) == 23
    assert files[0] == f"train/{ZEBRA}/{ZEBRA}_000000.png"
    assert sum(name.startswith("val/") for name in files) == 20
    assert told[-1] == (23, 23)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert drawn_reference(*clone, tmp_path / "cache") == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_processes_that_need_the_same_reference_wait_for_each_other(tmp_path, clone):
    found = []

    def work():
        found.append(drawn_reference(*clone, tmp_path / "cache"))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 3
    assert len(set(found)) == 1


def test_what_is_not_of_the_drawn_world_needs_real_images(tmp_path):
    root = write_set(tmp_path / "mine", {"": 3})
    images = open_images(root)
    with pytest.raises(
        UsageError, match="type --real DIR, or set the environment variable RLDF_REAL"
    ):
        drawn_reference(images, read_contents(images), tmp_path / "cache")


def test_a_cache_that_cannot_be_written_to_is_told(tmp_path, clone):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written to"):
        drawn_reference(*clone, tmp_path / "file")


def test_what_is_no_clone_is_not_unfinished(tmp_path, clone):
    assert not is_unfinished(open_images(write_set(tmp_path / "set", {"": 1})))
    (clone[0].root / "clone.json").write_text('{"plan": 3}')
    assert not is_unfinished(clone[0]), "a stranger's clone.json says nothing of it"


def test_nouns_are_found_by_wnid_by_word_and_by_what_people_call_a_class():
    assert nouns_of([ZEBRA, "Zebra", "mine"], {"mine": "zebra"}) == {
        ZEBRA: "zebra", "Zebra": "zebra", "mine": "zebra",
    }  # fmt: skip
    with pytest.raises(UsageError, match=r"the pocket world has no 'sofa': name some of: .*zebra"):
        nouns_of(["sofa"])
    assert nouns_of(world_classes()) == world_classes()


def test_a_set_of_drawings_goes_on_where_it_stopped_and_is_the_same(tmp_path):
    reference = Reference(nouns={ZEBRA: "zebra"}, train=2, val=2)
    draw_reference(tmp_path / "whole", reference)
    draw_reference(tmp_path / "cut", reference)
    missing = tmp_path / "cut" / "val" / ZEBRA / f"{ZEBRA}_000001.png"
    missing.unlink()
    draw_reference(tmp_path / "cut", reference)
    whole = {p.relative_to(tmp_path / "whole"): p for p in (tmp_path / "whole").rglob("*.png")}
    assert len({path.read_bytes() for path in whole.values()}) == 4, "two drawings are the same"
    for name, path in whole.items():
        assert (tmp_path / "cut" / name).read_bytes() == path.read_bytes()


def test_a_set_that_was_killed_before_its_record_was_written_goes_on(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / ".rldf-0.tmp").touch()
    draw_reference(tmp_path / "set", Reference(nouns={ZEBRA: "zebra"}, train=1, val=0))
    assert len(list((tmp_path / "set").rglob("*.png"))) == 1


def test_other_files_and_other_sets_are_left_alone(tmp_path):
    reference = Reference(nouns={ZEBRA: "zebra"}, train=1, val=0)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "photo.png").touch()
    with pytest.raises(RunError, match="holds other files"):
        draw_reference(tmp_path / "mine", reference)
    draw_reference(tmp_path / "set", reference)
    with pytest.raises(RunError, match="holds drawings of other settings"):
        draw_reference(tmp_path / "set", Reference(nouns={ZEBRA: "zebra"}, train=2, val=0))


@pytest.mark.parametrize("nouns", [{"a": "zebra", "b": "zebra"}, {ZEBRA: "zebra", "x": "zebra"}])
def test_two_classes_of_one_noun_are_not_drawn(tmp_path, nouns):
    with pytest.raises(UsageError, match="are both the noun 'zebra'"):
        draw_reference(tmp_path / "set", Reference(nouns=nouns, train=1, val=0))
    assert not (tmp_path / "set").exists()
