"""Opens image sets on disk, in any layout, as one stream of images in a fixed order.

`rldf.io.folder_layouts` interprets ordinary folders; `rldf.dataset` reads clones.
"""

import hashlib
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from PIL.Image import Image

from rldf.errors import ImageError, RunError, UsageError
from rldf.io.files import parse_json, read_file
from rldf.io.image_folders import CLONE_FILE, Picture, list_images
from rldf.io.images import decode_image
from rldf.io.text import plain

if TYPE_CHECKING:
    from rldf.dataset.record import CloneRecord

_AT_ONCE = 256  # images that threads read at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSet:
    """A set of images that can be iterated repeatedly, always in the same order."""

    root: Path  # the folder of the set
    is_clone: bool  # whether rldf made the folder as a clone
    # whether the pocket models or the pocket world's renderer made its images; None if unknown
    of_world: bool | None = None
    # display name by class key; not every class needs one
    class_names: Mapping[str, str] = field(default_factory=dict)
    # keys of all its classes, also of those without images
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # warnings about how the folder was read
    # starts an iteration over the images
    stream: Callable[[], Iterator[Picture]] = field(repr=False, compare=False)

    def __iter__(self) -> Iterator[Picture]:
        """Iterate over the images, sorted by name."""
        return self.stream()

    def decode(self, picture: Picture, data: bytes | None = None) -> Image:
        """Decode an image of the set, from `data` if its bytes are given, else from its file."""
        try:
            data = picture.data() if data is None else data
            return decode_image(data, f"{self.root / picture.name}")
        except ImageError as error:
            raise ImageError(
                f"{error}; {_verify(self.root)}" if self.is_clone else str(error)
            ) from None


@dataclass(frozen=True, slots=True)
class Contents:
    """The names, splits, labels and checksums of a set's images, in order."""

    names: tuple[str, ...]  # as in `Picture.name`
    splits: tuple[str | None, ...]  # as in `Picture.split`
    labels: tuple[str | None, ...]  # as in `Picture.label`
    digests: tuple[str, ...]  # SHA-256 of each file, 64 hexadecimal digits
    empty: tuple[str, ...] = ()  # keys of the classes without images

    def __len__(self) -> int:
        """Count the images."""
        return len(self.names)

    @property
    def key(self) -> str:
        """SHA-256 of all file digests in their order; it does not depend on file names."""
        return hashlib.sha256("\n".join(self.digests).encode()).hexdigest()


def open_images(root: Path) -> ImageSet:
    """Open a folder of images."""
    if not root.is_dir():
        what = "is no folder" if root.exists() else "is not there"
        raise UsageError(f"{root} {what}: give a folder of images")
    listing = list_images(root)
    files, empty = listing.pictures, listing.empty
    record, problem = _clone_record(root)
    is_clone = (root / CLONE_FILE).is_file()
    if not files and not is_clone:
        raise _no_images(root)
    names = {label.key: label.name for label in record.classes} if record else {}
    return ImageSet(
        root=root,
        is_clone=is_clone,
        of_world=_of_world(record) if record else None,
        class_names=names,
        classes=tuple(names) or empty,
        notes=(*(() if is_clone else listing.notes), *([problem] if problem else ())),
        stream=(lambda: iter(files)) if files else (lambda: _packed(root)),
    )


def read_contents(images: ImageSet) -> Contents:
    """Read and hash every file of a set once."""
    names: list[str] = []
    splits: list[str | None] = []
    labels: list[str | None] = []
    digests: list[str] = []
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for some in in_batches(images, _AT_ONCE):
            digests += pool.map(_digest, some)
            names += [picture.name for picture in some]
            splits += [picture.split for picture in some]
            labels += [picture.label for picture in some]
    if not names:
        raise _no_images(images.root)
    empty = tuple(sorted(set(images.classes) - set(labels))) if any(labels) else ()
    return Contents(tuple(names), tuple(splits), tuple(labels), tuple(digests), empty)


def in_batches(images: ImageSet, size: int) -> Iterator[list[Picture]]:
    """Yield the images of a set in lists of `size` images; the last list may be shorter."""
    walk = iter(images)
    while some := list(islice(walk, size)):
        yield some


def choose(images: ImageSet, wanted: Sequence[int]) -> list[Picture]:
    """Return the images at the given positions of a set, in the order of `wanted`."""
    need = set(wanted)
    found = {i: picture for i, picture in enumerate(images) if i in need}
    return [found[i] for i in wanted]


def _packed(root: Path) -> Iterator[Picture]:
    """Yield the images of a clone in WebDataset or Parquet form, with their bytes."""
    from rldf.dataset.reader import open_clone

    clone = open_clone(root)
    keys = [label.key for label in clone.classes]
    for split in clone.splits:
        for name, data, number in clone.images(split):
            yield Picture(name, split, keys[number], data)


def in_turns(images: ImageSet, count: int) -> list[Picture]:
    """Return up to `count` images: the first of each class, then the second of each, and so on."""
    by_class: dict[str | None, list[Picture]] = {}
    for picture in images:
        mine = by_class.setdefault(picture.label, [])
        if len(mine) < count:
            mine.append(picture)
    rounds = zip_longest(*by_class.values())
    return list(islice((p for some in rounds for p in some if p is not None), count))


def _no_images(root: Path) -> UsageError:
    return UsageError(
        f"{root} holds no images: give a folder of PNG, JPEG, WebP, GIF, BMP or TIFF files, "
        "best with a folder for each class"
    )


def _verify(root: Path) -> str:
    return f"type 'rldf clone verify {shlex.quote(str(root))}' to find damaged files"


def _digest(picture: Picture) -> str:
    return hashlib.sha256(picture.data()).hexdigest()


def _clone_record(root: Path) -> "tuple[CloneRecord | None, str]":
    """Read a folder's `clone.json`; returns its record or None, and a warning or ""."""
    path = root / CLONE_FILE
    if not path.is_file():
        return None, ""
    from rldf.dataset.layout import open_folder

    try:
        return open_folder(root).record, ""
    except RunError as error:
        if not _is_json_object(path):
            raise UsageError(f"{path} is damaged; {_verify(root)}") from None
        return None, f"{plain(str(error))[:200]}: the display names of its classes are not known"


def _is_json_object(path: Path) -> bool:
    try:
        return isinstance(parse_json(read_file(path)), dict)
    except (OSError, ValueError):
        return False


def _of_world(record: "CloneRecord") -> bool:
    models = record.plan.models
    generator = models.get("generator")
    is_renderer = isinstance(generator, dict) and generator.get("class") == "drawn"
    return is_renderer or models.get("name") == "pocket"
