"""Planning and drawing clones."""

import zipfile
from pathlib import Path

import pytest

from rldf.dataset.formats import FORMATS, ArchiveFormat
from rldf.dataset.job import CloneOptions, prepare_imagenet
from rldf.dataset.layout import open_folder
from rldf.dataset.reader import open_clone
from rldf.dataset.verify import verify
from rldf.errors import RunError, UsageError

ROOT = Path(__file__).parents[2]
SMALL = {"models": ROOT / "tests" / "drawn.yaml", "per_class": 4, "splits": {"train": 3, "val": 1}}


def test_a_clone_is_drawn_and_continued(tmp_path, capfd):
    stages = []
    out = tmp_path / "c"
    options = CloneOptions(out=out, **SMALL)

    def tell(*told):
        stages.append(told)

    result = prepare_imagenet(2, options, progress=tell).draw(tell)
    assert (result.out, result.images, result.written, result.shards_left) == (out, 8, 8, 0)
    assert result.splits == {"train": 6, "val": 2}
    assert len(result.classes) == 2
    assert stages[0] == ("planning", 0, 0)
    assert stages[-1] == ("images", 8, 8)
    again = prepare_imagenet(2, options).draw()
    assert (again.images, again.written) == (8, 0)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"format": "zip"}, "type one of imagefolder, webdataset, parquet"),
        ({"image_format": "gif"}, "type one of jpg, png"),
        ({"verify_labels": "me"}, "type one of detector, clip"),
        ({"shard": "8/8"}, "give i/N"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_written(tmp_path, wrong, said):
    with pytest.raises(UsageError, match=said):
        prepare_imagenet(2, CloneOptions(out=tmp_path / "c", **SMALL, **wrong))
    assert not list(tmp_path.iterdir())


def test_an_estimate_writes_nothing(tmp_path):
    job = prepare_imagenet(2, CloneOptions(out=tmp_path / "c", **SMALL))
    assert job.estimate().images == 8
    assert not list(tmp_path.iterdir())


class Zip(ArchiveFormat):
    """A format of another package."""

    ending = "zip"
    media_type = "application/zip"

    def write_archive(self, file, rows, images):
        with zipfile.ZipFile(file, "w") as held:
            for row, data in zip(rows, images, strict=True):
                held.writestr(zipfile.ZipInfo(row.name.rpartition("/")[2]), data)

    @staticmethod
    def read_archive(path):
        try:
            with zipfile.ZipFile(path) as held:
                for name in held.namelist():
                    yield name, held.read(name)
        except (OSError, zipfile.BadZipFile) as error:
            raise RunError(f"{path} is damaged: {error}") from None

    def loading(self, split):
        return [f"zipfile.ZipFile({split!r})"]

    def fields(self):
        return None


def test_a_format_is_one_class_and_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(FORMATS, "zip", Zip)
    result = prepare_imagenet(2, CloneOptions(out=tmp_path / "c", format="zip", **SMALL)).draw()
    assert result.images == 8
    assert verify(open_folder(result.out)).document()["ok"]
    assert len(list(open_clone(result.out).images("train"))) == 6
    assert "zipfile.ZipFile" in (result.out / "README.md").read_text()
