"""Image files from strangers: bounded reads, broken metadata, and one image at a time."""

import io
import os
import threading
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

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


@pytest.mark.parametrize(
    ("kind", "values", "shown"),
    [
        (np.uint16, [0, 255, 128], [0, 255, 128]),
        (np.uint16, [0, 256, 65_535], [0, 0, 255]),
        (np.uint16, [65_535, 257 * 200, 257 * 200 - 1], [255, 200, 199]),
        (np.float32, [np.nan, np.inf, -np.inf], [0, 255, 0]),
    ],
)
def test_greys_of_any_depth_keep_their_shares(tmp_path, kind, values, shown):
    Image.fromarray(np.array([values], kind)).save(tmp_path / "a.tif")
    assert [pixel[0] for pixel in read_image(tmp_path / "a.tif").get_flattened_data()] == shown


def test_a_deep_grey_image_is_converted_in_little_memory():
    grey = Image.fromarray(np.full((1_000, 1_000), 60_000, np.uint16))
    tracemalloc.start()
    images.to_rgb(grey)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12e6  # 12 bytes a pixel, of numpy


def test_metadata_goes_no_further(tmp_path):
    info = PngInfo()
    info.add_text("key", "x" * 100)
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png", pnginfo=info, exif=b"Exif\0\0nothing")
    assert read_image(tmp_path / "a.png").info == {}


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
