"""Writes the files about a whole clone once all images exist: metadata, card, contact sheets."""

import contextlib
import hashlib
import io
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import ValidationError

from rldf.dataset.card import card, croissant
from rldf.dataset.layout import PLAN, CloneFolder
from rldf.dataset.manifest import ImageRow, count_images
from rldf.dataset.sharding import waiting
from rldf.errors import ImageError
from rldf.io.files import (
    TEMPORARY,
    read_file,
    sha256_file,
    write_bytes,
    write_json,
    write_text,
)
from rldf.io.images import decode_image
from rldf.io.yaml import Strict

CARD = "README.md"


class Finished(Strict):
    """The content of `.rldf/finished.json`, which is written last.

    Attributes:
        counts: counts of images, as `Counts.document` gives them.
        files: SHA-256 of each file about the whole clone, by file name.
    """

    counts: dict[str, Any]
    files: dict[str, str]


def read_finished(folder: CloneFolder) -> Finished | None:
    """Read `.rldf/finished.json`; None if it is absent or damaged."""
    try:
        return Finished.model_validate_json(read_file(folder.work("finished.json")))
    except (OSError, ValidationError):
        return None


def finish(folder: CloneFolder) -> Finished:
    """Finish a clone whose shards are all done; wait if another process is finishing it."""
    with waiting(folder.work("locks") / "finish"):
        return read_finished(folder) or write_finish(folder)


def write_finish(folder: CloneFolder) -> Finished:
    """Write all files about the whole clone anew from its manifests, over existing ones."""
    counts = count_images(rows for _, rows in folder.all_rows())
    names = folder.store().finish(folder.all_rows)
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
    """Write the card unless a user has edited it; return the SHA-256 of the given text."""
    path, before = folder.root / CARD, read_finished(folder)
    last = before.files.get(CARD) if before else None
    if not path.exists() or sha256_file(path) == last:
        write_text(path, text)
    return hashlib.sha256(text.encode("utf-8", errors="backslashreplace")).hexdigest()


def _sweep(folder: CloneFolder) -> None:
    """Delete stages and temporary files of killed processes, once all shards are done."""
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
    """Write a contact sheet for each class that has images; return the file names."""
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
    """Arrange at most 8 thumbnails in rows of four."""
    step = _SIDE + _GAP
    n_rows = -(-len(images) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * step + _GAP, n_rows * step + _GAP), _PAPER)
    for i, image in enumerate(images):
        sheet.paste(image, (_GAP + i % _COLUMNS * step, _GAP + i // _COLUMNS * step))
    return sheet


def _first_images(folder: CloneFolder) -> dict[int, list[ImageRow]]:
    """Return the rows of the first 8 images of every class, by shard."""
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
