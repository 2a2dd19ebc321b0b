"""Loads images from untrusted folders, encodes them, and arranges them in captioned grids."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from rldf.errors import ImageError
from rldf.io.images import read_image
from rldf.io.text import plain

_EMPTY = (226, 228, 233)
_MARK = (176, 180, 190)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_PAPER, _INK, _FAINT, _WRONG = (255, 255, 255), (31, 33, 39), (110, 115, 128), (200, 60, 50)
_GAP, _LINE = 8, 16  # px
_LABEL_LINES, _CAPTION_LINES = 6, 6


def load_image(path: Path, size: int) -> Image.Image:
    """Load an image and shrink it to fit into a square; a grey card if it cannot be read."""
    if not path.is_file():  # reading a named pipe would wait forever
        return _card(size)
    try:
        picture = read_image(path)
    except ImageError:
        return _card(size)
    picture.thumbnail((size, size), Image.Resampling.LANCZOS)
    return picture


def _card(size: int) -> Image.Image:
    """Draw the placeholder of a missing image: a frame with a diagonal."""
    card = Image.new("RGB", (size, size), _EMPTY)
    draw = ImageDraw.Draw(card)
    edge, far = size // 4, size - size // 4
    draw.rectangle((edge, edge, far, far), outline=_MARK, width=2)
    draw.line((edge, far, far, edge), fill=_MARK, width=2)
    return card


def png_bytes(picture: Image.Image) -> bytes:
    """Encode an image as PNG."""
    return _encoded(picture, "PNG", optimize=True)


def data_uri(picture: Image.Image) -> str:
    """Encode an image as a WebP data URI, so that a page needs no other file."""
    text = base64.b64encode(_encoded(picture, "WEBP", quality=88, method=4)).decode("ascii")
    return f"data:image/webp;base64,{text}"


def file_uri(path: Path) -> str:
    """Encode a PNG file as a data URI."""
    return png_uri(path.read_bytes())


def png_uri(data: bytes) -> str:
    """Encode the bytes of a PNG file as a data URI."""
    return f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"


def _encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class Tile:
    """An image of a grid, with its caption."""

    image: Image.Image  # RGB, of any size
    caption: str = ""  # text below it; "" takes no space
    wrong: bool = False  # whether a red frame marks it as not showing what was requested


def image_grid(
    rows: Sequence[Sequence[Tile]],
    *,
    labels: Sequence[str] = (),
    heads: Sequence[str] = (),
    side: int = 128,
) -> Image.Image:
    """Arrange images in a grid, with a label left of each row and a head above each column."""
    left = _label_width(labels)
    top = _GAP + (_LINE + _GAP if heads else 0)
    lines = max((len(_caption(tile, side)) for row in rows for tile in row), default=0)
    height = side + lines * _LINE + _GAP
    width = left + max(map(len, rows), default=0) * (side + _GAP) + _GAP
    sheet = Image.new("RGB", (width, top + len(rows) * height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for column, head in enumerate(heads):
        x = left + _GAP + column * (side + _GAP)
        draw.text((x, _GAP), wrapped(plain(head), _font(), side, 1)[0], font=_font(), fill=_FAINT)
    for number, row in enumerate(rows):
        y = top + number * height
        if labels:
            _draw_lines(draw, labels[number].split("\n")[:_LABEL_LINES], _GAP, y, _INK)
        for column, tile in enumerate(row):
            _draw_tile(sheet, draw, tile, left + _GAP + column * (side + _GAP), y, side)
    return sheet


def _draw_tile(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, tile: Tile, x: int, y: int, side: int
) -> None:
    image = ImageOps.contain(tile.image, (side, side), Image.Resampling.LANCZOS)
    sheet.paste(image, (x + (side - image.width) // 2, y + (side - image.height) // 2))
    if tile.wrong:
        draw.rectangle((x, y, x + side - 1, y + side - 1), outline=_WRONG, width=3)
    _draw_lines(draw, _caption(tile, side), x, y + side + 2, _WRONG if tile.wrong else _FAINT)


def _draw_lines(
    draw: ImageDraw.ImageDraw, lines: Sequence[str], x: int, y: int, color: tuple[int, int, int]
) -> None:
    for number, line in enumerate(lines):
        draw.text((x, y + number * _LINE), plain(line), font=_font(), fill=color)


def _caption(tile: Tile, side: int) -> list[str]:
    return wrapped(plain(tile.caption), _font(), side, _CAPTION_LINES)


def _label_width(labels: Sequence[str]) -> int:
    words = [line for label in labels for line in label.split("\n")]
    return round(max(_font().getlength(plain(line)) for line in words)) + _GAP if words else 0


def wrapped(text: str, font: Font, width: int, limit: int) -> list[str]:
    """Break a text into at most `limit` lines of `width` px, between words if possible."""
    lines, rest = [], text.strip()
    while rest:
        head, rest = _split(rest, font, width)
        lines.append(head)
    if len(lines) > limit:
        cut = lines[limit - 1]
        while cut and font.getlength(cut + "…") > width:
            cut = cut[:-1]
        lines = [*lines[: limit - 1], cut.rstrip() + "…"]
    return lines


def _split(text: str, font: Font, width: int) -> tuple[str, str]:
    """Split a text into a first line that fits and the rest, at a space if possible."""
    n = len(text)
    while n > 1 and font.getlength(text[:n].rstrip()) > width:
        space = text.rfind(" ", 1, n - 1)
        n = space + 1 if space > 0 else n - 1
    return text[:n].rstrip(), text[n:].lstrip()


def _font() -> Font:
    return ImageFont.load_default(size=12)
