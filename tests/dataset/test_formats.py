"""Each format loads in the libraries that people use, without our code, and reads back."""

import gc
import json
import tarfile
from collections import Counter

import numpy as np
import pytest

from rldf.dataset.convert import convert
from rldf.dataset.layout import agree_on_generator, open_folder
from rldf.dataset.reader import open_clone
from rldf.errors import RunError
from tests.dataset.clones import begin, clone, contents, draw, plan_config, renderer

FORMATS = ("imagefolder", "webdataset", "parquet")
COUNTS = {"train": 30, "val": 9, "test": 6}


@pytest.fixture(scope="module")
def clones(tmp_path_factory):
    root = tmp_path_factory.mktemp("clones")
    return {kind: clone(root / kind, format=kind) for kind in FORMATS}


@pytest.fixture(autouse=True)
def _quiet_datasets(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    datasets.disable_progress_bars()
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")


def known(folder):
    """Give label, sentence and checksum by file name, from the manifests."""
    return {
        row.name.rpartition("/")[2]: (row.label, row.sentence, row.sha256)
        for _, rows in folder.all_rows()
        for row in rows
    }


def test_all_formats_hold_the_same_images(clones):
    images = {
        kind: {
            (name, label, data)
            for split in ("train", "val", "test")
            for name, data, label in open_clone(folder.root).images(split)
        }
        for kind, folder in clones.items()
    }
    assert len(images["imagefolder"]) == 45
    assert images["imagefolder"] == images["webdataset"] == images["parquet"]


@pytest.mark.parametrize("kind", FORMATS)
def test_the_reader_gives_names_classes_and_splits(clones, kind):
    read = open_clone(clones[kind].root)
    assert read.splits == ("train", "val", "test")
    assert {label.name for label in read.classes} == {"banana", "orange", "strawberry"}
    names = [name for name, _, _ in read.images("val")]
    assert len(names) == len(set(names)) == 9
    for name, _, label in read.images("val"):
        assert name.startswith(f"val/{read.classes[label].key}/{read.classes[label].key}_")
    with pytest.raises(RunError, match="it has: train, val, test"):
        next(read.images("valid"))


def test_torchvision_loads_an_image_folder(clones):
    from torchvision.datasets import ImageFolder

    folder = clones["imagefolder"]
    for split, n in COUNTS.items():
        loaded = ImageFolder(folder.root / split)
        assert loaded.classes == [label.key for label in folder.record.classes]
        assert len(loaded) == n
        told = known(folder)
        for path, label in loaded.samples:
            assert told[path.rpartition("/")[2]][0] == label


def test_datasets_loads_an_image_folder_with_labels_and_sentences(clones):
    import datasets

    folder = clones["imagefolder"]
    loaded = datasets.load_dataset("imagefolder", data_dir=str(folder.root))
    check_datasets(loaded, folder)


def test_datasets_loads_parquet_with_labels_and_sentences(clones):
    import datasets

    folder = clones["parquet"]
    files = {split: str(folder.root / f"data/{split}-*.parquet") for split in COUNTS}
    loaded = datasets.load_dataset("parquet", data_files=files)
    check_datasets(loaded, folder, val="val")


@pytest.mark.parametrize("kind", ["imagefolder", "parquet"])
def test_datasets_loads_the_folder_by_its_card_alone(clones, kind):
    import datasets

    check_datasets(datasets.load_dataset(str(clones[kind].root)), clones[kind])


def check_datasets(loaded, folder, val="validation"):
    told = known(folder)
    keys = [label.key for label in folder.record.classes]
    names = {"train": "train", val: "val", "test": "test"}
    assert {names[split]: len(rows) for split, rows in loaded.items()} == COUNTS
    for rows in loaded.values():
        assert rows.features["label"].names == keys
        for row in rows:
            assert (row["image"].mode, row["image"].size) == ("RGB", (16, 16))
            assert keys[row["label"]] == row["key"]
            assert row["models"] == "drawn"
        assert {(row["label"], row["sentence"], row["sha256"]) for row in rows} <= set(
            told.values()
        )


# the library leaves the end of its files to the garbage collector
@pytest.mark.filterwarnings("ignore:unclosed file", "ignore:Exception ignored in")
def test_webdataset_loads_tars(clones):
    import webdataset

    folder = clones["webdataset"]
    tars = [str(path) for path in sorted((folder.root / "data").glob("train-*.tar"))]
    loaded = webdataset.WebDataset(tars, shardshuffle=False).decode("rgb8")
    told, found = known(folder), Counter()
    for sample in loaded:
        label, sentence, sha256 = told[f"{sample['__key__']}.jpg"]
        assert sample["cls"] == label
        assert (sample["json"]["sentence"], sample["json"]["sha256"]) == (sentence, sha256)
        assert sample["jpg"].shape == (16, 16, 3)
        assert sample["jpg"].dtype == np.uint8
        found[label] += 1
    assert found == {0: 10, 1: 10, 2: 10}
    del loaded, sample
    gc.collect()


def test_tars_hold_no_times_and_no_owners(clones):
    for path in (clones["webdataset"].root / "data").glob("*.tar"):
        with tarfile.open(path) as tar:
            for member in tar:
                assert (member.mtime, member.uid, member.gid) == (0, 0, 0)
                assert (member.uname, member.gname) == ("", "")


def test_archives_are_named_so_that_a_pattern_finds_them_in_order(clones):
    names = sorted(path.name for path in (clones["webdataset"].root / "data").iterdir())
    numbers = {"test": 6, "train": 9, "val": 9}
    assert names == [
        f"{split}-{k:05d}-of-{n:05d}.tar" for split, n in numbers.items() for k in range(n)
    ]


def test_stages_are_emptied(clones):
    for folder in clones.values():
        assert not folder.work("stage").exists()
        assert list(folder.work("journal").iterdir()) == []


@pytest.mark.parametrize("kind", FORMATS)
def test_a_clone_that_is_made_twice_is_the_same_to_the_byte(clones, kind, tmp_path):
    again = clone(tmp_path / kind, renderer(batch_size=3), format=kind)
    assert contents(again.root) == contents(clones[kind].root)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("to", FORMATS)
def test_converted_is_as_if_drawn_in_that_format(clones, kind, to, tmp_path):
    counts = convert(clones[kind], to, tmp_path / to)
    assert counts["images"] == 45
    assert contents(tmp_path / to) == contents(clones[to].root)


def test_a_conversion_goes_on_after_a_kill(clones, tmp_path):
    told = []

    def crash(images):
        told.append(images)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(clones["imagefolder"], "parquet", tmp_path / "parquet", crash)
    assert len(open_folder(tmp_path / "parquet").undone()) == 2
    convert(clones["imagefolder"], "parquet", tmp_path / "parquet")
    assert contents(tmp_path / "parquet") == contents(clones["parquet"].root)


def test_a_clone_that_is_unfinished_or_damaged_is_not_converted(tmp_path):
    folder = begin(tmp_path / "a")
    with pytest.raises(RunError, match="not finished"):
        convert(folder, "parquet", tmp_path / "b")
    draw(folder)
    next((folder.root / "val").rglob("*.jpg")).write_bytes(b"cut")
    with pytest.raises(RunError, match="is damaged: type 'rldf clone verify"):
        convert(folder, "parquet", tmp_path / "b")


def test_a_damaged_archive_is_one_error(clones, tmp_path):
    for kind in ("webdataset", "parquet"):
        folder = clone(tmp_path / kind, format=kind)
        path = next((folder.root / "data").glob("train-*"))
        whole = path.read_bytes()
        for cut in (0, 700, 2100, 3000, 5000, len(whole) - 1500, len(whole) - 1):
            path.write_bytes(whole[:cut])
            with pytest.raises(RunError, match="is damaged or missing"):
                list(open_clone(folder.root).images("train"))


def test_classes_that_are_called_like_splits_load(tmp_path):
    """`datasets` finds splits by words in paths; a class "train" must not end up in train."""
    import datasets

    config = plan_config()
    labels = tuple(
        type(label)(key, label.name, noun=label.noun)
        for label, key in zip(config.classes, ("dev", "test-tube", "train"), strict=True)
    )
    folder = clone(tmp_path / "a", config=config.model_copy(update={"classes": labels}))
    loaded = datasets.load_dataset("imagefolder", data_dir=str(folder.root))
    check_datasets(loaded, folder)


def test_rows_hold_what_json_can_say(clones):
    for folder in clones.values():
        for shard in range(len(folder.shards)):
            for line in folder.manifest(shard).read_text().splitlines():
                assert set(json.loads(line)) >= {"sentence", "encoding", "seed", "sha256", "label"}


def test_a_class_without_images_keeps_its_number(tmp_path):
    from torchvision.datasets import ImageFolder

    def filter(images, planned):
        return ["flagged" * (what.label == 1 and what.split == "val") for what in planned]

    folder = clone(tmp_path / "a", renderer(filter=filter))
    train, val = (ImageFolder(folder.root / split, allow_empty=True) for split in ("train", "val"))
    assert val.class_to_idx == train.class_to_idx
    assert set(val.targets) == {0, 2}


def test_a_converted_clone_knows_what_drew_it(tmp_path):
    folder = clone(tmp_path / "a")
    agree_on_generator(folder, {"generator": "speckled"})
    convert(folder, "parquet", tmp_path / "b")
    told = open_folder(tmp_path / "b").generator.read_bytes()
    assert told == folder.generator.read_bytes()


# the library leaves the end of its files to the garbage collector
@pytest.mark.filterwarnings("ignore:unclosed file", "ignore:Exception ignored in")
def test_the_code_on_the_card_loads_the_tars(clones, monkeypatch):
    """Of a split, a shard may have no images and no tar."""
    folder = clones["webdataset"]
    code = (folder.root / "README.md").read_text().split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(folder.root)
    import glob

    import webdataset

    known_names = {"glob": glob, "webdataset": webdataset}
    tars, loaded = code.splitlines()
    exec(tars, known_names)
    assert len(list(eval(loaded, known_names))) == 30
