"""Where image files go: a folder of images, or archives.

A store takes one image at a time and has it on the disk, whole, when `put` is through. Once all of
a shard are in, `seal` makes the shard's final files. In a folder of images an image lies at its
final place at once; for archives it waits in a stage, so that a kill costs a batch and not a
shard, and sealing again after a kill gives the same bytes.
"""

import contextlib
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from rldf.dataset.archives import Archive, Archives
from rldf.dataset.manifest import ImageRow
from rldf.dataset.packers import Packer, ParquetPacker, TarPacker
from rldf.errors import RunError
from rldf.io.files import read_file, replacing, write_bytes

Format = Literal["imagefolder", "webdataset", "parquet"]


class Store(Protocol):
    """Holds the image files of a clone."""

    @property
    def packs(self) -> bool:
        """Whether `seal` makes files anew, so that it needs every image of its shard."""

    def put(self, shard: int, name: str, data: bytes) -> None:
        """Take an image file of a shard, in place of one of that name."""

    def seal(self, shard: int, rows: Sequence[ImageRow]) -> None:
        """Make the final files of a shard whose images are all in."""

    def release(self, shard: int) -> None:
        """Let go of what a shard that is done needs no more."""

    def files(self, shard: int, names: Iterable[str]) -> set[str]:
        """Name the final files of a shard's images, relative to the clone's folder."""

    def read(self, shard: int, rows: Sequence[ImageRow]) -> Iterator[tuple[ImageRow, bytes | None]]:
        """Read a sealed shard: rows that have an image, and its file, None if it is not there."""


def make_store(
    kind: Format,
    root: Path,
    stage: Path,
    archives: Archives,
    classes: Sequence[str],
    told: Mapping[str, str],
) -> Store:
    """Make the store of a format.

    Args:
        kind: the format.
        root: the clone's folder.
        stage: a folder of the store's own.
        archives: how images are laid out in archives.
        classes: keys of the classes, in the order of their labels.
        told: what every image's metadata hold besides its row.

    Returns:
        The store.
    """
    if kind == "imagefolder":
        return FolderStore(root)
    packer = TarPacker(told) if kind == "webdataset" else ParquetPacker(told, classes)
    return ArchiveStore(root, stage, archives, packer)


@dataclass(frozen=True, slots=True)
class FolderStore:
    """A folder of images: `train/<key>/<key>_<number>.jpg`.

    Attributes:
        root: the clone's folder.
        packs: no: images lie at their final place at once.
    """

    root: Path
    packs: bool = False
    _made: set[Path] = field(default_factory=set)

    def put(self, shard: int, name: str, data: bytes) -> None:
        """Write an image to its place.

        Args:
            shard: unused.
            name: the image's name.
            data: its file.
        """
        path = self.root / name
        if path.parent not in self._made:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(path.parent)
        write_bytes(path, data)

    def seal(self, shard: int, rows: Sequence[ImageRow]) -> None:
        """Do nothing: the images are at their places.

        Args:
            shard: unused.
            rows: unused.
        """

    def release(self, shard: int) -> None:
        """Do nothing: there is no stage.

        Args:
            shard: unused.
        """

    def files(self, shard: int, names: Iterable[str]) -> set[str]:
        """Name the images' files.

        Args:
            shard: unused.
            names: of images.

        Returns:
            The same.
        """
        return set(names)

    def read(self, shard: int, rows: Sequence[ImageRow]) -> Iterator[tuple[ImageRow, bytes | None]]:
        """Read images.

        Args:
            shard: unused.
            rows: which.

        Yields:
            Each row that has an image, and its file.
        """
        for row in rows:
            if row.sha256:
                yield row, _read(self.root / row.name)


@dataclass(frozen=True, slots=True)
class ArchiveStore:
    """Archives: `data/train-00012-of-00064.tar`, one or more for each split that a shard touches.

    Attributes:
        root: the clone's folder.
        stage: where images wait.
        archives: how images are laid out.
        packer: what writes and reads the files.
        packs: yes.
    """

    root: Path
    stage: Path
    archives: Archives
    packer: Packer
    packs: bool = True

    def put(self, shard: int, name: str, data: bytes) -> None:
        """Stage an image.

        Args:
            shard: its shard.
            name: its name.
            data: its file.
        """
        path = self._staged(shard, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, data)

    def seal(self, shard: int, rows: Sequence[ImageRow]) -> None:
        """Pack the shard's images.

        Args:
            shard: its number.
            rows: of all its images.
        """
        for archive, part in self._filled(shard, rows):
            if not part and self.archives.numbering == "clone":
                continue  # earlier versions wrote no empty file
            images = [self._staged(shard, row.name).read_bytes() for row in part]
            path = self.root / archive.name(self.packer.ending)
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as file:
                self.packer.write(file, part, images)

    def release(self, shard: int) -> None:
        """Empty the shard's stage.

        Args:
            shard: its number.
        """
        shutil.rmtree(self.stage / f"{shard:05d}", ignore_errors=True)

    def files(self, shard: int, names: Iterable[str]) -> set[str]:
        """Name the archives of a shard.

        Args:
            shard: its number.
            names: unused: an archive is there whether it has images or not.

        Returns:
            Relative paths.
        """
        return {archive.name(self.packer.ending) for archive in self.archives.of_shard(shard)}

    def read(self, shard: int, rows: Sequence[ImageRow]) -> Iterator[tuple[ImageRow, bytes | None]]:
        """Read images.

        Args:
            shard: its number.
            rows: which.

        Yields:
            Each row that has an image, and its file.
        """
        for archive, part in self._filled(shard, rows):
            found: dict[str, bytes] = {}
            path = self.root / archive.name(self.packer.ending)
            with contextlib.suppress(RunError):  # what lies before a damage can be read
                found.update(self.packer.read(path) if part else ())
            for row in part:
                yield row, found.get(row.name.rpartition("/")[2])

    def _filled(
        self, shard: int, rows: Sequence[ImageRow]
    ) -> Iterator[tuple[Archive, list[ImageRow]]]:
        """Give each archive of a shard the rows that have an image in it."""
        for archive in self.archives.of_shard(shard):
            yield archive, [row for row in rows if row.sha256 and row.index in archive.images]

    def _staged(self, shard: int, name: str) -> Path:
        return self.stage / f"{shard:05d}" / name.replace("/", "-")


def _read(path: Path) -> bytes | None:
    try:
        return read_file(path)
    except OSError:
        return None
