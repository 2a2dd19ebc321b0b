"""Reads the images of a clone, whatever its format."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rldf.dataset.classes import Label
from rldf.dataset.layout import CloneFolder, open_folder
from rldf.errors import RunError


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
        """Read the images of a split as name, bytes and label; nothing is decoded or checked."""
        if split not in self.splits:
            raise RunError(
                f"{self.root} has no {split} split; it has: {', '.join(self.splits) or 'none'}"
            )
        labels = {label.key: number for number, label in enumerate(self.classes)}
        for file_name, data in self._folder.store().images(split):
            key = file_name.rpartition("_")[0]
            if key not in labels:
                raise RunError(f"{self.root} holds {file_name}, which is of none of its classes")
            yield f"{split}/{key}/{file_name}", data, labels[key]


def open_clone(path: Path) -> Clone:
    """Open a clone, finished or not, to read its images; RunError if there is none."""
    folder = open_folder(path)
    store = folder.store()
    there = tuple(split for split in folder.record.splits if store.has(split))
    return Clone(path, folder.record.classes, there, folder)
