"""Refuses small image files whose headers show that decoding would take gigabytes or minutes.

The size of a file and its number of pixels do not bound the cost. A decoder goes over a progressive
JPEG once for each of its scans and over a TIFF once for each of its strips, and Pillow reads the
parts of a file one by one in Python. Ordinary files have few scans, strips and parts.
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
"""Greatest ratio of the longer side to the shorter; models scale the shorter to about 224."""

_MAX_SCANS = 40  # scans of a JPEG; encoders write about 10
_MAX_TABLES = 1_000_000  # bytes of a JPEG's tables; encoders write some hundred
_MAX_READS = 250_000  # a PNG of 256 MB in parts of 8 kB takes half of that
_MAX_STRIPS = 50_000  # or tiles; 64 million pixels in tiles of 64 x 64 are 16,000
_MAX_VALUES = 200_000  # numbers in a TIFF's directory, offsets of strips included
_MAX_TILE = 4_000_000  # pixels of a TIFF's tile, if a tile may be larger than the image
_COMPRESSIONS = (
    "raw", "tiff_ccitt", "group3", "group4", "tiff_lzw", "jpeg", "tiff_adobe_deflate",
    "tiff_deflate", "packbits",
)  # fmt: skip

# A byte 0xFF in the pixels of a JPEG is followed by 0, or by the mark of a restart.
_JPEG_MARKER = re.compile(rb"\xff([\xc0-\xcf\xd9-\xfe])")
_JPEG_END, _JPEG_SCAN, _JPEG_TABLES = 0xD9, 0xDA, (0xC4, 0xDB)

_ODD_TIFF = b"MM\0\x2b"  # a big-endian BigTIFF, which Pillow takes for an ordinary TIFF
_TIFF_STRIPS = (273, 324)  # tags: offsets of the strips or tiles
_TIFF_DIRECTORIES = (34665, 34853, 40965)  # tags: offsets of further directories
_TIFF_TILE = (322, 323)  # tags: width and height of a tile
_TIFF_BYTES = (1, 2, 7)  # types whose values Pillow keeps as bytes
_TIFF_SIZES = {3: 2, 4: 4, 13: 4, 16: 8, 18: 8}  # bytes of a directory's offset, by its type


class RefusedError(ValueError):
    """An image is refused; the message is a predicate to be put after the file's name."""


class CountedFile(io.BytesIO):
    """A file in memory that allows at most `_MAX_READS` calls of `read`."""

    _reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes; RefusedError after too many calls."""
        self._reads += 1
        if self._reads > _MAX_READS:
            raise RefusedError("is divided into far too many parts: save it again first")
        return super().read(size)


def check_size(size: tuple[int, int]) -> None:
    """Raise RefusedError if an image (width, height) is too large or too narrow."""
    width, height = size
    if width * height > MAX_PIXELS:
        raise RefusedError(
            f"has {width} x {height} pixels; at most {MAX_PIXELS // 1_000_000} million are read: "
            "make it smaller first"
        )
    if max(size) > MAX_RATIO * min(size):
        raise RefusedError(
            f"has {width} x {height} pixels; one side may be at most {MAX_RATIO} times the other: "
            "crop it first"
        )


def check_file(data: bytes) -> None:
    """Raise RefusedError for the structure of a file, before Pillow opens it."""
    if data.startswith(b"\xff\xd8\xff"):
        _check_jpeg(data)
    elif data.startswith(_ODD_TIFF):
        raise RefusedError(
            "is a big-endian BigTIFF file (MM), which is not supported: save it as an ordinary TIFF"
        )
    elif data.startswith((b"II", b"MM")):
        for entries in _TiffDirectories(data).walk():
            _check_tiff(entries)


def check_opened(image: Image.Image, data: bytes) -> None:
    """Raise RefusedError for an image that Pillow has opened and not yet decoded."""
    check_size(image.size)
    if isinstance(image, TiffImageFile):
        _check_opened_tiff(image, data)


def _check_opened_tiff(image: TiffImageFile, data: bytes) -> None:
    compression = str(image.info.get("compression"))
    if compression not in _COMPRESSIONS:
        raise RefusedError(
            f"is a TIFF file compressed by {compression.removeprefix('tiff_')}, which is not "
            "supported: save it with LZW or Deflate"
        )
    width, height = (image.tag_v2.get(tag, 1) for tag in _TIFF_TILE)
    if not isinstance(width, int) or not isinstance(height, int):
        raise RefusedError("is a damaged image (the size of its tiles is not a number)")
    if width * height > max(_MAX_TILE, 4 * image.width * image.height):
        raise RefusedError(
            f"has {image.width} x {image.height} pixels in tiles of {width} x {height}: save it "
            "again first"
        )
    if compression == "jpeg":
        begins = {begin for tag in _TIFF_STRIPS for begin in image.tag_v2.get(tag, ())}
        walked = sum(_check_jpeg(data, begin) - begin for begin in begins)
        if walked > 2 * len(data):
            raise RefusedError("is a TIFF file whose strips overlap: save it again first")


def _check_jpeg(data: bytes, begin: int = 0) -> int:
    """Return where a JPEG that starts at `begin` ends; RefusedError for its scans or tables."""
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
                f"has more than {_MAX_SCANS} scans, each of which takes as long as an image: save "
                "it again first"
            )
        if tables > _MAX_TABLES:
            raise RefusedError("is a JPEG file with far too many tables: save it again first")
        at += length
    return max(begin, min(at, len(data)))


Entry = tuple[int, int, int, int]  # tag, type, number of values, the value or its offset


class _TiffDirectories:
    """The directories (lists of tags) of the first image of a TIFF file."""

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
        """Yield the entries of the first directory and of each directory that it refers to."""
        try:
            places = list(self._start.unpack_from(self._data))
            for place in places:  # the loop appends to it
                entries = self._read(place)
                yield entries
                named = [self._place(entry) for entry in entries if entry[0] in _TIFF_DIRECTORIES]
                places += [value for value in named if value not in places]
        except struct.error:  # the file is cut off, which Pillow reports
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
            "beside its pixels: save it again first"
        )
