"""Small files that would cost gigabytes or minutes: refused, or read for what their pixels cost."""

import contextlib
import struct
import sys
import zlib
from functools import cache

import numpy as np
import pytest
from PIL import Image

from rldf.errors import ImageError
from rldf.io.images import decode_image
from tests.fuzz.cost import Cost, Meter
from tests.fuzz.costly import LONG, SLOW
from tests.fuzz.formats import chunk, grey_tags, jpeg_of_scans, png, saved, tiff, tiff_of_strip

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is measured on Linux")
FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "bmp": "BMP", "tif": "TIFF"}
LEAST = Cost(seconds=1, memory=100_000_000)  # measured beside the ten ordinary images


def photograph(size, kind):
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    return saved(Image.fromarray(pixels).resize(size), kind)


@cache
def contents(name):
    return (LONG | SLOW)[name].data()


def cost_of(data, times=1):
    """Measure reading, or refusing; memory at its height is not added up."""
    meter = Meter()
    for _ in range(times):
        with contextlib.suppress(ImageError):
            decode_image(data, "it")
    return meter.read()


@needs_linux
@pytest.mark.parametrize("name", [*LONG, *SLOW])
def test_a_costly_file_takes_less_than_ten_ordinary_ones_of_its_pixels(name):
    costly = (LONG | SLOW)[name]
    width, height = costly.size
    side = max(int((width * height) ** 0.5), 1)
    ordinary = photograph((side, side), FORMATS.get(name.rpartition(".")[2], "PNG"))
    data = contents(name)
    ten = cost_of(ordinary, times=10)
    bound = Cost(ten.seconds + LEAST.seconds, 10 * ten.memory + LEAST.memory)
    assert not cost_of(data).beyond(bound)


@pytest.mark.parametrize("name", [*LONG, *SLOW])
def test_what_costs_no_more_is_read_and_the_rest_is_refused(name):
    costly = (LONG | SLOW)[name]
    data = contents(name)
    if costly.is_read:
        assert decode_image(data, name).size == costly.size
        return
    with pytest.raises(ImageError, match=name) as told:
        decode_image(data, name)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("kind", FORMATS.values())
@pytest.mark.parametrize("turned", [False, True])
def test_one_side_may_be_50_times_the_other_and_no_more(kind, turned):
    for long, fits in ((150, True), (151, False)):
        size = (3, long) if turned else (long, 3)
        data = saved(Image.new("RGB", size), kind)
        if fits:
            assert decode_image(data, "it").size == size
        else:
            with pytest.raises(ImageError, match=f"it has {size[0]} x {size[1]} pixels; .* 50 "):
                decode_image(data, "it")


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_as_many_scans_as_encoders_write_are_read(mode):
    image = Image.new(mode, (64, 48))
    assert decode_image(saved(image, "JPEG", progressive=True), "it").size == (64, 48)
    assert decode_image(jpeg_of_scans(image, 40), "it").size == (64, 48)
    with pytest.raises(ImageError, match="more than 40 scans"):
        decode_image(jpeg_of_scans(image, 41), "it")


def app(data):
    return b"\xff\xe5" + struct.pack(">H", len(data) + 2) + data


@pytest.mark.parametrize("place", ["in a segment", "behind the image", "in a thumbnail"])
def test_what_only_looks_like_scans_is_not_counted(place):
    """Cameras put whole JPEGs and films into their files."""
    whole, many = saved(Image.new("RGB", (64, 48)), "JPEG"), b"\xff\xda\0\4ab" * 300
    data = {
        "in a segment": whole[:2] + app(many) + whole[2:],
        "behind the image": whole + many,
        "in a thumbnail": whole[:2] + app(jpeg_of_scans(Image.new("L", (8, 8)), 60)) + whole[2:],
    }[place]
    assert decode_image(data, "it").size == (64, 48)


@pytest.mark.parametrize(
    "hidden",
    [
        b"\xff\x02\xff\xff",  # no marker of JPEG: its length means nothing
        b"\xff\xd0\xff\xff",  # a restart, which has no length
        b"\xff\xff\xff",
        b"garbage",
    ],
)
def test_scans_cannot_be_hidden_from_the_count(hidden):
    data = jpeg_of_scans(Image.new("L", (64, 64)), 50)
    first = data.index(b"\xff\xda")
    header = int.from_bytes(data[first + 2 : first + 4])
    at = first + 2 + header + 1
    with pytest.raises(ImageError, match="more than 40 scans"):
        decode_image(data[:at] + hidden + data[at:], "it")


def test_an_ordinary_png_in_many_pieces_is_read():
    packed = zlib.compress(bytes((3 * 500 + 1) * 500), 0)
    pieces = [chunk(b"IDAT", packed[i : i + 64]) for i in range(0, len(packed), 64)]
    assert len(pieces) > 10_000
    assert decode_image(png(500, 500, *pieces), "it").size == (500, 500)


def test_a_tiff_of_one_strip_for_each_row_or_of_small_tiles_is_read():
    tags = [*grey_tags(300, 2_000), (278, 4, 1, 1), (279, 4, 2_000, struct.pack("<I", 300) * 2_000)]
    begin = len(tiff(*tags, (273, 4, 2_000, bytes(4 * 2_000))))
    places = struct.pack("<2000I", *range(begin, begin + 2_000 * 300, 300))
    data = tiff(*tags, (273, 4, 2_000, places), body=bytes(2_000 * 300))
    assert decode_image(data, "it").size == (300, 2_000)
    tags = [*grey_tags(64, 64, 8), (322, 3, 1, 512), (323, 3, 1, 512)]
    tile = zlib.compress(bytes(512 * 512))
    tags.append((325, 4, 1, len(tile)))
    data = tiff(*tags, (324, 4, 1, len(tiff(*tags, (324, 4, 1, 0)))), body=tile)
    assert decode_image(data, "it").size == (64, 64)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "packbits", "tiff_adobe_deflate",
                                         "jpeg", "group4"])  # fmt: skip
def test_the_usual_compressions_of_tiff_are_read(compression):
    mode = "1" if compression == "group4" else "RGB"
    data = saved(Image.new(mode, (40, 30)), "TIFF", compression=compression)
    assert decode_image(data, "it").size == (40, 30)


def test_strips_that_lie_upon_each_other_are_not_walked_over_again_and_again():
    strip = saved(Image.new("L", (64, 64)), "JPEG")
    tags = [*grey_tags(64, 64, 7), (278, 4, 1, 1), (279, 4, 64, bytes(4 * 64))]
    begin = len(tiff(*tags, (273, 4, 64, bytes(4 * 64))))
    places = struct.pack("<64I", *range(begin, begin + 64))
    with pytest.raises(ImageError, match="strips overlap"):
        decode_image(tiff(*tags, (273, 4, 64, places), body=strip), "it")


def test_the_metadata_of_a_turned_photograph_is_not_written_anew():
    """Orientation 6, and a million fractions beside it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    head = exif.tobytes()
    data = saved(Image.new("RGB", (60, 30)), "PNG", exif=head + bytes(1_000_000))
    assert decode_image(data, "it").size == (30, 60)


def test_a_tiff_whose_directory_is_cut_off_is_one_line():
    whole = tiff_of_strip(8, 8, 1, bytes(64))
    for length in range(4, len(whole) - 64, 7):
        with pytest.raises(ImageError, match="it is "):
            decode_image(whole[:length], "it")
