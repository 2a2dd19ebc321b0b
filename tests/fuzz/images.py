"""Image files: of every format that is read, cut, flipped, lying, without end; or no images."""

import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import numpy as np
from PIL import Image

from rldf import seeding as seeds
from tests.fuzz.corpus import (
    DRAWN,
    EXAMPLE,
    LARGE,
    USUAL,
    Bases,
    Case,
    Words,
    spoilt,
    spoilt_head,
)  # fmt: skip
from tests.fuzz.costly import LONG, SLOW
from tests.fuzz.folders import BENCH
from tests.fuzz.formats import bmp, chunk, gif, png, saved, tiff

_COSTLY = ("wide.jpg",)  # 63 million pixels are worked on
_SHORT = {  # of the costly ones, in the short corpus
    "encode": ("column.png", "ribbon.webp", "scans.jpg", "scans.tif", "lzma.tif", "two.mpo"),
    "search": ("column.png",),
}
Data = Callable[[], bytes]
_FORMATS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp", "GIF": "gif", "BMP": "bmp", "TIFF": "tif"}


@cache
def sound(kind: str) -> bytes:
    """Write a sound image of a format."""
    pixels = seeds.rng(0, "fuzz", kind).integers(0, 256, (24, 32, 3), np.uint8)
    return saved(Image.fromarray(pixels).resize((96, 72)), kind)


def _tiff_of(width: int, height: int) -> bytes:
    return tiff(
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, 0xFFFFFFFF),
    )  # fmt: skip


def _animation(frames: int) -> bytes:
    pictures = [Image.new("P", (32, 32), i % 256) for i in range(frames)]
    return saved(pictures[0], "GIF", save_all=True, append_images=pictures[1:], loop=0)


def _exif(orientation: object) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(Image.new("RGB", (64, 32)), "JPEG", exif=exif)


def _lying_exif() -> bytes:
    exif = b"Exif\x00\x00II*\x00" + b"\xff" * 40
    body = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    data = sound("JPEG")
    return data[:2] + body + data[2:]


def _jpeg_of(width: int, height: int) -> bytes:
    data = bytearray(sound("JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def _webp_of(width: int, height: int) -> bytes:
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _handmade() -> dict[str, bytes]:
    deflated = chunk(b"IDAT", zlib.compress(bytes(1000)))
    zeros = zlib.compress(bytes(80_000_000))
    palette = saved(Image.new("P", (40, 40)), "PNG")
    return {
        "empty.png": b"",
        "one-byte.jpg": b"\xff",
        "text.png": b"not an image at all\n",
        "html.jpg": b"<!DOCTYPE html><html><body>404</body></html>",
        "svg.png": b"<svg xmlns='http://www.w3.org/2000/svg'><script>x</script></svg>",
        "eps.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage",
        "pdf.jpg": b"%PDF-1.7\n1 0 obj<<>>endobj",
        "zip.png": b"PK\x03\x04" + bytes(40),
        "bomb.png": png(30_000, 30_000, deflated),
        "huge.png": png(2**31 - 1, 2**31 - 1, deflated),
        "no-size.png": png(0, 0, deflated),
        "one-line.png": png(63_000_000, 1, deflated),
        "odd-depth.png": png(8, 8, deflated, depth=3),
        "odd-colour.png": png(8, 8, deflated, colour=5),
        "no-pixels.png": png(64, 64),
        "no-palette.png": png(8, 8, deflated, colour=3),
        "text-bomb.png": png(8, 8, chunk(b"zTXt", b"k\0\0" + zeros)),
        "profile-bomb.png": png(8, 8, chunk(b"iCCP", b"k\0\0" + zeros)),
        "short-palette.png": palette.replace(b"PLTE", b"PLTX", 1),
        "grey1.png": saved(Image.new("1", (40, 30)), "PNG"),
        "grey16.png": saved(Image.fromarray(np.full((30, 40), 60_000, np.uint16)), "PNG"),
        "palette.gif": saved(Image.new("P", (40, 30)), "GIF"),
        "cmyk.jpg": saved(Image.new("CMYK", (40, 30)), "JPEG"),
        "float.tif": saved(Image.fromarray(np.full((30, 40), np.nan, np.float32)), "TIFF"),
        "infinite.tif": saved(Image.fromarray(np.full((30, 40), np.inf, np.float32)), "TIFF"),
        "pixel.png": saved(Image.new("RGB", (1, 1)), "PNG"),
        "line.png": saved(Image.new("RGB", (3000, 1)), "PNG"),
        "column.webp": saved(Image.new("RGB", (1, 3000)), "WEBP"),
        "transparent.webp": saved(Image.new("RGBA", (40, 30), (0, 0, 0, 0)), "WEBP"),
        "animated.gif": _animation(300),
        "bomb.bmp": bmp(60_000, 60_000),
        "negative.bmp": bmp(-8, -8),
        "least.bmp": bmp(-(2**31), -(2**31)),
        "bits.bmp": bmp(8, 8, 99),
        "bomb.gif": gif(65_535, 65_535),
        "bomb.jpg": _jpeg_of(65_000, 65_000),
        "wide.jpg": _jpeg_of(8_000, 7_900),
        "bomb.webp": _webp_of(16_384, 16_384),
        "bomb.tif": _tiff_of(60_000, 60_000),
        "lying.tif": _tiff_of(7_000, 7_000),
        "circle.tif": b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 0) + struct.pack("<I", 8),
        "turned.jpg": _exif(6),
        "turned-9.jpg": _exif(9),
        "turned-far.jpg": _exif(60_000),
        "lying-exif.jpg": _lying_exif(),
        "png.jpg": sound("PNG"),
        "jpeg.png": sound("JPEG"),
        "\u202egnp.exe.png": sound("PNG"),
        "\x1b[31m.png": b"x",
    }


def _encode(name: str, data: Data):
    def build(bases: Bases, folder: Path) -> Words:
        (folder / name).write_bytes(data())
        return ["encode", folder / name, "--models", DRAWN, "--json"]

    return build


def _search(name: str, data: Data):
    def build(bases: Bases, folder: Path) -> Words:
        (folder / name).write_bytes(data())
        return ["search", folder / name, "--models", DRAWN, "--renders", 4, "--quiet"]

    return build


def _photos(name: str, data: Data):
    """A folder of photos for a class, one of them spoilt."""

    def build(bases: Bases, folder: Path) -> Words:
        (folder / "photos" / "dog").mkdir(parents=True)
        (folder / "photos" / "dog" / name).write_bytes(data())
        return [
            "clone", folder / "photos", "--models", DRAWN, "--per-class", 2, "--dry-run", "--quiet",
        ]  # fmt: skip

    return build


def _evaluate(name: str, data: Data):
    def build(bases: Bases, folder: Path) -> Words:
        for side in ("mine", "real"):
            (folder / side / "dog").mkdir(parents=True)
            for i in range(8):
                (folder / side / "dog" / f"{i}.png").write_bytes(sound("PNG"))
        (folder / "mine" / "dog" / name).write_bytes(data())
        return [
            "evaluate", folder / "mine", "--real", folder / "real", "--duplicates", "--models",
            "pocket", "--quiet",
        ]  # fmt: skip

    return build


def _compare(name: str, data: Data):
    def build(bases: Bases, folder: Path) -> Words:
        (folder / name).write_bytes(data())
        return [
            "compare", EXAMPLE, folder / name, "--models", DRAWN, "--agent", "random", "--renders",
            2, "--rivals", "random", "--out", "out", "--quiet",
        ]  # fmt: skip

    return build


def _ablate(name: str, data: Data):
    def build(bases: Bases, folder: Path) -> Words:
        (folder / name).write_bytes(data())
        return [
            "ablate", "watercolour", folder / name, "--models", DRAWN, "--agent", "random",
            "--renders", 2, "--out", "out", "--quiet",
        ]  # fmt: skip

    return build


def _bench(name: str, data: Data):
    def build(bases: Bases, folder: Path) -> Words:
        (folder / "photos").mkdir()
        (folder / "photos" / name).write_bytes(data())
        return [*BENCH, "--images", folder / "photos", "--out", "out"]

    return build


_READERS = {  # every command that is given images
    "encode": _encode, "search": _search, "clone make": _photos, "evaluate": _evaluate,
    "compare": _compare, "ablate": _ablate, "bench table3": _bench,
}  # fmt: skip


def cases() -> Iterator[Case]:
    """List the images, for every command that takes some."""
    handmade = _handmade()
    for name, data in handmade.items():
        costly = name in _COSTLY
        build = _encode(name, partial(bytes, data))
        yield Case("encode", name, build, full=costly, bound=LARGE if costly else USUAL)
    for kind, ending in _FORMATS.items():
        for i in range(60):
            name = f"{kind}-{i}.{ending}"
            whole = sound(kind)
            data = spoilt_head(whole, name, 40) if i % 3 == 0 else spoilt(whole, name)
            yield Case("encode", name, _encode(name, partial(bytes, data)), full=i >= 5)
    bad = ("empty.png", "text.png", "bomb.png", "huge.png", "no-size.png", "bomb.tif", "bits.bmp")
    for name in bad:
        for command in ("search", "clone make", "evaluate"):
            yield Case(command, name, _READERS[command](name, partial(bytes, handmade[name])))
    for command, reader in _READERS.items():
        for name, costly in (LONG | SLOW).items():
            full = name not in _SHORT.get(command, _SHORT["search"])
            yield Case(command, name, reader(name, costly.data), full=full)
