"""Checking a clone, and drawing exactly what is wrong again."""

import io

import pytest
from PIL import Image

from rldf.dataset.manifest import write_rows
from rldf.dataset.plan import make_plan
from rldf.dataset.sharding import claim
from rldf.dataset.verify import repair, verify
from rldf.errors import RunError
from tests.dataset.clones import begin, clone, contents, draw, renderer

FORMATS = ("imagefolder", "webdataset", "parquet")


def wrong(folder):
    return sorted((problem.kind, problem.name) for problem in verify(folder).problems)


def mend(folder, who=None):
    who = who or renderer()
    plan = make_plan(folder.record.plan)
    mended = repair(folder, plan, who, verify(folder).problems)
    return mended, who.generator


def damage(folder, index, data):
    """Put other bytes in the place of an image, as if they had been written."""
    shard = folder.shards.of(index)
    rows, store = folder.rows(shard), folder.store()
    for row, old in list(store.read(shard, rows)):
        store.put(shard, row.name, data if row.index == index else old)
    store.seal(shard, rows)
    store.release(shard)


@pytest.fixture(params=FORMATS)
def folder(request, tmp_path):
    return clone(tmp_path / "a", format=request.param)


def test_nothing_is_wrong_with_a_new_clone(folder):
    report = verify(folder)
    assert (report.problems, report.checked, report.unfinished) == ([], 45, 0)
    assert report.document()["ok"] is True


@pytest.mark.parametrize("index", [0, 44])
@pytest.mark.parametrize("data", [b"truncated", None])
def test_a_damaged_image_is_found_and_drawn_again(folder, index, data):
    before = contents(folder.root)
    if data is None:  # another image that is whole
        file = io.BytesIO()
        Image.effect_noise((16, 16), 90).convert("RGB").save(file, "JPEG")
        data = file.getvalue()
    damage(folder, index, data)
    name = make_plan(folder.record.plan).image(index).name
    assert wrong(folder) == [("changed", name)]
    mended, generator = mend(folder)
    assert (mended, generator.n_drawn) == (1, 1)
    assert wrong(folder) == []
    assert contents(folder.root) == before


def test_missing_files_are_found_and_drawn_again(tmp_path):
    folder = clone(tmp_path / "a")
    before = contents(folder.root)
    gone = [make_plan(folder.record.plan).image(i).name for i in (3, 4, 30)]
    for name in [*gone, "train/metadata.parquet", "croissant.json", "plan.parquet"]:
        (folder.root / name).unlink()
    assert {name for kind, name in wrong(folder) if kind == "hole"} == {
        *gone,
        "train/metadata.parquet",
        "croissant.json",
        "plan.parquet",
    }
    assert mend(folder)[0] == 3
    assert wrong(folder) == []
    assert contents(folder.root) == before


def test_a_missing_or_truncated_archive_is_drawn_again(tmp_path):
    for kind in ("webdataset", "parquet"):
        folder = clone(tmp_path / kind, format=kind)
        before = contents(folder.root)
        paths = sorted((folder.root / "data").iterdir())
        paths[0].unlink()
        paths[1].write_bytes(paths[1].read_bytes()[: paths[1].stat().st_size // 2])
        found = wrong(folder)
        assert {kind for kind, _ in found} == {"hole", "changed"} or {k for k, _ in found} == {
            "hole"
        }
        assert mend(folder)[0] == len(found)
        assert wrong(folder) == []
        assert contents(folder.root) == before


def test_a_damaged_manifest_costs_its_shard_alone(folder):
    before = contents(folder.root)
    folder.manifest(1).write_text("garbage\n")
    assert wrong(folder) == [("manifest", ".rldf/shards/00001.jsonl")]
    mended, generator = mend(folder)
    assert (mended, generator.n_drawn) == (16, 16)
    assert wrong(folder) == []
    assert contents(folder.root) == before


@pytest.mark.parametrize(("colour", "kind"), [((0, 0, 0), "black"), ((9, 99, 199), "constant")])
def test_an_image_that_shows_nothing_is_drawn_with_another_seed(folder, colour, kind):
    file = io.BytesIO()
    Image.new("RGB", (16, 16), colour).save(file, "JPEG")
    slip_in(folder, 20, file.getvalue())
    name = make_plan(folder.record.plan).image(20).name
    assert wrong(folder) == [(kind, name)]
    assert mend(folder)[0] == 1
    assert wrong(folder) == []
    row = folder.rows(1)[4]
    assert (row.index, row.attempt, row.rejected) == (20, 1, (kind,))


def test_the_second_of_two_equal_images_is_drawn_with_another_seed(folder):
    store, plan = folder.store(), make_plan(folder.record.plan)
    _, first = next(iter(store.read(0, folder.rows(0))))
    slip_in(folder, 20, first)
    problem = verify(folder).problems[0]
    assert (problem.kind, problem.name, problem.of) == (
        "duplicate",
        plan.image(20).name,
        plan.image(0).name,
    )
    assert mend(folder)[0] == 1
    assert wrong(folder) == []
    assert folder.rows(1)[4].rejected == ("duplicate",)
    assert folder.rows(0)[0].rejected == ()


def slip_in(folder, index, data):
    """Make a clone whose manifest vouches for other bytes, and finish it so."""
    from dataclasses import replace
    from hashlib import sha256

    from rldf.dataset.finalize import write_finish

    damage(folder, index, data)
    shard = folder.shards.of(index)
    rows = [
        replace(row, sha256=sha256(data).hexdigest(), bytes=len(data))
        if row.index == index
        else row
        for row in folder.rows(shard)
    ]
    write_rows(folder.manifest(shard), rows)
    damage(folder, index, data)  # archives hold the checksum as well
    write_finish(folder)


def test_stray_files_are_told_and_left_alone(folder):
    strays = ["notes.txt", "train/notes.txt", "train/n00000000/x.jpg", "data/other-00000.tar"]
    for name in strays:
        (folder.root / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.root / name).write_text("mine")
    (folder.root / "link").symlink_to("/etc/passwd")
    found = wrong(folder)
    assert found == sorted(("stray", name) for name in [*strays, "link"])
    assert mend(folder)[0] == 0
    assert wrong(folder) == found


def test_a_card_that_a_person_changed_is_kept(folder):
    card = folder.root / "README.md"
    card.write_text(card.read_text() + "\nMy own words.\n")
    for index in (3, 4):
        damage(folder, index, b"")
        assert mend(folder)[0] == 1
        assert "My own words." in card.read_text()
    assert wrong(folder) == []


def test_an_unfinished_clone_is_no_damaged_one(tmp_path):
    folder = begin(tmp_path / "a")

    class Crash(BaseException):
        pass

    def crash(found):
        if len(folder.undone()) == 2:
            raise Crash

    with pytest.raises(Crash):
        draw(folder, report=crash)
    report = verify(folder)
    assert (report.problems, report.checked, report.unfinished) == ([], 16, 2)
    assert report.document()["ok"] is False


def test_a_clone_that_is_being_written_is_not_repaired(folder):
    damage(folder, 3, b"")
    with claim(folder.lock(0)), pytest.raises(RunError, match="being written by another process"):
        mend(folder)
    assert mend(folder)[0] == 1


def test_images_that_were_left_out_are_no_holes(tmp_path):
    def filter(images, planned):
        return ["flagged" * (what.index == 4) for what in planned]

    folder = clone(tmp_path / "a", renderer(filter=filter))
    assert wrong(folder) == []
    assert verify(folder).checked == 44
