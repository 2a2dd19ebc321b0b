"""Pictures in rows and columns with words beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont, ImageOps

from rldf.io.text import plain
from rldf.report.filmstrip import wrapped

_PAPER, _INK, _FAINT, _WRONG = (255, 255, 255), (31, 33, 39), (110, 115, 128), (200, 60, 50)
_GAP, _LINE = 8, 16  # px
_LABEL_LINES, _CAPTION_LINES = 6, 6


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of a grid.

    Attributes:
        image: RGB, of any size.
        caption: words below it; none leave no room.
        wrong: whether it is marked as not what was asked for.
    """

    image: Image.Image
    caption: str = ""
    wrong: bool = False


def picture_grid(
    rows: Sequence[Sequence[Tile]],
    *,
    labels: Sequence[str] = (),
    heads: Sequence[str] = (),
    side: int = 128,
) -> Image.Image:
    """Set pictures in rows and columns.

    Args:
        rows: the tiles; rows may differ in length.
        labels: words left of each row, or none at all.
        heads: words above each column, or none at all.
        side: of a tile, px.

    Returns:
        The picture, RGB.
    """
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


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=12)
