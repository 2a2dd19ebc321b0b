"""The images of a folder on the disk: which files they are, of which split and class."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rldf.errors import ImageError
from rldf.io.files import read_file
from rldf.io.folder_layouts import Parts, clone_layout, layout_of
from rldf.io.image_bounds import FORMATS

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
"""What the names of image files end in."""
assert len(FORMATS) == 6, "SUFFIXES names the endings of every format"

CLONE_FILE = "clone.json"
"""What marks the folder of a clone."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One image of a set, not yet read.

    Attributes:
        name: its path in the set, with "/" between the parts.
        split: "train", "val", "test", or the name of a folder beside those that holds the same
            classes; None in a set without splits.
        label: the key of its class (the name of its folder), None in a set without classes.
        source: its file, or its bytes.
    """

    name: str
    split: str | None
    label: str | None
    source: Path | bytes

    def data(self) -> bytes:
        """Read the encoded image."""
        if isinstance(self.source, bytes):
            return self.source
        try:
            return read_file(self.source)
        except OSError as error:
            raise ImageError(f"{self.source} cannot be read: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class Listing:
    """The images of a folder.

    Attributes:
        pictures: sorted by name.
        empty: names of the folders of classes that hold no image, in any split.
        notes: what a person should know of how the folder was read.
    """

    pictures: tuple[Picture, ...]
    empty: tuple[str, ...]
    notes: tuple[str, ...]


def list_images(root: Path) -> Listing:
    """Find the images of a folder, whatever its layout: see `rldf.io.folder_layouts`."""
    folders: set[Parts] = set()
    files = sorted(_files(root, folders), key=lambda path: path.relative_to(root).as_posix())
    parts = [path.relative_to(root).parts for path in files]
    is_clone = (root / CLONE_FILE).is_file()
    held = {part[:-1] for part in parts}
    layout = clone_layout(held) if is_clone else layout_of(held, str(root))
    pictures = tuple(
        Picture("/".join(part), *read, path)
        for path, part in zip(files, parts, strict=True)
        if (read := layout.read(part[:-1])) is not None
    )
    notes = layout.notes
    if (left := len(files) - len(pictures)) and not is_clone:
        notes += (f"{root}: {left} images that lie outside of its splits are left out",)
    labels = {picture.label for picture in pictures if picture.label is not None}
    classes = {name for part in folders if (name := layout.class_of(part)) is not None}
    return Listing(pictures, tuple(sorted(classes - labels)), notes)


def _files(root: Path, noted: set[Parts]) -> Iterator[Path]:
    """Find the image files under a folder, and note the folders in it."""
    entered = {os.path.realpath(root)}
    for here, folders, names in os.walk(root, followlinks=True):
        inside = []
        for name in folders:
            real = os.path.realpath(os.path.join(here, name))
            if not name.startswith(".") and real not in entered:
                entered.add(real)
                inside.append(name)
        folders[:] = inside
        noted.update(Path(here, name).relative_to(root).parts for name in inside)
        for name in names:
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES:
                yield Path(here, name)
