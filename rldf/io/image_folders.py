"""Lists the image files of a folder, each with its split and class."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rldf.errors import ImageError
from rldf.io.files import read_file
from rldf.io.folder_layouts import Parts, clone_layout, layout_of
from rldf.io.image_bounds import FORMATS
from rldf.io.text import counted

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
"""Extensions of image files, in lower case."""
assert len(FORMATS) == 6, "SUFFIXES names the endings of every format"

CLONE_FILE = "clone.json"
"""The file that every folder of a clone contains."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One image of an image folder or clone, not yet read.

    Attributes:
        name: path of the image in the folder, with "/" between the parts.
        split: "train", "val", "test", or the name of another top folder with the same classes;
            None if there are no splits.
        label: key of the image's class, which is the name of its folder; None without classes.
        source: path of the image file, or its bytes.
    """

    name: str
    split: str | None
    label: str | None
    source: Path | bytes

    def data(self) -> bytes:
        """Return the bytes of the image file; ImageError if it cannot be read."""
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
        pictures: the images, sorted by name.
        empty: names of the classes whose folders contain no image in any split.
        notes: messages for the user about how the layout of the folder was interpreted.
    """

    pictures: tuple[Picture, ...]
    empty: tuple[str, ...]
    notes: tuple[str, ...]


def list_images(root: Path) -> Listing:
    """List the images of a folder; `rldf.io.folder_layouts` describes the possible layouts."""
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
        notes += (f"{root}: left out {counted(left, 'image')} outside of its splits",)
    labels = {picture.label for picture in pictures if picture.label is not None}
    classes = {name for part in folders if (name := layout.class_of(part)) is not None}
    return Listing(pictures, tuple(sorted(classes - labels)), notes)


def _files(root: Path, noted: set[Parts]) -> Iterator[Path]:
    """Yield the image files under a folder, and add the folders under it to `noted`."""
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
