"""Writers of image files that no library would write."""

import io
import struct
import zlib

from PIL import Image

Tag = tuple[int, int, int, int | bytes]  # number, type, count, the value or what lies elsewhere


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """Write a sound image."""
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    """Write a chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 2) -> bytes:
    """Write a PNG of these chunks, RGB if nothing else is said."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND")


def bmp(width: int, height: int, bits: int = 24) -> bytes:
    """Write a BMP almost without pixels."""
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + info + bytes(64)


def packed_bmp(width: int, height: int, bits: int, runs: bytes) -> bytes:
    """Write a BMP of run lengths, 8 or 4 bits a pixel."""
    begin, packing = 54 + 1024, {8: 1, 4: 2}[bits]
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, packing, len(runs), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", begin + len(runs), 0, 0, begin) + info + bytes(1024) + runs


def gif(width: int, height: int) -> bytes:
    """Write a GIF almost without pixels."""
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + b"\x2c" + bytes(20)


def tiff(*tags: Tag, body: bytes = b"") -> bytes:
    """Write a TIFF of these tags, then their values, then a body."""
    here, rows, elsewhere = 8 + 2 + 12 * len(tags) + 4, b"", b""
    for number, kind, count, value in sorted(tags, key=lambda tag: tag[0]):
        inline = here + len(elsewhere) if isinstance(value, bytes) else value
        elsewhere += value if isinstance(value, bytes) else b""
        rows += struct.pack("<HHII", number, kind, count, inline)
    head = b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", len(tags))
    return head + rows + bytes(4) + elsewhere + body


def grey_tags(width: int, height: int, compression: int = 1) -> list[Tag]:
    """List the tags of a grey TIFF but those of its strips."""
    return [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, compression),
        (262, 3, 1, 1), (277, 3, 1, 1),
    ]  # fmt: skip


def tiff_of_strip(width: int, height: int, compression: int, strip: bytes, *more: Tag) -> bytes:
    """Write a grey TIFF of one strip."""
    tags = [*grey_tags(width, height, compression), (278, 4, 1, height), (279, 4, 1, len(strip))]
    begin = len(tiff(*tags, (273, 4, 1, 0), *more))
    return tiff(*tags, (273, 4, 1, begin), *more, body=strip)


def jpeg_of_scans(image: Image.Image, scans: int) -> bytes:
    """Write a progressive JPEG whose last scan comes many times."""
    data = saved(image, "JPEG", progressive=True)
    last, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return data[:end] + data[last:end] * (scans - data.count(b"\xff\xda")) + data[end:]


def riff(kind: bytes, body: bytes) -> bytes:
    """Write a chunk of a WebP."""
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def webp(*chunks: bytes) -> bytes:
    """Write a WebP of these chunks."""
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body
