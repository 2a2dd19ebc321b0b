"""`rldf clone-imagenet` and `rldf clone` as a user types them; drawings stand for a model's images.

Bad input is in test_clone_bad_input, kills and several processes are in tests/dataset/test_kills.
"""

import io
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

ROOT = Path(__file__).parents[2]
DOG = ROOT / "examples" / "dog-in-park.png"
ELEPHANTS = ROOT / "examples" / "elephants-on-platform.png"
MODELS = ("--models", ROOT / "tests" / "drawn.yaml")
SIZE = ("--splits", "train=4,val=1,test=1")
FILES = {"train": 8, "val": 2, "test": 2}  # of SMALL, as archives
SMALL = ("clone-imagenet", *MODELS, *SIZE, "--classes", "2")
TWO_SHARDS = ("clone-imagenet", *MODELS, "--classes", "2", "--per-class", "40")

COUNTS = {
    "bytes", "splits", "redrawn", "flagged", "rejected", "left_out", "unseen", "empty_classes",
    "troubled_classes",
}  # fmt: skip


def document(answer):
    code, out, err = answer
    assert (code, err) == (0, "")
    return json.loads(out)


def classes(out):
    return json.loads((Path(out) / "clone.json").read_text())["plan"]["classes"]


def n_images(out):
    return len(list(Path(out).glob("*/*/*.jpg")))


def test_clone_imagenet_makes_a_data_set_and_goes_on_with_it(call):
    told = document(call(*SMALL, "--out", "c", "--json"))
    assert told.keys() == COUNTS | {
        "out", "format", "status", "planned", "classes", "images", "shards_left", "written",
        "seconds", "images_per_second", "warnings",
    }  # fmt: skip
    assert (told["out"], told["format"], told["status"]) == ("c", "imagefolder", "done")
    assert told["splits"] == {"train": 8, "val": 2, "test": 2}
    assert (told["planned"], told["images"], told["written"], told["classes"]) == (12, 12, 12, 2)
    assert {path.name for path in Path("c").iterdir()} == {
        "clone.json", "plan.parquet", "train", "val", "test", "README.md", "croissant.json",
        "sheets", ".rldf",
    }  # fmt: skip
    assert n_images("c") == 12
    again = document(call(*SMALL, "--out", "c", "--json"))
    assert (again["images"], again["written"], again["images_per_second"]) == (12, 0, 0.0)


def test_people_are_told_what_was_made(call):
    code, out, err = call(*SMALL)
    assert (code, err) == (0, "")
    first, second = out.splitlines()
    assert first.startswith("wrote 12 images in ")
    told = "12 images of 2 classes (8 train, 2 val, 2 test)"
    assert second == f"clones/imagenet-drawn-2x6: {told}"


def test_another_configuration_is_refused_and_shown(call):
    assert call(*SMALL)[0] == 0
    before = {path: path.stat().st_mtime_ns for path in Path("clones").rglob("*")}
    code, out, err = call(*SMALL, "--seed", "1")
    assert (code, out) == (2, "")
    assert "another configuration (seed: 0 there, 1 here)" in err
    assert before == {path: path.stat().st_mtime_ns for path in Path("clones").rglob("*")}


def test_a_dry_run_estimates_and_writes_nothing(call):
    told = document(call(*SMALL, "--dry-run", "--json"))
    assert told.keys() == {
        "images", "classes", "splits", "bytes", "seconds_per_image", "hours", "batch_size",
        "warnings",
    }  # fmt: skip
    assert (told["images"], told["batch_size"]) == (12, 8)
    assert 12 * 1000 < told["bytes"] < 12 * 100_000
    code, out, err = call(*SMALL, "--dry-run", "--batch-size", 5, "--out", "c")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ["images", "disk", "time"]
    assert "batches of 5" in out
    assert list(Path().iterdir()) == []


def test_a_class_list_names_classes(call):
    Path("mine.txt").write_text("# my own\nzebra\nn02129604  # stripes too\n")
    words = ("clone-imagenet", *MODELS, *SIZE, "--classes", "mine.txt", "--out", "c", "--json")
    assert document(call(*words))["classes"] == 2
    assert [(label["key"], label["name"]) for label in classes("c")] == [
        ("n02129604", "tiger"),
        ("n02391049", "zebra"),
    ]


@pytest.mark.parametrize("words", [("clone",), ("clone", "make")])
def test_an_image_is_a_class(call, words):
    told = document(call(*words, DOG, *MODELS, *SIZE, "--json"))
    assert told["out"] == "clones/dog-in-park-drawn-1x6"
    assert [(label["key"], label["noun"]) for label in classes(told["out"])] == [("dog", "dog")]
    assert n_images(told["out"]) == 6


def test_folders_of_photos_are_classes_of_their_names(call):
    for folder, image in {"My Dogs": DOG, "elephants": ELEPHANTS}.items():
        Path("mine", folder).mkdir(parents=True)
        shutil.copy(image, Path("mine", folder))
    told = document(call("clone", "mine", *MODELS, *SIZE, "--json"))
    assert told["out"] == "clones/mine-drawn-2x6"
    assert [(label["key"], label["name"], label["noun"]) for label in classes(told["out"])] == [
        ("elephants", "elephants", "elephant"),
        ("my-dogs", "My Dogs", "dog"),
    ]
    assert {path.name for path in Path(told["out"], "train").iterdir() if path.is_dir()} == {
        "elephants",
        "my-dogs",
    }


def test_a_finished_search_is_a_class_by_its_folder_and_by_its_document(call, monkeypatch):
    code, found, _ = call("search", DOG, *MODELS, "--renders", 4, "--out", "run", "--json")
    assert code == 0
    sentence = json.loads(found)["best"]["sentence"]
    document(call("clone", "run", *MODELS, *SIZE, "--out", "a", "--json"))
    monkeypatch.setattr("sys.stdin", io.StringIO(found))
    document(call("clone", "-", *MODELS, *SIZE, "--out", "b", "--json"))
    assert classes("a") == classes("b")
    assert classes("a")[0]["noun"] in sentence
    record = json.loads(Path("a/clone.json").read_text())
    assert record["searches"][0]["sentence"] == sentence
    assert record["searches"][0]["models"]["name"] == record["plan"]["models"]["name"] == "drawn"
    names = [{path.name for path in Path(out).glob("*/*/*.jpg")} for out in "ab"]
    assert len(names[0]) == 6
    assert names[0] == names[1]


@pytest.mark.parametrize("who", ["detector", "clip"])
def test_labels_are_verified(call, who):
    told = document(call(*SMALL, "--verify-labels", who, "--out", "c", "--json"))
    assert told["images"] == 12
    assert told["unseen"] <= 2, "drawings are what the readers know"
    assert told["rejected"].keys() <= {"unseen"}
    assert f"a {who} model did not see the class" in Path("c/README.md").read_text()


def test_parts_of_the_work_are_drawn_apart(call):
    told = document(call(*TWO_SHARDS, "--out", "c", "--shard", "1/2", "--json"))
    assert (told["status"], told["written"], told["shards_left"]) == ("part done", 16, 1)
    told = document(call("clone", "status", "c", "--json"))
    assert told.keys() == COUNTS | {
        "out", "format", "status", "planned", "drawn", "classes", "shards", "shards_done",
        "shards_running",
    }  # fmt: skip
    assert (told["status"], told["drawn"], told["planned"]) == ("interrupted", 16, 80)
    assert (told["shards"], told["shards_done"], told["shards_running"]) == (2, 1, 0)
    code, out, err = call("clone", "verify", "c", "--json")
    assert (code, err) == (1, "")
    assert json.loads(out)["problems"] == []
    assert json.loads(out)["unfinished_shards"] == 1
    code, out, _ = call(*TWO_SHARDS, "--out", "c", "--shard", "0/2")
    assert (code, out.splitlines()[1].split(":")[1]) == (
        0,
        " 80 images of 2 classes (72 train, 4 val, 4 test)",
    )
    assert document(call("clone", "status", "c", "--json"))["status"] == "done"
    assert call("clone", "verify", "c")[0] == 0


def test_status_is_told_to_people(call):
    assert call(*SMALL, "--out", "c")[0] == 0
    code, out, err = call("clone", "status", "c")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "c: done",
        "images   12 of 12, 2 classes",
        "shards   1 of 1 done, 0 being drawn",
        "redrawn  0   left out 0",
    ]


def test_verify_finds_what_is_wrong_and_repair_draws_it_again(call):
    assert call(*SMALL, "--out", "c")[0] == 0
    assert document(call("clone", "verify", "c", "--json")) == {
        "ok": True, "checked": 12, "unfinished_shards": 0, "problems": [], "out": "c",
        "repaired": 0, "left_out": 0,
    }  # fmt: skip
    first, second = sorted(Path("c").glob("train/*/*.jpg"))[:2]
    whole = first.read_bytes(), second.read_bytes()
    first.write_bytes(whole[0][:300])
    second.unlink()
    code, out, err = call("clone", "verify", "c")
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        f"changed    {first.relative_to('c')}",
        f"hole       {second.relative_to('c')}",
        "c: 12 images checked, 2 problems",
    ]
    told = document(call("clone", "verify", "c", "--repair", *MODELS, "--json"))
    assert (told["ok"], told["repaired"], told["problems"]) == (True, 2, [])
    assert (first.read_bytes(), second.read_bytes()) == whole


def test_a_repair_needs_the_models_that_drew(call):
    assert call(*SMALL, "--out", "c")[0] == 0
    image = next(Path("c").glob("train/*/*.jpg"))
    image.write_bytes(b"cut")
    for words, told in [((), "type --models with its file"), (("--models", "pocket"), "by other")]:
        code, out, err = call("clone", "verify", "c", "--repair", *words)
        assert (code, out) == (2, "")
        assert err.count("\n") == 1
        assert told in err
    assert image.read_bytes() == b"cut"


@pytest.mark.parametrize("kind", ["webdataset", "parquet"])
def test_convert_writes_another_format(call, kind):
    assert call(*SMALL, "--out", "c")[0] == 0
    told = document(call("clone", "convert", "c", "--to", kind, "--out", "d", "--json"))
    assert told.keys() == COUNTS | {"out", "format", "images"}
    assert (told["out"], told["format"], told["images"]) == ("d", kind, 12)
    assert document(call("clone", "verify", "d", "--json"))["checked"] == 12
    assert call("clone", "convert", "d", "--to", "imagefolder", "--out", "e/c")[1] == (
        "12 images in e/c\n"
    )
    for path in Path("c").glob("*/*/*.jpg"):
        assert (Path("e/c") / path.relative_to("c")).read_bytes() == path.read_bytes()


def test_a_format_can_be_drawn_at_once(call):
    told = document(call(*SMALL, "--format", "parquet", "--image-format", "png", "--json"))
    assert told["format"] == "parquet"
    names = {path.name for path in Path(told["out"], "data").iterdir()}
    assert names == {  # a file for each of eight loader workers, or for each image
        f"{split}-{k:05d}-of-{n:05d}.parquet" for split, n in FILES.items() for k in range(n)
    }


def test_progress_is_shown_on_a_terminal_alone(call, monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(
        "rldf.cli.output.console", lambda: Console(file=stream, force_terminal=True, width=80)
    )
    code, out, err = call(*SMALL, "--out", "c")
    assert (code, err) == (0, "")
    assert "generating" in stream.getvalue()
    assert "/12" in stream.getvalue()
    assert "generating" not in out
    told = stream.getvalue()
    assert call(*SMALL, "--out", "d", "--quiet")[0] == 0
    assert call(*SMALL, "--out", "e", "--json")[0] == 0
    assert stream.getvalue() == told


@pytest.mark.parametrize("names", [("train", "valid", "test"), ("Train", "Val", "Testing")])
def test_splits_of_photos_are_no_classes(call, names):
    for split in names:
        for folder, image in {"mine": DOG, "elephants": ELEPHANTS}.items():
            Path("pets", split, folder).mkdir(parents=True)
            shutil.copy(image, Path("pets", split, folder))
    told = document(call("clone", "pets", *MODELS, *SIZE, "--json"))
    assert [label["key"] for label in classes(told["out"])] == ["elephants", "mine"]


def test_a_person_says_what_a_folder_shows(call):
    for folder in ("mine", "yours"):
        Path("pets", folder).mkdir(parents=True)
        shutil.copy(DOG, Path("pets", folder))
    code, out, err = call("clone", "pets", *MODELS, *SIZE, "--json")
    assert (code, out) == (2, "")
    assert "pets/mine and pets/yours are both 'dog'" in err
    assert err.count("\n") == 1
    assert not Path("clones").exists()
    said = ("--class-noun", "yours=zebra")
    told = document(call("clone", "pets", *said, *MODELS, *SIZE, "--json"))
    assert [label["noun"] for label in classes(told["out"])] == ["dog", "zebra"]


@pytest.mark.parametrize(("n", "missing"), [(4, "val and test"), (10, "test")])
def test_few_images_without_a_word_on_splits_are_told(call, n, missing):
    code, out, err = call("clone-imagenet", *MODELS, "--classes", "2", "--per-class", n, "--json")
    assert code == 0
    assert f"{n} images of a class are too few for {missing}: all are " in err
    assert set(json.loads(out)["splits"]) == {"train", "val", "test"} - set(missing.split(" and "))


@pytest.mark.parametrize("reason", ["black", "constant"])
def test_a_data_set_of_nothing_is_no_success(call, monkeypatch, reason):
    monkeypatch.setattr("rldf.dataset.filters.blank", lambda image: reason)
    code, out, err = call(*SMALL, "--out", "c", "--json")
    assert (code, out) == (1, "")
    assert f"c: no image is left, all were rejected (96 {reason})" in err


def test_a_check_of_a_clone_of_no_images_is_no_success(call, monkeypatch):
    monkeypatch.setattr("rldf.dataset.filters.blank", lambda image: "black")
    code, _, err = call(*SMALL, "--out", "c", "--format", "webdataset")
    assert (code, err.count("\n")) == (1, 1)
    code, out, _ = call("clone", "verify", "c")
    assert code == 1
    assert out.startswith("c: 0 images checked, there was nothing to check")
