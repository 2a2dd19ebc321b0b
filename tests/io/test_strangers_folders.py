"""Folders of strangers may hold pipes, devices and links: none is waited for, read or followed."""

import io
import os
import tarfile
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from rldf.dataset.formats import Parquet, WebDataset
from rldf.dataset.layout import enter_folder, open_folder
from rldf.dataset.plan import make_plan
from rldf.dataset.reader import open_clone
from rldf.dataset.verify import repair, verify
from rldf.errors import ImageError, RldfError, RunError
from rldf.evaluation.image_sets import open_images, read_contents
from rldf.experiments.bench.records import Records
from rldf.io import files
from rldf.io.workdir import ResultFolder, refuse_links
from rldf.report.images import load_image
from rldf.runs.folder import RunFolder
from rldf.runs.records import read_record, read_steps
from tests.dataset.clones import begin, clone, draw, renderer

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
CONFIG = {"agent": "q", "image": "a.png"}


@pytest.fixture(params=["pipe", "device"])
def odd(request):
    """Put what is no file in the place of one; reading it would hang, or never end."""

    def put(path: Path) -> Path:
        path.unlink(missing_ok=True)
        if request.param == "pipe":
            os.mkfifo(path)
        else:
            path.symlink_to("/dev/zero")
        return path

    return put


def test_what_is_no_file_is_not_read(tmp_path, odd):
    with pytest.raises(OSError, match="a device or a pipe"):
        files.read_file(odd(tmp_path / "a"))
    with pytest.raises(IsADirectoryError):
        files.read_file(tmp_path)
    (tmp_path / "b").write_bytes(b"whole")
    (tmp_path / "c").symlink_to("b")
    assert files.read_file(tmp_path / "c") == b"whole"


@pytest.mark.parametrize("read", [read_record, read_steps, Records, files.read_lines])
def test_records_are_read_from_files_alone(tmp_path, odd, read):
    with pytest.raises(RunError, match="cannot be read"):
        read(odd(tmp_path / "a.json"))


def test_the_pictures_of_a_report_are_files(tmp_path, odd):
    assert load_image(odd(tmp_path / "a.png"), 16).size == (16, 16)


def test_an_image_of_a_folder_is_a_file(tmp_path, odd):
    odd(tmp_path / "a.png")
    with pytest.raises(ImageError, match="cannot be read"):
        read_contents(open_images(tmp_path))


def test_the_image_of_a_clone_is_a_file(tmp_path, odd):
    folder = clone(tmp_path / "c")
    row = folder.rows(0)[0]
    odd(folder.root / row.name)
    assert [(p.kind, p.name) for p in verify(folder).problems] == [("hole", row.name)]
    with pytest.raises(RunError, match="cannot be read"):
        list(open_clone(folder.root).images("train"))
    with pytest.raises(RunError, match="cannot be read"):
        open_folder(odd(folder.root / "clone.json").parent)


@pytest.mark.parametrize("packer", [WebDataset, Parquet])
def test_an_archive_is_a_file(tmp_path, odd, packer):
    with pytest.raises(RunError, match="is damaged"):
        list(packer.read_archive(odd(tmp_path / "a")))


def test_lines_are_added_to_files_alone(tmp_path, odd):
    (tmp_path / "victim").write_text("")
    (tmp_path / "link").symlink_to("victim")
    (tmp_path / "nowhere").symlink_to("new")
    for path in (tmp_path / "link", tmp_path / "nowhere"):
        with pytest.raises(OSError):
            files.append_jsonl(path, {"a": 1})
    assert (tmp_path / "victim").read_text() == ""
    assert not (tmp_path / "new").exists()
    with pytest.raises(OSError):
        files.append_jsonl(odd(tmp_path / "odd"), {"a": 1})
    files.append_jsonl(tmp_path / "own", {"a": 1})
    files.append_jsonl(tmp_path / "own", {"a": 2})
    assert files.read_lines(tmp_path / "own") == [b'{"a":1}', b'{"a":2}']


def away(inside: Path) -> Path:
    """Put a link to a folder elsewhere in the place of one."""
    outside = inside.parents[1] / "outside"
    outside.mkdir(exist_ok=True)
    inside.parent.mkdir(exist_ok=True)
    if inside.is_dir():
        inside.rename(inside.with_name("kept-aside"))
    inside.symlink_to(outside, target_is_directory=True)
    return outside


def test_links_are_found_as_far_down_as_is_looked(tmp_path):
    refuse_links(tmp_path / "none")
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "a" / "file").symlink_to("/etc/hostname")  # replaced, not followed
    refuse_links(tmp_path, 5)
    (tmp_path / "a" / "b" / "link").symlink_to("/tmp")
    refuse_links(tmp_path)
    with pytest.raises(RunError, match=r"link is a link, and nothing is written"):
        refuse_links(tmp_path, 3)


def test_a_run_is_not_gone_on_with_elsewhere(tmp_path):
    RunFolder.create(tmp_path / "r", CONFIG, ["rldf"], 0).close()
    outside = away(tmp_path / "r" / "images")
    with pytest.raises(RunError, match="is a link"):
        RunFolder.resume(tmp_path / "r", CONFIG)
    assert not list(outside.iterdir())
    assert not files.is_locked(tmp_path / "r" / ".lock")


def test_results_are_not_written_elsewhere(tmp_path):
    folder = ResultFolder(tmp_path / "r", CONFIG)
    with folder.filling():
        pass
    outside = away(tmp_path / "r" / "images")
    with pytest.raises(RunError, match="is a link"), folder.filling():
        (tmp_path / "r" / "images" / "a").touch()
    assert not list(outside.iterdir())


@pytest.mark.parametrize("place", ["train", ".rldf/shards", "train/n07745940"])
def test_a_clone_is_not_gone_on_with_or_mended_elsewhere(tmp_path, place):
    folder = clone(tmp_path / "c")
    away(folder.root / place)
    with pytest.raises(RunError, match="is a link"):
        enter_folder(folder.root, folder.record)
    with pytest.raises(RunError, match="is a link"):
        repair(folder, make_plan(folder.record.plan), renderer(), [])


def test_a_journal_that_leads_elsewhere_is_not_written(tmp_path):
    folder = begin(tmp_path / "c")
    folder.journal(0).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RldfError, match="cannot write to"):
        draw(folder)
    assert not (tmp_path / "elsewhere").exists()


def sparse(path: Path, size: str, stored: bytes = b"1\n0\n0\n") -> Path:
    """Write a tar of a member that is a few bytes in the file and as many as it says outside."""
    member = tarfile.TarInfo("a_00000000.jpg")
    data = stored.ljust(512, b"\0")
    member.size = len(data)
    member.pax_headers = {
        "GNU.sparse.major": "1", "GNU.sparse.minor": "0",
        "GNU.sparse.name": member.name, "GNU.sparse.realsize": size,
    }  # fmt: skip
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(member, io.BytesIO(data))
    return path


def test_a_tar_is_no_larger_inside_than_outside(tmp_path):
    for size, stored in (("50000000000", b"1\n0\n0\n"), ("5", b"1\nx\n0\n"), ("x", b"1\n0\n0\n")):
        path = sparse(tmp_path / "a.tar", size, stored)
        with pytest.raises(RunError, match=r"a\.tar is damaged"):
            list(WebDataset.read_archive(path))


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        (pyarrow.binary(), [{"path": str(i), "bytes": bytes(1_000_000)} for i in range(30)]),
        (pyarrow.int64(), [{"path": "a", "bytes": 10**15}]),
        (pyarrow.string(), [{"path": "a", "bytes": "b"}]),
        (pyarrow.binary(), [{"path": "a", "bytes": None}]),
        (pyarrow.binary(), [None]),
    ],
    ids=["bomb", "number", "text", "null", "nothing"],
)
def test_a_parquet_file_holds_images_alone(tmp_path, kind, rows):
    image = pyarrow.struct([("bytes", kind), ("path", pyarrow.string())])
    table = pyarrow.table({"image": pyarrow.array(rows, image)})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet", compression="zstd")
    with pytest.raises(RunError, match=r"a\.parquet is damaged"):
        list(Parquet.read_archive(tmp_path / "a.parquet"))


def test_deep_json_is_damage_wherever_it_stands(tmp_path):
    folder = clone(tmp_path / "c")
    for name in ("clone.json", ".rldf/shards/00000.jsonl"):
        (folder.root / name).write_text("[" * 100_000 + "\n")
    with pytest.raises(RunError, match="is damaged"):
        open_folder(folder.root)
    with pytest.raises(RunError, match="is damaged"):
        folder.rows(0)
