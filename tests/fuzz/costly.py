"""Small image files that cost gigabytes or minutes where a reader believes them.

Each stands beside its pixel size, so that its cost can be held against an ordinary image's.
"""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from tests.fuzz.formats import (
    chunk,
    grey_tags,
    jpeg_of_scans,
    packed_bmp,
    png,
    riff,
    saved,
    tiff,
    tiff_of_strip,
    webp,
)

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Costly:
    """A hostile file.

    Attributes:
        size: width and height that it says.
        data: makes its contents, some megabytes at most.
        is_read: whether it is read all the same, since it costs no more than another.
    """

    size: Size
    data: Callable[[], bytes]
    is_read: bool = False


def _packed(size: Size) -> bytes:
    """The black pixels of a PNG."""
    width, height = size
    return chunk(b"IDAT", zlib.compress(bytes((3 * width + 1) * height)))


def _black(size: Size, kind: str, **options: object) -> Callable[[], bytes]:
    return lambda: saved(Image.new("RGB", size), kind, **options)


def _png(size: Size, before: Callable[[], bytes], after: bytes = b"") -> Callable[[], bytes]:
    return lambda: png(*size, before(), _packed(size), after)


def _texts(kind: bytes, head: bytes, count: int) -> Callable[[], bytes]:
    text = zlib.compress(bytes(1_000_000))
    return lambda: b"".join(chunk(kind, b"k%d\0" % i + head + text) for i in range(count))


def _animated_png(frames: int) -> bytes:
    heads = (struct.pack(">IIIIIHHBB", i, 64, 64, 0, 0, 1, 1, 0, 0) for i in range(frames))
    there = chunk(b"acTL", struct.pack(">II", frames, 0)), _packed((64, 64))
    return png(64, 64, *there, *(chunk(b"fcTL", head) for head in heads))


def _gif(*, before: bytes = b"", frames: int = 1) -> Callable[[], bytes]:
    whole = saved(Image.new("P", (64, 64)), "GIF")
    at = whole.index(b",", 13)
    frame = b"!\xf9\x04" + bytes(5) + whole[at:-1]
    return lambda: whole[:at] + before + frame * frames + b";"


def _animated_webp(frames: int) -> bytes:
    still, side = saved(Image.new("RGB", (64, 64)), "WEBP", lossless=True)[12:], b"\x3f\0\0"
    frame = riff(b"ANMF", bytes(6) + side * 2 + b"\1\0\0\0" + still)
    return webp(riff(b"VP8X", b"\2\0\0\0" + side * 2), riff(b"ANIM", bytes(6)), frame * frames)


def _webp_of_chunks(count: int) -> bytes:
    still, side = saved(Image.new("RGB", (64, 64)), "WEBP", lossless=True)[12:], b"\x3f\0\0"
    return webp(riff(b"VP8X", bytes(4) + side * 2), riff(b"abcd", b"") * count, still)


def _jpeg(inserted: bytes) -> Callable[[], bytes]:
    whole = saved(Image.new("RGB", (64, 64)), "JPEG")
    return lambda: whole[:2] + inserted + whole[2:]


def _tables(count: int) -> bytes:
    """Segments of 64 KB, each full of Huffman tables."""
    table = b"\x00" + bytes(16)
    body = table * (65_000 // len(table))
    return (b"\xff\xc4" + struct.pack(">H", len(body) + 2) + body) * count


def _tiff_of_tiles(size: Size, side: int) -> bytes:
    count = (size[0] // side) * (size[1] // side)
    places, lengths = struct.pack("<I", 8) * count, struct.pack("<I", side * side) * count
    return tiff(
        *grey_tags(*size), (322, 3, 1, side), (323, 3, 1, side), (324, 4, count, places),
        (325, 4, count, lengths),
    )  # fmt: skip


def _tiff_of_large_tile(side: int) -> bytes:
    packed = zlib.compressobj()
    strip = b"".join(packed.compress(bytes(side)) for _ in range(side)) + packed.flush()
    tags = [*grey_tags(8, 8, 8), (322, 4, 1, side), (323, 4, 1, side), (325, 4, 1, len(strip))]
    return tiff(*tags, (324, 4, 1, len(tiff(*tags, (324, 4, 1, 0)))), body=strip)


def _tiff_of_directory(values: int) -> bytes:
    """A directory of camera settings whose one tag holds a million fractions."""
    begin = len(tiff_of_strip(8, 8, 1, bytes(64), (34665, 4, 1, 0)))
    head = struct.pack("<HHHIII", 1, 37501, 5, values, begin + 18, 0)
    fractions = struct.pack("<II", 3, 7) * values
    return tiff_of_strip(8, 8, 1, bytes(64), (34665, 4, 1, begin)) + head + fractions


def _pages(count: int) -> bytes:
    pages = [Image.new("L", (32, 32), i % 256) for i in range(count)]
    return saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])


def _grey(side: int) -> Image.Image:
    return Image.new("L", (side, side), 90)


LONG: dict[str, Costly] = {
    "column.png": Costly((1, 100_000), lambda: png(1, 100_000, _packed((1, 100_000)))),
    "rows.png": Costly((1, 2_000_000), lambda: png(1, 2_000_000, _packed((1, 2_000_000)))),
    "three.png": Costly((1_000_000, 3), lambda: png(1_000_000, 3, _packed((1_000_000, 3)))),
    "row.gif": Costly((65_000, 2), _black((65_000, 2), "GIF")),
    "column.jpg": Costly((1, 65_000), _black((1, 65_000), "JPEG")),
    "ribbon.webp": Costly((16_000, 7), _black((16_000, 7), "WEBP")),
    "ribbon.bmp": Costly((200_000, 20), _black((200_000, 20), "BMP")),
    "ribbon.tif": Costly((11, 300_000), _black((11, 300_000), "TIFF", compression="tiff_lzw")),
    "a-little-long.png": Costly((101, 2), _black((101, 2), "PNG")),
}
"""Images that are far too long for their width."""

SLOW: dict[str, Costly] = {
    "scans.jpg": Costly((1000, 1000), lambda: jpeg_of_scans(Image.new("RGB", (1000, 1000)), 5_000)),
    "grey-scans.jpg": Costly((2000, 2000), lambda: jpeg_of_scans(_grey(2000), 1_000)),
    "scans.tif": Costly(
        (2000, 2000), lambda: tiff_of_strip(2000, 2000, 7, jpeg_of_scans(_grey(2000), 1_000))
    ),
    "tables.jpg": Costly((64, 64), lambda: _jpeg(_tables(150))()),
    "padding.jpg": Costly((64, 64), _jpeg(b"\xff" * 8_000_000)),
    "marks.jpg": Costly((64, 64), _jpeg(b"\xff\xd0" * 4_000_000)),
    "texts.png": Costly((64, 64), _png((64, 64), _texts(b"zTXt", b"\0", 200))),
    "long-texts.png": Costly((64, 64), _png((64, 64), _texts(b"iTXt", b"\1\0\0\0", 60)), True),
    "many-texts.png": Costly((64, 64), _png((64, 64), lambda: chunk(b"tEXt", b"k\0a") * 500_000)),
    "pieces.png": Costly((64, 64), _png((64, 64), lambda: chunk(b"IDAT") * 500_000)),
    "unknown.png": Costly((64, 64), _png((64, 64), lambda: chunk(b"prVt") * 500_000)),
    "behind.png": Costly((64, 64), _png((64, 64), bytes, chunk(b"prVt") * 500_000)),
    "profile.png": Costly((64, 64), _png((64, 64), _texts(b"iCCP", b"\0", 1)), True),
    "more-pixels.png": Costly(
        (64, 64), lambda: png(64, 64, chunk(b"IDAT", zlib.compress(bytes(300_000_000)))), True
    ),
    "frames.png": Costly((64, 64), lambda: _animated_png(100_000), True),
    "frames.gif": Costly((64, 64), _gif(frames=100_000), True),
    "comments.gif": Costly((64, 64), _gif(before=b"!\xfe" + b"\1a" * 4_000_000 + b"\0")),
    "extensions.gif": Costly((64, 64), _gif(before=b"!\xff\1a\0" * 1_500_000)),
    "frames.webp": Costly((64, 64), lambda: _animated_webp(100_000), True),
    "chunks.webp": Costly((64, 64), lambda: _webp_of_chunks(500_000), True),
    "runs.bmp": Costly((64, 64), lambda: packed_bmp(64, 64, 8, b"\0\2\0\0" * 2_500_000)),
    "short-runs.bmp": Costly((2000, 2000), lambda: packed_bmp(2000, 2000, 8, b"\1\7" * 4_000_000)),
    "runs-of-4-bits.bmp": Costly((64, 64), lambda: packed_bmp(64, 64, 4, b"\0\0" * 4_000_000)),
    "tiles.tif": Costly((1000, 1000), lambda: _tiff_of_tiles((1000, 1000), 1)),
    "large-tile.tif": Costly((8, 8), lambda: _tiff_of_large_tile(20_000)),
    "directory.tif": Costly((8, 8), lambda: _tiff_of_directory(1_000_000)),
    "pages.tif": Costly((32, 32), lambda: _pages(500), True),
    "lzma.tif": Costly((500, 500), lambda: saved(_grey(500), "TIFF", compression="lzma")),
    "jpeg-2000.jp2": Costly((500, 500), lambda: saved(_grey(500), "JPEG2000")),
    "image.avif": Costly((500, 500), lambda: saved(_grey(500), "AVIF")),
    "two.mpo": Costly(
        (64, 64),
        lambda: saved(_grey(64), "MPO", save_all=True, append_images=[_grey(64)] * 500),
        True,
    ),
}  # fmt: skip
"""Files that are slow to decode, or large in memory, for their pixels."""
