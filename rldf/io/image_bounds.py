"""Small image files that would cost gigabytes or minutes: told from what they say of themselves.

A file's bytes and pixels are not all that it costs. A progressive JPEG is walked over once for
each of its scans, a TIFF once for each of its strips, and Pillow reads the parts of a file one by
one in Python. An ordinary file of its size has few of them.
"""

import io
import re
import struct
from collections.abc import Iterator

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
MAX_PIXELS = 64_000_000
MAX_RATIO = 50
"""Of the longer side to the shorter; models make the shorter one some 224 pixels long."""

_MAX_SCANS = 40  # encoders write 10 or so
_MAX_TABLES = 1_000_000  # bytes of a JPEG's tables; encoders write some hundreds
_MAX_READS = 250_000  # a PNG of 256 MB in pieces of 8 kB takes half of that
_MAX_STRIPS = 50_000  # or tiles; 64 million pixels in tiles of 64 x 64 are 16,000
_MAX_VALUES = 200_000  # numbers in a TIFF's directory, the places of the strips among them
_MAX_TILE = 4_000_000  # pixels of a TIFF's tile, where the image has fewer
_COMPRESSIONS = (
    "raw", "tiff_ccitt", "group3", "group4", "tiff_lzw", "jpeg", "tiff_adobe_deflate",
    "tiff_deflate", "packbits",
)  # fmt: skip

# A byte 0xFF in the pixels of a JPEG is followed by 0, or by the mark of a restart.
_JPEG_MARKER = re.compile(rb"\xff([\xc0-\xcf\xd9-\xfe])")
_JPEG_END, _JPEG_SCAN, _JPEG_TABLES = 0xD9, 0xDA, (0xC4, 0xDB)

_ODD_TIFF = b"MM\0\x2b"  # Pillow takes it for a small one
_TIFF_STRIPS = (273, 324)  # tags: where the strips lie, or the tiles
_TIFF_DIRECTORIES = (34665, 34853, 40965)  # tags: where further directories lie
_TIFF_TILE = (322, 323)  # tags: width and height of a tile
_TIFF_BYTES = (1, 2, 7)  # types whose values stay bytes
_TIFF_SIZES = {3: 2, 4: 4, 13: 4, 16: 8, 18: 8}  # bytes of the types that name a directory


class RefusedError(ValueError):
    """An image is not read; the message says why, and is said behind the file's name."""


class CountedFile(io.BytesIO):
    """A file in memory that may be read from so many times, and no more."""

    _reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on."""
        self._reads += 1
        if self._reads > _MAX_READS:
            raise RefusedError("is cut into far too many parts: save it anew first")
        return super().read(size)


def check_size(size: tuple[int, int]) -> None:
    """Refuse an image for its size."""
    width, height = size
    if width * height > MAX_PIXELS:
        raise RefusedError(
            f"has {width} x {height} pixels; at most {MAX_PIXELS // 1_000_000} million are read: "
            "make it smaller first"
        )
    if max(size) > MAX_RATIO * min(size):
        raise RefusedError(
            f"has {width} x {height} pixels; one side may be at most {MAX_RATIO} times the other: "
            "cut it first"
        )


def check_file(data: bytes) -> None:
    """Refuse a file for its structure, before Pillow sees it."""
    if data.startswith(b"\xff\xd8\xff"):
        _check_jpeg(data)
    elif data.startswith(_ODD_TIFF):
        raise RefusedError("is a BigTIFF file of the order MM, which is not read: save it anew")
    elif data.startswith((b"II", b"MM")):
        for entries in _TiffDirectories(data).walk():
            _check_tiff(entries)


def check_opened(image: Image.Image, data: bytes) -> None:
    """Refuse an image that Pillow opened and has not decoded yet."""
    check_size(image.size)
    if isinstance(image, TiffImageFile):
        _check_opened_tiff(image, data)


def _check_opened_tiff(image: TiffImageFile, data: bytes) -> None:
    compression = str(image.info.get("compression"))
    if compression not in _COMPRESSIONS:
        raise RefusedError(
            f"is a TIFF file compressed by {compression.removeprefix('tiff_')}, which is not read: "
            "save it with LZW or Deflate"
        )
    width, height = (image.tag_v2.get(tag, 1) for tag in _TIFF_TILE)
    if not isinstance(width, int) or not isinstance(height, int):
        raise RefusedError("is a damaged image (the size of its tiles is no number)")
    if width * height > max(_MAX_TILE, 4 * image.width * image.height):
        raise RefusedError(
            f"has {image.width} x {image.height} pixels in tiles of {width} x {height}: save it "
            "anew first"
        )
    if compression == "jpeg":
        begins = {begin for tag in _TIFF_STRIPS for begin in image.tag_v2.get(tag, ())}
        walked = sum(_check_jpeg(data, begin) - begin for begin in begins)
        if walked > 2 * len(data):
            raise RefusedError("is a TIFF file whose strips lie upon each other")


def _check_jpeg(data: bytes, begin: int = 0) -> int:
    """Refuse a JPEG for its scans and tables; gives where it ends."""
    scans = tables = 0
    at = begin
    while found := _JPEG_MARKER.search(data, at):
        at, kind = found.end(), found[1][0]
        if kind == _JPEG_END:
            break
        length = int.from_bytes(data[at : at + 2])
        scans += kind == _JPEG_SCAN
        tables += length if kind in _JPEG_TABLES else 0
        if scans > _MAX_SCANS:
            raise RefusedError(
                f"has more than {_MAX_SCANS} scans, each of which costs as much as an image: save "
                "it anew first"
            )
        if tables > _MAX_TABLES:
            raise RefusedError("is a JPEG file with far too many tables: save it anew first")
        at += length
    return max(begin, min(at, len(data)))


Entry = tuple[int, int, int, int]  # tag, type, number of values, the value or its place


class _TiffDirectories:
    """What the first image of a TIFF file says of itself."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        order = "<" if data.startswith(b"II") else ">"
        big = data[2:3] == b"\x2b"
        self._start = struct.Struct(order + ("8xQ" if big else "4xL"))
        self._number = struct.Struct(order + ("Q" if big else "H"))
        self._entry = struct.Struct(order + ("HHQQ" if big else "HHLL"))
        self._field = 8 if big else 4
        self._is_great_first = order == ">"

    def walk(self) -> Iterator[list[Entry]]:
        """List the entries of the first directory, and of those that it names."""
        try:
            places = list(self._start.unpack_from(self._data))
            for place in places:  # which grows
                entries = self._read(place)
                yield entries
                named = [self._place(entry) for entry in entries if entry[0] in _TIFF_DIRECTORIES]
                places += [value for value in named if value not in places]
        except struct.error:  # cut off; Pillow says so
            return

    def _place(self, entry: Entry) -> int:
        _, kind, _, value = entry
        size = min(_TIFF_SIZES.get(kind, 8), self._field)
        return value >> 8 * (self._field - size) if self._is_great_first else value

    def _read(self, place: int) -> list[Entry]:
        if place >= len(self._data):
            return []
        (number,) = self._number.unpack_from(self._data, place)
        begin = place + self._number.size
        rows = self._data[begin : begin + min(number, _MAX_VALUES) * self._entry.size]
        whole = len(rows) - len(rows) % self._entry.size
        return list(self._entry.iter_unpack(rows[:whole]))


def _check_tiff(entries: list[Entry]) -> None:
    strips = max((count for tag, _, count, _ in entries if tag in _TIFF_STRIPS), default=0)
    values = sum(count for _, kind, count, _ in entries if kind not in _TIFF_BYTES)
    if strips > _MAX_STRIPS or values > _MAX_VALUES or len(entries) >= _MAX_VALUES:
        raise RefusedError(
            f"is a TIFF file of more than {_MAX_STRIPS} strips or tiles, or {_MAX_VALUES} numbers "
            "beside its pixels: save it anew first"
        )
