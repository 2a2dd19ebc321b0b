"""Image files from strangers: bounded reads, broken metadata, and one image at a time."""

import io
import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image, ImageOps

from rldf import images
from rldf.cli import encode as command
from rldf.errors import ImageError
from rldf.images import read_image, read_stream


def png(colour="red"):
    data = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(data, "PNG")
    return data.getvalue()


class Endless(io.RawIOBase):
    def read(self, size=-1):
        assert size >= 0, "read without a bound"
        return bytes(size)


def test_streams_are_read_up_to_a_bound(monkeypatch):
    monkeypatch.setattr(images, "_MAX_BYTES", 1_000_000)
    with pytest.raises(ImageError, match="stdin is larger than 1 MB"):
        read_stream(Endless(), "stdin")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no /dev/zero here")
def test_a_device_is_read_up_to_a_bound(monkeypatch):
    monkeypatch.setattr(images, "_MAX_BYTES", 1_000_000)
    with pytest.raises(ImageError, match="/dev/zero is larger than 1 MB"):
        read_image(Path("/dev/zero"))


def _feed(path, data):
    writer = threading.Thread(target=path.write_bytes, args=(data,), daemon=True)
    writer.start()
    return writer


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_read_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = _feed(tmp_path / "pipe", png())
    kept = command._check(str(tmp_path / "pipe"))
    writer.join(10)
    assert kept is not None
    assert kept.size == (8, 6)


def test_a_file_that_can_be_opened_again_is_not_kept(tmp_path):
    (tmp_path / "a.png").write_bytes(png())
    assert command._check(str(tmp_path / "a.png")) is None


def test_stdin_is_kept(monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(png())))
    assert command._check("-").size == (8, 6)


@pytest.mark.parametrize("error", [SyntaxError, ValueError, TypeError, ZeroDivisionError])
def test_metadata_that_cannot_be_read_is_ignored(tmp_path, monkeypatch, error):
    (tmp_path / "a.png").write_bytes(png())

    def broken(_):
        raise error("not a TIFF file")

    monkeypatch.setattr(ImageOps, "exif_transpose", broken)
    assert read_image(tmp_path / "a.png").getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0not a tiff header",
        b"Exif\0\0II*\0\xff\xff\xff\x7f",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff",
        b"Exif\0\0",
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_broken_exif_in_a_file(tmp_path, exif, kind):
    Image.new("RGB", (8, 6), "red").save(tmp_path / "a", kind, exif=exif)
    assert read_image(tmp_path / "a").size == (8, 6)
