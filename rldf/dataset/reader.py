"""Reads the images of a clone, whatever its format."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rldf.dataset.classes import Label
from rldf.dataset.formats import ArchiveStore, Packer
from rldf.dataset.layout import CloneFolder, open_folder
from rldf.errors import RunError
from rldf.io.files import read_file


@dataclass(frozen=True, slots=True)
class Clone:
    """A clone that is read.

    Attributes:
        root: its folder.
        classes: in the order of their labels.
        splits: those that have images.
    """

    root: Path
    classes: tuple[Label, ...]
    splits: tuple[str, ...]
    _folder: CloneFolder

    def images(self, split: str) -> Iterator[tuple[str, bytes, int]]:
        """Read the images of a split, as they are: nothing is decoded or checked.

        Args:
            split: one of `splits`.

        Yields:
            Name, such as "train/n02391049/n02391049_00000012.jpg", file, and label.

        Raises:
            RunError: there is no such split, or a file is damaged.
        """
        if split not in self.splits:
            raise RunError(
                f"{self.root} has no {split} split; it has: {', '.join(self.splits) or 'none'}"
            )
        labels = {label.key: number for number, label in enumerate(self.classes)}
        store = self._folder.store()
        files = (
            _packed(self.root, split, store.packer)
            if isinstance(store, ArchiveStore)
            else _loose(self.root / split, list(labels))
        )
        for file_name, data in files:
            key = file_name.rpartition("_")[0]
            if key not in labels:
                raise RunError(f"{self.root} holds {file_name}, which is of none of its classes")
            yield f"{split}/{key}/{file_name}", data, labels[key]


def open_clone(path: Path) -> Clone:
    """Open a clone, finished or not, to read its images.

    Args:
        path: its folder.

    Returns:
        The clone.

    Raises:
        RunError: there is none, or its `clone.json` is damaged.
    """
    folder = open_folder(path)
    there = [split for split in folder.record.splits if _has(folder, split)]
    return Clone(path, folder.record.classes, tuple(there), folder)


def _has(folder: CloneFolder, split: str) -> bool:
    if isinstance(folder.store(), ArchiveStore):
        return any((folder.root / "data").glob(f"{split}-*"))
    return (folder.root / split).is_dir()


def _loose(folder: Path, keys: list[str]) -> Iterator[tuple[str, bytes]]:
    for key in keys:
        for path in sorted((folder / key).glob(f"{key}_*")):
            if path.suffix in (".jpg", ".png"):
                yield path.name, _read(path)


def _read(path: Path) -> bytes:
    try:
        return read_file(path)
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from None


def _packed(root: Path, split: str, packer: Packer) -> Iterator[tuple[str, bytes]]:
    for path in sorted((root / "data").glob(f"{split}-*.{packer.ending}")):
        yield from packer.read(path)
