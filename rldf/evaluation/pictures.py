"""The pictures of a folder: which files they are, of which split and class."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rldf.errors import ImageError
from rldf.files import read_file

SPLITS = ("train", "val", "validation", "test")
"""Names of top folders that are splits, where no other top folder holds images."""

_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"}


@dataclass(frozen=True, slots=True)
class Picture:
    """One image of a set, not yet read.

    Attributes:
        name: its path in the set, with "/" between the parts.
        split: "train", "val", "test" and the like, None in a set without splits.
        label: the key of its class (the name of its folder), None in a set without classes.
        source: its file, or its bytes.
    """

    name: str
    split: str | None
    label: str | None
    source: Path | bytes

    def data(self) -> bytes:
        """Read the encoded image.

        Returns:
            The file's bytes.

        Raises:
            ImageError: the file cannot be read.
        """
        if isinstance(self.source, bytes):
            return self.source
        try:
            return read_file(self.source)
        except OSError as error:
            raise ImageError(f"{self.source} cannot be read: {error.strerror}") from None


def list_pictures(root: Path, *, only_splits: bool) -> tuple[Picture, ...]:
    """Find the image files of a folder.

    Args:
        root: the folder.
        only_splits: whether what lies outside of SPLITS is none of its images.

    Returns:
        The pictures, sorted by name.
    """
    files = sorted(_files(root), key=lambda path: path.relative_to(root).as_posix())
    parts = [path.relative_to(root).parts for path in files]
    tops = {part[0] for part in parts if len(part) > 1}
    if only_splits:
        inside = [part[0] in SPLITS and len(part) > 1 for part in parts]
        files = [path for path, is_in in zip(files, inside, strict=True) if is_in]
        parts = [part for part, is_in in zip(parts, inside, strict=True) if is_in]
    has_splits = only_splits or (bool(tops) and tops <= set(SPLITS))
    return tuple(
        _picture(path, part, has_splits=has_splits) for path, part in zip(files, parts, strict=True)
    )


def _picture(path: Path, parts: tuple[str, ...], *, has_splits: bool) -> Picture:
    split = parts[0] if has_splits and len(parts) > 1 else None
    folders = parts[1:-1] if split else parts[:-1]
    return Picture("/".join(parts), split, folders[0] if folders else None, path)


def _files(root: Path) -> Iterator[Path]:
    """Find the image files under a folder; links are followed, each folder is entered once."""
    entered = {os.path.realpath(root)}
    for here, folders, names in os.walk(root, followlinks=True):
        inside = []
        for name in folders:
            real = os.path.realpath(os.path.join(here, name))
            if not name.startswith(".") and real not in entered:
                entered.add(real)
                inside.append(name)
        folders[:] = inside
        for name in names:
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in _SUFFIXES:
                yield Path(here, name)


def packed_pictures(root: Path) -> Iterator[Picture]:
    """Go through a clone in WebDataset or Parquet form.

    Args:
        root: its folder.

    Yields:
        Its pictures, with their bytes.

    Raises:
        RunError: the clone is damaged.
    """
    from rldf.dataset.reader import open_clone

    clone = open_clone(root)
    keys = [label.key for label in clone.classes]
    for split in clone.splits:
        for name, data, number in clone.images(split):
            yield Picture(name, split, keys[number], data)
