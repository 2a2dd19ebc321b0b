"""Image sets on disk, whatever their layout, as one stream of pictures in a fixed order.

What their folders mean is told by `rldf.io.folder_layouts`; a clone in WebDataset or Parquet form
is read by the reader of `rldf.dataset`.
"""

import hashlib
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from PIL.Image import Image

from rldf.errors import ImageError, UsageError
from rldf.io.files import parse_json, read_file
from rldf.io.image_folders import CLONE_FILE, Picture, list_images
from rldf.io.images import decode_image

_AT_ONCE = 256  # pictures read ahead by threads


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSet:
    """A set of images that can be gone through again and again, in one and the same order.

    Attributes:
        root: its folder.
        is_clone: whether the folder is a clone of this program.
        of_world: whether it was drawn by the pocket models or the drawn world's renderer; None
            where that is not known.
        class_names: what people call a class, by key; may lack some.
        classes: keys of classes that it is to have, whether there are images of them or not.
        notes: what a person should know of how the folder was read.
        stream: starts a walk over the pictures.
    """

    root: Path
    is_clone: bool
    of_world: bool | None = None
    class_names: Mapping[str, str] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    stream: Callable[[], Iterator[Picture]] = field(repr=False, compare=False)

    def __iter__(self) -> Iterator[Picture]:
        """Walk over the pictures, sorted by name."""
        return self.stream()

    def decode(self, picture: Picture, data: bytes | None = None) -> Image:
        """Decode one of the pictures.

        Args:
            picture: the picture.
            data: its bytes, where they were read before.

        Returns:
            An upright RGB image.

        Raises:
            ImageError: its file is damaged; for a clone, with the command that lists all such.
        """
        try:
            data = picture.data() if data is None else data
            return decode_image(data, f"{self.root / picture.name}")
        except ImageError as error:
            raise ImageError(
                f"{error}; {_verify(self.root)}" if self.is_clone else str(error)
            ) from None


@dataclass(frozen=True, slots=True)
class Contents:
    """What a set holds, one entry a picture, in the order of the set.

    Attributes:
        names: see `Picture`.
        splits: see `Picture`.
        labels: see `Picture`.
        digests: SHA-256 of each file, 64 hexadecimal digits.
        empty: keys of its classes that have no image.
    """

    names: tuple[str, ...]
    splits: tuple[str | None, ...]
    labels: tuple[str | None, ...]
    digests: tuple[str, ...]
    empty: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self.names)

    @property
    def key(self) -> str:
        """The set's content as one SHA-256: files in their order, whatever their names."""
        return hashlib.sha256("\n".join(self.digests).encode()).hexdigest()


def open_images(root: Path) -> ImageSet:
    """Open a folder of images.

    Args:
        root: a folder of any layout.

    Returns:
        The set.

    Raises:
        UsageError: it is not there, is no folder, or holds no image; or some of its folders are
            named like splits, and it does not show what they are.
    """
    if not root.is_dir():
        what = "is no folder" if root.exists() else "is not there"
        raise UsageError(f"{root} {what}: give a folder of images")
    clone = _clone_document(root)
    listing = list_images(root)
    pictures, empty = listing.pictures, listing.empty
    if clone is None:
        if not pictures:
            raise _no_images(root)
        return ImageSet(
            root=root,
            is_clone=False,
            classes=empty,
            notes=listing.notes,
            stream=lambda: iter(pictures),
        )
    names = _class_names(clone)
    return ImageSet(
        root=root,
        is_clone=True,
        of_world=_of_world(clone),
        class_names=names,
        classes=tuple(names) or empty,
        stream=(lambda: iter(pictures)) if pictures else (lambda: _packed(root)),
    )


def read_contents(images: ImageSet) -> Contents:
    """Read every file of a set once and sum it up.

    Args:
        images: the set.

    Returns:
        What it holds.

    Raises:
        ImageError: a file cannot be read.
        UsageError: there is none.
    """
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
    """Walk over a set by several pictures at a time.

    Args:
        images: the set.
        size: how many, 1 or more.

    Yields:
        Lists of that length; the last may be shorter.
    """
    walk = iter(images)
    while some := list(islice(walk, size)):
        yield some


def choose(images: ImageSet, wanted: Sequence[int]) -> list[Picture]:
    """Take pictures out of a set by their places.

    Args:
        images: the set.
        wanted: places in the set's order, 0 the first; any order, also twice.

    Returns:
        The pictures, in the order asked for.
    """
    need = set(wanted)
    found = {i: picture for i, picture in enumerate(images) if i in need}
    return [found[i] for i in wanted]


def _packed(root: Path) -> Iterator[Picture]:
    """Go through a clone in WebDataset or Parquet form, whose pictures come with their bytes."""
    from rldf.dataset.reader import open_clone

    clone = open_clone(root)
    keys = [label.key for label in clone.classes]
    for split in clone.splits:
        for name, data, number in clone.images(split):
            yield Picture(name, split, keys[number], data)


def in_turns(images: ImageSet, count: int) -> list[Picture]:
    """Take pictures out of a set so that its classes come alike.

    Args:
        images: the set.
        count: how many at most.

    Returns:
        The first of each class, then the second ones, and so on.
    """
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
    return f"type 'rldf clone verify {shlex.quote(str(root))}'"


def _digest(picture: Picture) -> str:
    return hashlib.sha256(picture.data()).hexdigest()


def _clone_document(root: Path) -> dict[str, Any] | None:
    path = root / CLONE_FILE
    if not path.is_file():
        return None
    try:
        found = parse_json(read_file(path))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise UsageError(f"{path} is damaged; {_verify(root)}")
    return found


def _plan(clone: Mapping[str, Any]) -> Mapping[str, Any]:
    """Find what a clone's document, which may be a stranger's, says of its plan."""
    plan = clone.get("plan")
    return plan if isinstance(plan, dict) else clone


def _of_world(clone: Mapping[str, Any]) -> bool | None:
    models = _plan(clone).get("models")
    if not isinstance(models, dict):
        return None
    generator = models.get("generator")
    is_renderer = isinstance(generator, dict) and generator.get("class") == "drawn"
    return is_renderer or models.get("name") == "pocket"


def _class_names(clone: Mapping[str, Any]) -> dict[str, str]:
    classes = _plan(clone).get("classes")
    rows = classes if isinstance(classes, list) else []
    return {
        str(row["key"]): str(row["name"])
        for row in rows
        if isinstance(row, dict) and "key" in row and "name" in row
    }
