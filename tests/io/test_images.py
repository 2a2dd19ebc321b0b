"""Image files from strangers: bounded reads, broken metadata, and one image at a time."""

import io
import os
import struct
import threading
import tracemalloc
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from rldf.cli import encode as command
from rldf.errors import ImageError
from rldf.io import images
from rldf.io.images import read_image, read_stream
from tests.fuzz.formats import chunk, tiff
from tests.fuzz.formats import png as png_of


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


def greys(path):
    return [pixel[0] for pixel in read_image(path).get_flattened_data()]


@pytest.mark.parametrize(
    ("kind", "values", "shown"),
    [
        (np.uint16, [0, 255, 128], [0, 0, 0]),  # a photograph of the night
        (np.uint16, [257, 3 * 257 - 1, 3], [1, 2, 0]),
        (np.uint16, [0, 256, 65_535], [0, 0, 255]),
        (np.uint16, [65_535, 257 * 200, 257 * 200 - 1], [255, 200, 199]),
        (np.float32, [np.nan, np.inf, -np.inf], [0, 255, 0]),
        (np.float32, [0.5, 0.2, 0.0], [127, 51, 0]),
    ],
)
def test_greys_of_any_depth_keep_their_shares(tmp_path, kind, values, shown):
    Image.fromarray(np.array([values], kind)).save(tmp_path / "a.tif")
    assert greys(tmp_path / "a.tif") == shown


DARK, LIGHT = 200, 200 * 257  # of 16 bits


@pytest.mark.parametrize(("sample", "shown"), [(DARK, 0), (LIGHT, 200)])
@pytest.mark.parametrize("colour", [0, 2, 4, 6])
def test_the_depth_of_a_png_decides_and_not_its_samples(tmp_path, colour, sample, shown):
    """Grey and RGB, without and with transparency, which is none here."""
    colours, alphas = {0: (1, 0), 2: (3, 0), 4: (1, 1), 6: (3, 1)}[colour]
    pixel = struct.pack(">H", sample) * colours + b"\xff\xff" * alphas
    rows = chunk(b"IDAT", zlib.compress((b"\0" + 4 * pixel) * 3))
    (tmp_path / "a.png").write_bytes(png_of(4, 3, rows, depth=16, colour=colour))
    assert set(greys(tmp_path / "a.png")) == {shown}


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
@pytest.mark.parametrize(("sample", "shown"), [(DARK, 0), (LIGHT, 200)])
def test_the_depth_of_a_tiff_decides_in_either_order(tmp_path, mode, sample, shown):
    order = ">u2" if mode == "I;16B" else "<u2"
    image = Image.frombytes(mode, (3, 1), np.full(3, sample, order).tobytes())
    image.save(tmp_path / "a.tif")
    with Image.open(tmp_path / "a.tif") as kept:
        assert kept.mode == mode
    assert set(greys(tmp_path / "a.tif")) == {shown}


def deep_tiff(bits, photometric, strip):
    tags = {256: 2, 257: 1, 258: bits, 259: 1, 262: photometric, 277: 1, 278: 1, 279: len(strip)}
    rows = [(tag, 4, 1, value) for tag, value in tags.items()]
    return tiff(*rows, (273, 4, 1, len(tiff(*rows, (273, 4, 1, 0)))), body=strip)


@pytest.mark.parametrize(
    ("bits", "photometric", "strip", "shown"),
    [
        (12, 1, b"\xff\xf0\x0a", [255, 0]),  # 4095 is white, 10 is almost black
        (12, 1, b"\x00\xa0\x05", [0, 0]),
        (16, 0, struct.pack("<HH", 0, 65_535), [255, 0]),  # where 0 is white
        (16, 0, struct.pack("<HH", 100, LIGHT), [254, 55]),
    ],
)
def test_a_tiff_says_what_is_white(tmp_path, bits, photometric, strip, shown):
    (tmp_path / "a.tif").write_bytes(deep_tiff(bits, photometric, strip))
    assert greys(tmp_path / "a.tif") == shown


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (np.array([[0, 200]], np.int32), "32 bits"),
        (np.array([[0, 60_000]], np.int32), "8 or 16 bits"),
        (np.array([[0, 200]], np.float32), "floats from 0 to 200"),
        (np.array([[-0.5, 0.5]], np.float32), "floats from -0.5 to 0.5"),
    ],
)
def test_samples_that_do_not_say_what_is_white_are_refused(tmp_path, values, told):
    Image.fromarray(values).save(tmp_path / "a.tif")
    with pytest.raises(ImageError, match=told):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("colour", [0, 2])
def test_the_transparent_colour_of_a_deep_png_is_white(tmp_path, colour):
    """Beside it another colour that stays as it is."""
    samples = 3 if colour else 1
    clear, seen = (struct.pack(">H", sample) * samples for sample in (LIGHT, 100 * 257))
    rows = chunk(b"tRNS", clear), chunk(b"IDAT", zlib.compress(b"\0" + clear + seen))
    (tmp_path / "a.png").write_bytes(png_of(2, 1, *rows, depth=16, colour=colour))
    assert greys(tmp_path / "a.png") == [255, 100]


@pytest.mark.parametrize(
    ("image", "name", "shown"),
    [
        (Image.new("1", (2, 1), 1), "a.png", 255),
        (Image.new("1", (2, 1), 1), "a.tif", 255),
        (Image.new("P", (2, 1), 3), "a.gif", 3),
        (Image.new("LA", (2, 1), (200, 255)), "a.png", 200),
        (Image.new("CMYK", (2, 1), (55, 55, 55, 0)), "a.tif", 200),
    ],
)
def test_images_of_at_most_8_bits_stay_as_they_are(tmp_path, image, name, shown):
    if image.mode == "P":
        image.putpalette([n for n in range(256) for _ in "rgb"])
    image.save(tmp_path / name)
    assert set(greys(tmp_path / name)) == {shown}


def test_a_tiff_whose_grey_was_multiplied_by_its_alpha(tmp_path):
    """Half of a light grey, on white."""
    tags = {256: 1, 257: 1, 258: 0x00080008, 259: 1, 262: 1, 277: 2, 278: 1, 279: 2, 338: 1}
    rows = [(tag, 3, 2 if tag == 258 else 1, value) for tag, value in tags.items()]
    begin = len(tiff(*rows, (273, 4, 1, 0)))
    (tmp_path / "a.tif").write_bytes(tiff(*rows, (273, 4, 1, begin), body=b"\x64\x80"))
    (shown,) = greys(tmp_path / "a.tif")
    assert abs(shown - (100 + 127)) <= 1


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
