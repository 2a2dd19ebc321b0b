"""Archive files: WebDataset tars and Parquet files. Equal images give equal bytes."""

import contextlib
import json
import os
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

from rldf.dataset.manifest import ImageRow
from rldf.dataset.sharding import Archive, Archives
from rldf.dataset.table import row_document, write_images
from rldf.errors import RunError
from rldf.io.files import read_file, replacing, write_bytes
from rldf.io.text import one_line

_AT_ONCE = 10  # images of a Parquet file in memory
_TIGHTEST = 20  # bytes of images that one byte of a Parquet file may stand for: they do not shrink


class Packer(Protocol):
    """Writes and reads one kind of archive file."""

    @property
    def ending(self) -> str:
        """What the files' names end in, without a point."""

    def write(self, file: BinaryIO, rows: Sequence[ImageRow], images: Sequence[bytes]) -> None:
        """Write images and what is known of them."""

    def read(self, path: Path) -> Iterator[tuple[str, bytes]]:
        """Read the images: file name and file; raises RunError at the first damage."""


@dataclass(frozen=True, slots=True)
class TarPacker:
    """WebDataset: of each image `<stem>.jpg`, `<stem>.cls` (its label) and `<stem>.json`.

    Attributes:
        told: what every image's JSON holds besides.
    """

    told: Mapping[str, str]
    ending: str = "tar"

    def write(self, file: BinaryIO, rows: Sequence[ImageRow], images: Sequence[bytes]) -> None:
        """Write a tar.

        Args:
            file: where to.
            rows: what the images are.
            images: their files.
        """
        # USTAR, without times and owners, which would differ from one writing to the next
        with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for row, data in zip(rows, images, strict=True):
                document = json.dumps(row_document(row) | dict(self.told), separators=(",", ":"))
                _add(tar, row.name.rpartition("/")[2], data)
                _add(tar, f"{row.stem}.cls", str(row.label).encode())
                _add(tar, f"{row.stem}.json", document.encode())

    def read(self, path: Path) -> Iterator[tuple[str, bytes]]:
        """Read a tar.

        Args:
            path: the file.

        Yields:
            Name and file of each image.

        Raises:
            RunError: it is not there, or is damaged from here on.
        """
        try:
            with _opened(path) as file, tarfile.open(fileobj=file, mode="r:") as tar:
                for member in tar:
                    if member.issparse():  # a few bytes that stand for any number of them
                        raise tarfile.ReadError(f"{member.name} is not stored whole")
                    if member.isreg() and member.name.endswith((".jpg", ".png")):
                        held = tar.extractfile(member)
                        yield member.name, held.read() if held else b""
            if not _is_whole(path):  # a tar that is cut between two members reads well
                raise tarfile.ReadError("its end is missing")
        except (OSError, ValueError, tarfile.TarError) as error:
            raise RunError(_damaged(path, error)) from None


@dataclass(frozen=True, slots=True)
class ParquetPacker:
    """Parquet with the images in it, as `datasets` reads and writes them.

    Attributes:
        told: what every row holds besides.
        classes: keys of the classes, in the order of their labels.
    """

    told: Mapping[str, str]
    classes: Sequence[str]
    ending: str = "parquet"

    def write(self, file: BinaryIO, rows: Sequence[ImageRow], images: Sequence[bytes]) -> None:
        """Write a Parquet file.

        Args:
            file: where to.
            rows: what the images are.
            images: their files.
        """
        write_images(file, rows, images, self.classes, self.told)

    def read(self, path: Path) -> Iterator[tuple[str, bytes]]:
        """Read a Parquet file.

        Args:
            path: the file.

        Yields:
            Name and file of each image.

        Raises:
            RunError: it is not there, or is damaged from here on.
        """
        import pyarrow
        import pyarrow.parquet

        try:
            with _opened(path) as file, pyarrow.parquet.ParquetFile(file) as table:
                left = _TIGHTEST * path.stat().st_size
                if _unpacked(table.metadata) > left:
                    raise ValueError("it is packed too tightly")
                for batch in table.iter_batches(_AT_ONCE, columns=["image"]):
                    left -= batch.nbytes
                    if left < 0:
                        raise ValueError("it is packed too tightly")
                    for image in batch.column("image").to_pylist():
                        yield _checked(image["path"], image["bytes"])
        except (OSError, LookupError, TypeError, ValueError, pyarrow.ArrowException) as error:
            raise RunError(_damaged(path, error)) from None


def _unpacked(metadata: Any) -> int:
    groups = (metadata.row_group(i) for i in range(metadata.num_row_groups))
    return sum(group.total_byte_size for group in groups)


def _checked(name: object, data: object) -> tuple[str, bytes]:
    if not isinstance(name, str) or not isinstance(data, bytes):
        raise TypeError("its images are none")
    return name, data


def _opened(path: Path) -> BinaryIO:
    if path.exists() and not path.is_file():
        raise OSError("it is no file")
    return path.open("rb")


def _is_whole(path: Path) -> bool:
    """Tell whether a tar ends as it should: with two blocks of zeros, in whole records."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 2 * tarfile.BLOCKSIZE))
        end = file.read()
    return size % tarfile.RECORDSIZE == 0 and not any(end)


def _damaged(path: Path, error: Exception) -> str:
    said = one_line(error)
    return f"{path} is damaged or not there ({said}): type 'rldf clone verify FOLDER --repair'"


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, BytesIO(data))


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
                yield row, _read_or_none(self.root / row.name)


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


def _read_or_none(path: Path) -> bytes | None:
    try:
        return read_file(path)
    except OSError:
        return None
