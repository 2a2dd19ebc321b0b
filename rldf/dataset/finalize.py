"""What is written once all images are there: metadata, card, contact sheets, and the last mark."""

import contextlib
import hashlib
import io
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import ValidationError

from rldf.dataset.card import card, croissant
from rldf.dataset.layout import PLAN, CloneFolder
from rldf.dataset.manifest import ImageRow, tally
from rldf.dataset.sharding import waiting
from rldf.dataset.table import write_metadata
from rldf.errors import ImageError
from rldf.io.files import (
    TEMPORARY,
    read_file,
    replacing,
    sha256_file,
    write_bytes,
    write_json,
    write_text,
)
from rldf.io.images import decode_image
from rldf.io.yaml import Strict

CARD = "README.md"


class Finished(Strict):
    """What `.rldf/finished.json` says.

    Attributes:
        counts: of images, by split and by what happened.
        files: checksum by name of what was written at the end.
    """

    counts: dict[str, Any]
    files: dict[str, str]


def read_finished(folder: CloneFolder) -> Finished | None:
    """Read the last mark of a clone.

    Args:
        folder: the clone.

    Returns:
        What it says; None where the clone is not finished, or the mark is damaged.
    """
    try:
        return Finished.model_validate_json(read_file(folder.work("finished.json")))
    except (OSError, ValidationError):
        return None


def finish(folder: CloneFolder) -> Finished:
    """Finish a clone whose shards are all done, unless another process does or did.

    Args:
        folder: the clone.

    Returns:
        The last mark.
    """
    with waiting(folder.work("locks") / "finish"):
        return read_finished(folder) or write_finish(folder)


def write_finish(folder: CloneFolder) -> Finished:
    """Write all that follows from the manifests, whether it is there or not.

    Args:
        folder: a clone whose shards are all done.

    Returns:
        The last mark.
    """
    counts = tally(rows for _, rows in folder.all_rows())
    names = _write_metadata(folder) if folder.record.write.format == "imagefolder" else []
    names += write_sheets(folder)
    write_json(folder.root / "croissant.json", croissant(folder, counts))
    names += ["croissant.json", PLAN]
    _sweep(folder)
    files = {name: sha256_file(folder.root / name) for name in sorted(names)}
    files[CARD] = _write_card(folder, card(folder, counts))
    finished = Finished(counts=counts.document(), files=files)
    write_json(folder.work("finished.json"), finished.model_dump(mode="json"))
    return finished


def _write_card(folder: CloneFolder, text: str) -> str:
    """Write the card, but over one of this clone alone: people write into it; gives its sum."""
    path, before = folder.root / CARD, read_finished(folder)
    last = before.files.get(CARD) if before else None
    if not path.exists() or sha256_file(path) == last:
        write_text(path, text)
    return hashlib.sha256(text.encode("utf-8", errors="backslashreplace")).hexdigest()


def _write_metadata(folder: CloneFolder) -> list[str]:
    """Write `metadata.parquet` into the folder of every split that has images."""
    names = []
    for split in folder.record.splits:
        for key in folder.keys:  # of a class without images, too: folders number the labels
            (folder.root / split / key).mkdir(parents=True, exist_ok=True)
        names.append(f"{split}/metadata.parquet")
        parts = (_of_split(rows, split) for _, rows in folder.all_rows())
        with replacing(folder.root / names[-1]) as file:
            write_metadata(file, parts, folder.keys, folder.told)
    return names


def _of_split(rows: list[ImageRow], split: str) -> list[ImageRow]:
    return [row for row in rows if row.split == split and row.sha256]


def _sweep(folder: CloneFolder) -> None:
    """Remove what killed processes left; nobody writes here any more."""
    store = folder.store()
    for shard in range(len(folder.shards)):
        folder.journal(shard).unlink(missing_ok=True)
        store.release(shard)
    with contextlib.suppress(OSError):
        folder.work("stage").rmdir()
    for path in folder.root.rglob(TEMPORARY):
        path.unlink(missing_ok=True)


_COLUMNS, _LINES = 4, 2
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
    wanted = dict.fromkeys(folder.keys, _COLUMNS * _LINES)
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
