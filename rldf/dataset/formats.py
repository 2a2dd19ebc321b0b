"""Export formats: one class for each says everything about it, and one line in `FORMATS` adds it.

A format takes one image at a time and has it on the disk, whole, when `put` returns. Once all
images of a shard are in, `seal` makes the shard's final files. In an image folder an image is at
its final place at once; for archives it waits in a stage, so that a kill costs a batch and not a
shard, and sealing again after a kill gives the same bytes.
"""

import contextlib
import json
import os
import shutil
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, BinaryIO, ClassVar

from pydantic import AfterValidator

from rldf.dataset.manifest import ImageRow
from rldf.dataset.sharding import Archive, Archives
from rldf.dataset.table import row_document, write_images, write_metadata
from rldf.errors import RunError
from rldf.io.files import read_file, replacing, write_bytes
from rldf.io.text import one_line

_AT_ONCE = 10  # images of a Parquet file in memory
_TIGHTEST = 20  # bytes of images that one byte of a Parquet file may stand for: they do not shrink

RowsByShard = Callable[[], Iterable[tuple[int, list[ImageRow]]]]
"""Reads number and rows of every shard, so that they need not all be in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFormat(ABC):
    """The image files of one clone in one format.

    Attributes:
        root: the clone's folder.
        stage: where images wait until their shard is sealed.
        archives: how images are laid out in archives; its splits are the clone's.
        classes: keys of the classes, in the order of their labels.
        image_format: "jpg" or "png".
        extra_metadata: columns that every image has besides its row.
        packs: whether `seal` needs every image of its shard, because it writes new files.
    """

    root: Path
    stage: Path
    archives: Archives
    classes: Sequence[str]
    image_format: str
    extra_metadata: Mapping[str, str]
    packs: ClassVar[bool]

    @abstractmethod
    def put(self, shard: int, name: str, data: bytes) -> None:
        """Write an image file of a shard, replacing one of that name."""

    @abstractmethod
    def seal(self, shard: int, rows: Sequence[ImageRow]) -> None:
        """Make the final files of a shard whose images are all in."""

    @abstractmethod
    def release(self, shard: int) -> None:
        """Remove what a finished shard does not need any more."""

    @abstractmethod
    def files(self, shard: int, names: Iterable[str]) -> set[str]:
        """Return the final files of a shard's images, relative to the clone's folder."""

    @abstractmethod
    def read(self, shard: int, rows: Sequence[ImageRow]) -> Iterator[tuple[ImageRow, bytes | None]]:
        """Read a sealed shard: rows that have an image, and its file, None if it is missing."""

    @abstractmethod
    def has(self, split: str) -> bool:
        """Return whether any file of a split exists."""

    @abstractmethod
    def images(self, split: str) -> Iterator[tuple[str, bytes]]:
        """Read all images of a split, as file name and bytes; RunError at the first damage."""

    @abstractmethod
    def finish(self, shards: RowsByShard) -> list[str]:
        """Write the files that cover all shards; return their names."""

    @abstractmethod
    def pattern(self, split: str) -> str:
        """Return the glob pattern of a split's files, relative to the clone's folder."""

    @abstractmethod
    def loading(self, split: str) -> list[str]:
        """Return lines of Python that load a split, for the card."""

    @abstractmethod
    def media(self, split: str) -> tuple[str, str]:
        """Return the media type of a split's files and the glob pattern of these files."""

    @abstractmethod
    def fields(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return where Croissant finds image and class key; None if it cannot express that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFolder(ExportFormat):
    """A folder of images: `train/<key>/<key>_<number>.jpg`, with metadata.parquet beside them."""

    packs: ClassVar[bool] = False
    _made: set[Path] = field(default_factory=set)

    def put(self, shard: int, name: str, data: bytes) -> None:
        """Write an image to its final place."""
        path = self.root / name
        if path.parent not in self._made:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(path.parent)
        write_bytes(path, data)

    def seal(self, shard: int, rows: Sequence[ImageRow]) -> None:
        """Do nothing: the images are at their places."""

    def release(self, shard: int) -> None:
        """Do nothing: there is no stage."""

    def files(self, shard: int, names: Iterable[str]) -> set[str]:
        """Return the names as they are."""
        return set(names)

    def read(self, shard: int, rows: Sequence[ImageRow]) -> Iterator[tuple[ImageRow, bytes | None]]:
        """Read the images one by one."""
        for row in rows:
            if row.sha256:
                data: bytes | None = None
                with contextlib.suppress(OSError):
                    data = read_file(self.root / row.name)
                yield row, data

    def has(self, split: str) -> bool:
        """Return whether the split has a folder."""
        return (self.root / split).is_dir()

    def images(self, split: str) -> Iterator[tuple[str, bytes]]:
        """Read all images of a split, class by class."""
        for key in self.classes:
            for path in sorted((self.root / split / key).glob(f"{key}_*")):
                if path.suffix not in (".jpg", ".png"):
                    continue
                try:
                    data = read_file(path)
                except OSError as error:
                    raise RunError(f"{path} cannot be read: {error.strerror}") from None
                yield path.name, data

    def finish(self, shards: RowsByShard) -> list[str]:
        """Write `metadata.parquet` into every split, and folders for classes without images."""
        names = []
        for split in self.archives.splits:
            for key in self.classes:  # loaders number the folders, so none may be missing
                (self.root / split / key).mkdir(parents=True, exist_ok=True)
            names.append(f"{split}/metadata.parquet")
            own = (
                [row for row in rows if row.split == split and row.sha256] for _, rows in shards()
            )
            with replacing(self.root / names[-1]) as file:
                write_metadata(file, own, self.classes, self.extra_metadata)
        return names

    def pattern(self, split: str) -> str:
        """Return all files of the split's folder."""
        return f"{split}/**"

    def loading(self, split: str) -> list[str]:
        """Load it by torchvision or datasets."""
        return [
            # a class may have lost all its images in a split, and its folder numbers the others
            f'torchvision.datasets.ImageFolder("{split}", allow_empty=True)',
            'datasets.load_dataset("imagefolder", data_dir=".")',
        ]

    def media(self, split: str) -> tuple[str, str]:
        """Return the images' own type."""
        kind = {"jpg": "image/jpeg", "png": "image/png"}[self.image_format]
        return kind, f"{split}/*/*.{self.image_format}"

    def fields(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Find the class in the image's path."""
        path = {
            "extract": {"fileProperty": "fullpath"},
            "transform": {"regex": r"^.*/([^/]+)/[^/]+$"},
        }
        return {"extract": {"fileProperty": "content"}}, path


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveFormat(ExportFormat):
    """Archives `data/train-00012-of-00064.tar`, one or more for each split that a shard touches."""

    packs: ClassVar[bool] = True
    ending: ClassVar[str]
    media_type: ClassVar[str]

    @abstractmethod
    def write_archive(
        self, file: BinaryIO, rows: Sequence[ImageRow], images: Sequence[bytes]
    ) -> None:
        """Write one archive; equal images give equal bytes."""

    @staticmethod
    @abstractmethod
    def read_archive(path: Path) -> Iterator[tuple[str, bytes]]:
        """Read one archive, as file name and bytes; RunError at the first damage."""

    def put(self, shard: int, name: str, data: bytes) -> None:
        """Stage an image."""
        path = self._staged(shard, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, data)

    def seal(self, shard: int, rows: Sequence[ImageRow]) -> None:
        """Pack the shard's images."""
        for archive, held in self._filled(shard, rows):
            if not held and self.archives.numbering == "clone":
                continue  # earlier versions wrote no empty file
            images = [self._staged(shard, row.name).read_bytes() for row in held]
            path = self.root / archive.name(self.ending)
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as file:
                self.write_archive(file, held, images)

    def release(self, shard: int) -> None:
        """Empty the shard's stage."""
        shutil.rmtree(self.stage / f"{shard:05d}", ignore_errors=True)

    def files(self, shard: int, names: Iterable[str]) -> set[str]:
        """Return the shard's archives, which exist whether they have images or not."""
        return {archive.name(self.ending) for archive in self.archives.of_shard(shard)}

    def read(self, shard: int, rows: Sequence[ImageRow]) -> Iterator[tuple[ImageRow, bytes | None]]:
        """Read the images of the shard's archives, as far as they can be read."""
        for archive, held in self._filled(shard, rows):
            found: dict[str, bytes] = {}
            path = self.root / archive.name(self.ending)
            with contextlib.suppress(RunError):  # what precedes a damage can be read
                found.update(self.read_archive(path) if held else ())
            for row in held:
                yield row, found.get(row.name.rpartition("/")[2])

    def has(self, split: str) -> bool:
        """Return whether any archive of the split exists."""
        return any((self.root / "data").glob(f"{split}-*"))

    def images(self, split: str) -> Iterator[tuple[str, bytes]]:
        """Read all archives of a split."""
        for path in sorted(self.root.glob(self.pattern(split))):
            yield from self.read_archive(path)

    def finish(self, shards: RowsByShard) -> list[str]:
        """Write nothing: the metadata are in the archives."""
        return []

    def pattern(self, split: str) -> str:
        """Return the split's archives."""
        return f"data/{split}-*.{self.ending}"

    def media(self, split: str) -> tuple[str, str]:
        """Return the type of the archives."""
        return self.media_type, self.pattern(split)

    def _filled(
        self, shard: int, rows: Sequence[ImageRow]
    ) -> Iterator[tuple[Archive, list[ImageRow]]]:
        """Yield each archive of a shard with the rows that have an image in it."""
        for archive in self.archives.of_shard(shard):
            yield archive, [row for row in rows if row.sha256 and row.index in archive.images]

    def _staged(self, shard: int, name: str) -> Path:
        return self.stage / f"{shard:05d}" / name.replace("/", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebDataset(ArchiveFormat):
    """Tars that hold `<stem>.jpg`, `<stem>.cls` (its label) and `<stem>.json` for each image."""

    ending: ClassVar[str] = "tar"
    media_type: ClassVar[str] = "application/x-tar"

    def write_archive(
        self, file: BinaryIO, rows: Sequence[ImageRow], images: Sequence[bytes]
    ) -> None:
        """Write a tar."""
        # USTAR, without times and owners, which would differ from one writing to the next
        with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for row, data in zip(rows, images, strict=True):
                known = row_document(row) | dict(self.extra_metadata)
                document = json.dumps(known, separators=(",", ":"))
                _add(tar, row.name.rpartition("/")[2], data)
                _add(tar, f"{row.stem}.cls", str(row.label).encode())
                _add(tar, f"{row.stem}.json", document.encode())

    @staticmethod
    def read_archive(path: Path) -> Iterator[tuple[str, bytes]]:
        """Read a tar."""
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

    def loading(self, split: str) -> list[str]:
        """Load it by webdataset."""
        pattern = self.archives.pattern(split, self.ending)
        tars = f'sorted(glob.glob("{pattern}"))' if "*" in pattern else f'"{pattern}"'
        return [
            f"tars = {tars}",
            f"webdataset.WebDataset(tars, shardshuffle={self.archives.total(split)})"
            f'.decode("pil").to_tuple("{self.image_format}", "cls")',
        ]

    def fields(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return None: Croissant cannot name the parts of a sample."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parquet(ArchiveFormat):
    """Parquet files with the images in them, as `datasets` reads and writes them."""

    ending: ClassVar[str] = "parquet"
    media_type: ClassVar[str] = "application/x-parquet"

    def write_archive(
        self, file: BinaryIO, rows: Sequence[ImageRow], images: Sequence[bytes]
    ) -> None:
        """Write a Parquet file."""
        write_images(file, rows, images, self.classes, self.extra_metadata)

    @staticmethod
    def read_archive(path: Path) -> Iterator[tuple[str, bytes]]:
        """Read a Parquet file."""
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

    def loading(self, split: str) -> list[str]:
        """Load it by datasets."""
        files = f'{{"{split}": "{self.pattern(split)}"}}'
        return [f'datasets.load_dataset("parquet", data_files={files})']

    def fields(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Find both in columns; datasets keeps an image as a record of its bytes and its path."""
        image = {"extract": {"column": "image"}, "transform": {"jsonPath": "bytes"}}
        return image, {"extract": {"column": "key"}}


FORMATS: Mapping[str, type[ExportFormat]] = {
    "imagefolder": ImageFolder,
    "webdataset": WebDataset,
    "parquet": Parquet,
}
"""Every export format by its name."""


def _known(name: str) -> str:
    if name not in FORMATS:
        raise ValueError(f"no such format; there are {', '.join(FORMATS)}")
    return name


Format = Annotated[str, AfterValidator(_known)]
"""A name in `FORMATS`."""


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
