"""Contact sheets: a few images of each class side by side, one JPEG a class."""

import contextlib
import io
from pathlib import Path

from PIL import Image

from rldf.dataset.layout import CloneFolder
from rldf.dataset.manifest import ImageRow
from rldf.errors import ImageError
from rldf.io.files import write_bytes
from rldf.io.images import decode_image

_COLUMNS, _ROWS = 4, 2
_SIDE, _GAP = 128, 4  # px
_PAPER = (255, 255, 255)
SHEETS = "sheets"


def write_sheets(folder: CloneFolder) -> list[str]:
    """Draw the contact sheet of every class that has images.

    Args:
        folder: a clone whose shards are all done.

    Returns:
        Names of the files, relative to the clone's folder.
    """
    chosen = _first_images(folder)
    store = folder.store()
    thumbnails: dict[str, list[Image.Image]] = {}
    for shard, rows in sorted(chosen.items()):
        for row, data in store.read(shard, rows):
            with contextlib.suppress(ImageError):
                image = decode_image(data or b"", row.name)
                image.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
                thumbnails.setdefault(row.key, []).append(image)
    (folder.root / SHEETS).mkdir(exist_ok=True)
    names = []
    for key in sorted(thumbnails):
        names.append(f"{SHEETS}/{key}.jpg")
        _save(folder.root / names[-1], contact_sheet(thumbnails[key]))
    return names


def contact_sheet(images: list[Image.Image]) -> Image.Image:
    """Put images side by side.

    Args:
        images: at most 8, of at most 128 px a side.

    Returns:
        The sheet, four images a row.
    """
    step = _SIDE + _GAP
    n_rows = -(-len(images) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * step + _GAP, n_rows * step + _GAP), _PAPER)
    for i, image in enumerate(images):
        sheet.paste(image, (_GAP + i % _COLUMNS * step, _GAP + i // _COLUMNS * step))
    return sheet


def _first_images(folder: CloneFolder) -> dict[int, list[ImageRow]]:
    """Choose the first images of every class, by shard."""
    wanted = dict.fromkeys(folder.keys, _COLUMNS * _ROWS)
    chosen: dict[int, list[ImageRow]] = {}
    for shard, rows in folder.all_rows():
        if not any(wanted.values()):
            break
        for row in rows:
            if row.sha256 and wanted.get(row.key, 0):
                wanted[row.key] -= 1
                chosen.setdefault(shard, []).append(row)
    return chosen


def _save(path: Path, sheet: Image.Image) -> None:
    data = io.BytesIO()
    sheet.save(data, "JPEG", quality=90)
    write_bytes(path, data.getvalue())
