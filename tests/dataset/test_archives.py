"""Archives: numbered within their split, without a gap, and enough of them for loader workers."""

import gc
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rldf.dataset.convert import convert
from rldf.dataset.layout import enter_folder, open_folder
from rldf.dataset.reader import open_clone
from rldf.dataset.record import new_record
from rldf.dataset.sharding import WORKERS, Archives, Shards
from rldf.dataset.verify import verify
from rldf.errors import RunError
from rldf.evaluation.image_sets import open_images, read_contents
from tests.dataset.clones import begin, clone, contents, draw, plan_config, renderer, write_config
from tests.dataset.test_verify import mend

SPLITS = {"train": 10, "val": 3, "test": 2}


def expanded(folder, split, ending="tar"):
    from webdataset.shardlists import expand_urls

    return expand_urls(folder.archives.pattern(split, ending))


def flagged(*, split, of_three=3):
    def filter(images, planned):
        return ["flagged" * (p.split == split and p.label < of_three) for p in planned]

    return renderer(filter=filter)


@given(
    st.dictionaries(st.sampled_from(list(SPLITS)), st.integers(1, 900), min_size=1),
    st.integers(1, 100),
)
def test_every_image_is_in_one_file_and_numbers_have_no_gaps(splits, size):
    shards = Shards(sum(splits.values()), size)
    archives = Archives(shards, splits, "split")
    found = [archive for n in range(len(shards)) for archive in archives.of_shard(n)]
    order = sorted(found, key=lambda archive: archive.images.start)
    assert [i for archive in order for i in archive.images] == list(range(shards.images))
    for split, images in splits.items():
        own = [archive for archive in order if archive.split == split]
        assert [archive.number for archive in own] == list(range(len(own)))
        assert {archive.total for archive in own} == {archives.total(split)} == {len(own)}
        assert min(WORKERS, images) <= len(own)
        assert all(len(archive.images) for archive in own)


@pytest.mark.parametrize("size", [5, 16, 64])
@pytest.mark.parametrize("kind", ["webdataset", "parquet"])
def test_one_pattern_names_all_files_of_a_split(tmp_path, size, kind):
    folder = clone(tmp_path / "a", format=kind, shard_size=size)
    ending = {"webdataset": "tar", "parquet": "parquet"}[kind]
    for split, n in SPLITS.items():
        named = expanded(folder, split, ending)
        there = sorted(folder.root.glob(f"data/{split}-*"))
        assert [folder.root / name for name in named] == there
        assert len(there) >= min(WORKERS, 3 * n)
        assert f"`{folder.archives.pattern(split, ending)}` | up to {len(there)} |" in (
            folder.root / "README.md"
        ).read_text("utf-8")
    assert verify(folder).document()["ok"]


@pytest.mark.parametrize("split", ["train", "test"])
def test_images_that_are_left_out_leave_no_gap(tmp_path, split):
    folder = clone(tmp_path / "a", flagged(split=split, of_three=2), format="webdataset")
    names = expanded(folder, split)
    assert all((folder.root / name).is_file() for name in names)
    assert len(list(open_clone(folder.root).images(split))) == SPLITS[split]
    assert verify(folder).document()["ok"]


def test_a_lost_file_without_images_is_found_and_written_again(tmp_path):
    folder = clone(tmp_path / "a", flagged(split="test"), format="webdataset")
    before = contents(folder.root)
    lost = folder.root / expanded(folder, "test")[0]
    lost.unlink()
    assert [(p.kind, p.name) for p in verify(folder).problems] == [
        ("hole", lost.relative_to(folder.root).as_posix())
    ]
    assert mend(folder, flagged(split="test"))[0] == 0
    assert contents(folder.root) == before


# the library leaves the end of its files to the garbage collector
@pytest.mark.filterwarnings("ignore:unclosed file", "ignore:Exception ignored in")
@pytest.mark.parametrize("split", ["train", "val"])
def test_eight_loader_workers_are_fed(tmp_path, monkeypatch, split):
    """Each worker is asked for its share, as a loader asks it in a process of its own."""
    import webdataset
    from torch.utils.data import _utils

    folder = clone(tmp_path / "a", format="webdataset", shard_size=64)
    monkeypatch.chdir(folder.root)
    seen = []
    for worker in range(WORKERS):
        told = _utils.worker.WorkerInfo(id=worker, num_workers=WORKERS, seed=0, dataset=None)
        monkeypatch.setattr(_utils.worker, "_worker_info", told)
        tars = folder.archives.pattern(split, "tar")
        samples = list(webdataset.WebDataset(tars, shardshuffle=False))
        assert samples, f"worker {worker} has nothing to read"
        seen += [sample["__key__"] for sample in samples]
        del samples
    gc.collect()
    assert len(seen) == len(set(seen)) == 3 * SPLITS[split]


OLD = [
    "test-00002-of-00003", "train-00000-of-00003", "train-00001-of-00003", "val-00001-of-00003",
    "val-00002-of-00003",
]  # fmt: skip


def as_before(root: Path, kind: str):
    """Begin a clone as earlier versions did: their `clone.json` says nothing of numbers."""
    folder = begin(root, format=kind, numbering="clone")
    document = json.loads((root / "clone.json").read_text())
    del document["write"]["numbering"]
    (root / "clone.json").write_text(json.dumps(document))
    assert open_folder(root).record == folder.record
    return open_folder(root)


@pytest.mark.parametrize("kind", ["webdataset", "parquet"])
def test_clones_of_earlier_versions_are_read_finished_and_converted(tmp_path, kind):
    folder = as_before(tmp_path / "old", kind)

    def kill(outcomes):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw(folder, report=kill)
    # the program of today asks for numbers within splits, and goes on with the folder's own
    wanted = new_record(plan_config(), write_config(format=kind))
    assert wanted.write.numbering == "split"
    folder = enter_folder(tmp_path / "old", wanted)
    draw(folder)
    assert sorted(path.stem for path in (folder.root / "data").iterdir()) == OLD
    assert verify(folder).document()["ok"]
    assert len(read_contents(open_images(folder.root))) == 45
    convert(folder, kind, tmp_path / "new")
    assert contents(tmp_path / "new") == contents(clone(tmp_path / "c" / "new", format=kind).root)
    assert "up to" not in (folder.root / "README.md").read_text("utf-8")


def test_another_configuration_is_still_refused(tmp_path):
    as_before(tmp_path / "old", "webdataset")
    other = new_record(plan_config(), write_config(format="parquet"))
    with pytest.raises(RunError, match="is a clone of another configuration"):
        enter_folder(tmp_path / "old", other)


@pytest.mark.parametrize("kind", ["imagefolder", "webdataset"])
def test_a_check_of_no_images_is_no_success(tmp_path, kind):
    who = renderer(filter=lambda images, planned: ["flagged"] * len(images))
    report = verify(clone(tmp_path / "a", who, format=kind))
    assert (report.checked, report.left_out, report.problems) == (0, 45, [])
    assert report.document()["ok"] is False
