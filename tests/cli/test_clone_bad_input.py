"""Bad input to the commands of data sets: one line that helps, exit code 2, nothing lost."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.test_clone import MODELS, SIZE, SMALL, TWO_SHARDS

IMAGENET = ("clone-imagenet", *MODELS)


@pytest.fixture
def refused(call, tmp_path):
    """Call the program and check that it refuses, and that no file came, went or changed."""
    here = tmp_path / "here"

    def files():
        return {
            path: path.read_bytes()
            for path in here.rglob("*")
            if path.is_file() and "locks" not in path.parts
        }

    def refuse(*words, told):
        before = files()
        code, out, err = call(*words)
        assert (code, out) == (2, ""), err
        assert err.startswith("error: ")
        assert err.count("\n") == 1, err
        for word in told if isinstance(told, list) else [told]:
            assert word in err
        assert files() == before

    return refuse


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--per-class", "0"], "--per-class 0: type a number from 1"),
        (["--per-class", "-3"], "--per-class -3"),
        (["--per-class", "10", "--splits", "train=0.9,val=0.2"], "add up to 1.1, not 1"),
        (["--per-class", "10", "--splits", "train=9,val=2"], "are 11 images"),
        (["--splits", "train=0.9,val=0.1"], "--per-class"),
        (["--splits", "train=5,dev=2"], "'dev=2' is not one of train=, val=, test="),
        (["--splits", "train=0"], "a class needs 1 to"),
        (["--classes", "0"], "--classes 0: type a number from 1"),
        (
            ["--classes", "1000"],
            [
                "type --classes 23",
                "'rldf models pull sd14' and 'rldf clone-imagenet --classes 1000 --models sd14'",
            ],
        ),
        (["--classes", "../../etc"], "--classes ../../etc: there is no such file"),
        (["--format", "zip"], "--format zip: type one of imagefolder, webdataset, parquet"),
        (["--image-format", "gif"], "--image-format gif: type one of jpg, png"),
        (["--preset", "best"], "no preset 'best'"),
        (["--grammar", "english"], "no grammar 'english'"),
        (["--grammar", "paper"], "type --grammar pocket"),
        (["--models", "best"], "no model set 'best'"),
        (["--shard", "8/8"], "--shard 8/8: give i/N"),
        (["--batch-size", "0"], "--batch-size"),
        (["--verify-labels", "me"], "--verify-labels me: type one of detector, clip"),
        (["--seed", "x"], "--seed"),
        (["--colour"], "--colour"),
    ],
)
def test_options_that_are_wrong(refused, words, told):
    refused(*IMAGENET, *words, told=told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("zebra\n../../etc\n", ["line 2", "'../../etc' is no class of"]),
        ("n02391049\nn00000000\n", ["line 2", "'n00000000' is no class of", "such as"]),
        ("zebra\nn02391049\n", ["line 2", "stands in line 1 already"]),
        ("# nothing\n\n", "names no class"),
        ("\x1b[31mzebra\n", r"'\x1b[31mzebra' is no class"),
    ],
)
def test_class_lists_that_are_wrong(refused, text, told):
    Path("list.txt").write_text(text)
    refused(*IMAGENET, "--classes", "list.txt", told=told)


def test_a_class_list_that_is_no_text(refused):
    Path("list.txt").write_bytes(b"\xff\xfe\x00z")
    refused(*IMAGENET, "--classes", "list.txt", told="not a text file")
    Path("folder").mkdir()
    refused(*IMAGENET, "--classes", "folder", told="there is no such file")


@pytest.mark.parametrize("name", ["thesis.tex", "train/n02391049/cat.jpg"])
def test_an_output_folder_that_holds_other_files(refused, name):
    path = Path("c", name)
    path.parent.mkdir(parents=True)
    path.write_text("years of work")
    told = ["c is not empty, and not a clone", name.split("/")[0], "--out"]
    refused(*SMALL, "--out", "c", told=told)


def test_an_output_folder_that_is_a_file(refused):
    Path("c").write_text("years of work")
    refused(*SMALL, "--out", "c", told="c is a file")
    refused(*SMALL, "--out", "c/d", told="lies in one")


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="there is no /sys here")
def test_a_read_only_folder(refused):
    """Nobody may make folders in /sys, not even root."""
    refused(*SMALL, "--out", "/sys/clone", told=["cannot write to /sys/clone", "--out"])


def test_inputs_that_are_none(refused, monkeypatch):
    refused("clone", "none.png", *MODELS, told="none.png")
    Path("text.png").write_text("no image")
    refused("clone", "text.png", *MODELS, told="is not an image")
    Path("empty").mkdir()
    refused("clone", "empty", *MODELS, told="neither a run nor a folder of folders")
    for text in ("", "no json", '{"out": "c"}'):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        refused("clone", "-", *MODELS, told="type that command with --json")
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    Image.fromarray(noise).save("noise.png")
    refused("clone", "noise.png", *MODELS, *SIZE, told="noise.png shows nothing that grammar")


@pytest.mark.parametrize(
    "words", [("verify", "c"), ("status", "c"), ("convert", "c", "--to", "parquet", "--out", "d")]
)
def test_what_is_no_clone(refused, words):
    refused("clone", *words, told="c holds no clone")
    Path("c").mkdir()
    refused("clone", *words, told="c holds no clone")
    for damaged in ("", "{", '{"plan": 3}', "[]"):
        Path("c/clone.json").write_text(damaged)
        refused("clone", *words, told="clone.json is damaged")
    refused(*SMALL, "--out", "c", told="clone.json is damaged")


def test_a_corrupted_manifest(call, refused):
    words = (*TWO_SHARDS, "--out", "c")
    assert call(*words, "--shard", "1/2")[0] == 0
    manifest = Path("c/.rldf/shards/00001.jsonl")
    whole = manifest.read_bytes()
    name = json.loads(whole.splitlines()[0])["name"].encode()
    for damaged in (b"", b"garbage\n", whole[: len(whole) // 2], whole.replace(name, b"../x.jpg")):
        manifest.write_bytes(damaged)
        refused("clone", "status", "c", told="type 'rldf clone verify")
    assert call(*words, "--shard", "0/2")[0] == 2
    told = ["00001.jsonl", "type 'rldf clone verify"]
    refused(*words, told=told)
    refused("clone", "convert", "c", "--to", "parquet", "--out", "d", told=told)
    code, out, _ = call("clone", "verify", "c", "--json")
    assert code == 1
    assert {problem["kind"] for problem in json.loads(out)["problems"]} == {"manifest", "hole"}
    assert call("clone", "verify", "c", "--repair", *MODELS)[0] == 0
    assert manifest.read_bytes() == whole
    assert call("clone", "status", "c")[1].startswith("c: done")


def test_a_damaged_clone_is_not_converted(call, refused):
    assert call(*SMALL, "--out", "c")[0] == 0
    next(Path("c").glob("val/*/*.jpg")).write_bytes(b"cut")
    code, out, err = call("clone", "convert", "c", "--to", "parquet", "--out", "d")
    assert (code, out) == (2, "")
    assert "is damaged: type 'rldf clone verify c --repair' first" in err
    refused("clone", "convert", "c", "--to", "zip", "--out", "e", told="--to zip")
    Path("f").mkdir()
    Path("f/thesis.tex").write_text("years of work")
    refused("clone", "convert", "c", "--to", "parquet", "--out", "f", told="thesis.tex")


def test_a_model_that_is_missing_leaves_nothing_behind(call):
    text = Path(MODELS[1]).read_text()
    missing = text.replace("../rldf/pocket/weights/detector/detector.pt", "none.pt")
    assert missing != text
    Path("mine.yaml").write_text(missing)
    words = ("clone-imagenet", "--models", "mine.yaml", *SIZE, "--classes", "2")
    code, out, err = call(*words, "--verify-labels", "detector")
    assert (code, out) == (3, "")
    assert "no detector at" in err
    assert err.count("\n") == 1
    assert list(Path().iterdir()) == [Path("mine.yaml")]
