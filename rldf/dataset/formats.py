"""Export formats: one class defines each format, and `FORMATS` lists them.

`put` writes one image, which is complete on the disk when `put` returns. `seal` makes the final
files of a shard after its last image. An image folder writes each image to its final place. An
archive format writes it to a folder for staging first, so that a killed process loses one batch and
not a shard. Sealing again gives the same bytes.
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

_AT_ONCE = 10  # images of a Parquet file that are read into memory together
_TIGHTEST = 20  # bytes that one byte of a Parquet file may unpack to; JPEG and PNG do not shrink

RowsByShard = Callable[[], Iterable[tuple[int, list[ImageRow]]]]
"""Returns number and rows of each shard, read one shard at a time to save memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFormat(ABC):
    """The image files of one clone in one format.

    Attributes:
        root: the clone's folder.
        stage: folder for the images of shards that are not sealed.
        archives: which archive holds which image; it also lists the clone's splits.
        classes: keys of the classes, in the order of their labels.
        image_format: "jpg" or "png".
        extra_metadata: values, the same for all images, that the metadata have besides the row.
        packs: whether `seal` packs staged images into archives, so needs all of its shard.
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
        """Write an image file of a shard; a file of the same name is replaced."""

    @abstractmethod
    def seal(self, shard: int, rows: Sequence[ImageRow]) -> None:
        """Make the final files of a shard after all its images were `put`."""

    @abstractmethod
    def release(self, shard: int) -> None:
        """Delete the staged images of a finished shard."""

    @abstractmethod
    def files(self, shard: int, names: Iterable[str]) -> set[str]:
        """Return the paths of a shard's final files, relative to the clone's folder."""

    @abstractmethod
    def read(self, shard: int, rows: Sequence[ImageRow]) -> Iterator[tuple[ImageRow, bytes | None]]:
        """Yield each row with an image and that file's bytes, None if it cannot be read."""

    @abstractmethod
    def has(self, split: str) -> bool:
        """Return whether any file of a split exists."""

    @abstractmethod
    def images(self, split: str) -> Iterator[tuple[str, bytes]]:
        """Yield file name and bytes of each image of a split; RunError at the first damage."""

    @abstractmethod
    def finish(self, shards: RowsByShard) -> list[str]:
        """Write the metadata files that cover all shards, if any; return their names."""

    @abstractmethod
    def pattern(self, split: str) -> str:
        """Return the glob pattern of a split's files, relative to the clone's folder."""

    @abstractmethod
    def loading(self, split: str) -> list[str]:
        """Return the lines of Python that the card shows for loading a split."""

    @abstractmethod
    def media(self, split: str) -> tuple[str, str]:
        """Return the media type of a split's data files and their glob pattern."""

    @abstractmethod
    def fields(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return Croissant's `source` of image and of class; None if it cannot describe them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFolder(ExportFormat):
    """A folder of images `<split>/<key>/<key>_<number>.jpg` with `<split>/metadata.parquet`."""

    packs: ClassVar[bool] = False
    _made: set[Path] = field(default_factory=set)

    def put(self, shard: int, name: str, data: bytes) -> None:
        """Write an image to its final path."""
        path = self.root / name
        if path.parent not in self._made:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(path.parent)
        write_bytes(path, data)

    def seal(self, shard: int, rows: Sequence[ImageRow]) -> None:
        """Do nothing: `put` has written the images to their final paths."""

    def release(self, shard: int) -> None:
        """Do nothing: no image was staged."""

    def files(self, shard: int, names: Iterable[str]) -> set[str]:
        """Return the names unchanged: the image files are the final files."""
        return set(names)

    def read(self, shard: int, rows: Sequence[ImageRow]) -> Iterator[tuple[ImageRow, bytes | None]]:
        """Yield each row with an image and that file's bytes, None if it cannot be read."""
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
        """Yield file name and bytes of each image of a split, class by class."""
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
        """Write each split's `metadata.parquet`, and empty folders for classes without images."""
        names = []
        for split in self.archives.splits:
            for (
                key
            ) in self.classes:  # loaders number the folders as classes, so none may be missing
                (self.root / split / key).mkdir(parents=True, exist_ok=True)
            names.append(f"{split}/metadata.parquet")
            own = (
                [row for row in rows if row.split == split and row.sha256] for _, rows in shards()
            )
            with replacing(self.root / names[-1]) as file:
                write_metadata(file, own, self.classes, self.extra_metadata)
        return names

    def pattern(self, split: str) -> str:
        """Return the pattern of all files in the split's folder."""
        return f"{split}/**"

    def loading(self, split: str) -> list[str]:
        """Return the lines that load the clone by torchvision or datasets."""
        return [
            # the empty folder of a class without images keeps the numbers of the others right
            f'torchvision.datasets.ImageFolder("{split}", allow_empty=True)',
            'datasets.load_dataset("imagefolder", data_dir=".")',
        ]

    def media(self, split: str) -> tuple[str, str]:
        """Return the media type of the images and their glob pattern."""
        kind = {"jpg": "image/jpeg", "png": "image/png"}[self.image_format]
        return kind, f"{split}/*/*.{self.image_format}"

    def fields(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return sources that read the class from the image's path."""
        path = {
            "extract": {"fileProperty": "fullpath"},
            "transform": {"regex": r"^.*/([^/]+)/[^/]+$"},
        }
        return {"extract": {"fileProperty": "content"}}, path


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveFormat(ExportFormat):
    """Archives such as `data/train-00012-of-00064.tar`, each of images of one shard and split."""

    packs: ClassVar[bool] = True
    ending: ClassVar[str]
    media_type: ClassVar[str]

    @abstractmethod
    def write_archive(
        self, file: BinaryIO, rows: Sequence[ImageRow], images: Sequence[bytes]
    ) -> None:
        """Write one archive; equal rows and images give equal bytes."""

    @staticmethod
    @abstractmethod
    def read_archive(path: Path) -> Iterator[tuple[str, bytes]]:
        """Yield file name and bytes of each image of an archive; RunError at the first damage."""

    def put(self, shard: int, name: str, data: bytes) -> None:
        """Write an image to the shard's folder for staging."""
        path = self._staged(shard, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, data)

    def seal(self, shard: int, rows: Sequence[ImageRow]) -> None:
        """Pack the staged images of a shard into its archives."""
        for archive, held in self._filled(shard, rows):
            if not held and self.archives.numbering == "clone":
                continue  # earlier versions wrote no empty file
            images = [self._staged(shard, row.name).read_bytes() for row in held]
            path = self.root / archive.name(self.ending)
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as file:
                self.write_archive(file, held, images)

    def release(self, shard: int) -> None:
        """Delete the shard's folder of staged images."""
        shutil.rmtree(self.stage / f"{shard:05d}", ignore_errors=True)

    def files(self, shard: int, names: Iterable[str]) -> set[str]:
        """Return the paths of the shard's archives, whatever `names` is."""
        return {archive.name(self.ending) for archive in self.archives.of_shard(shard)}

    def read(self, shard: int, rows: Sequence[ImageRow]) -> Iterator[tuple[ImageRow, bytes | None]]:
        """Yield each row with an image and that file's bytes, None if it cannot be read."""
        for archive, held in self._filled(shard, rows):
            found: dict[str, bytes] = {}
            path = self.root / archive.name(self.ending)
            with contextlib.suppress(RunError):  # images before the damaged place are kept
                found.update(self.read_archive(path) if held else ())
            for row in held:
                yield row, found.get(row.name.rpartition("/")[2])

    def has(self, split: str) -> bool:
        """Return whether any archive of the split exists."""
        return any((self.root / "data").glob(f"{split}-*"))

    def images(self, split: str) -> Iterator[tuple[str, bytes]]:
        """Yield file name and bytes of each image in a split's archives."""
        for path in sorted(self.root.glob(self.pattern(split))):
            yield from self.read_archive(path)

    def finish(self, shards: RowsByShard) -> list[str]:
        """Write nothing: the metadata are in the archives."""
        return []

    def pattern(self, split: str) -> str:
        """Return the pattern of the split's archives."""
        return f"data/{split}-*.{self.ending}"

    def media(self, split: str) -> tuple[str, str]:
        """Return the media type of the archives and their glob pattern."""
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
    """Tars with `<stem>.jpg`, `<stem>.cls` (label) and `<stem>.json` (metadata) for each image."""

    ending: ClassVar[str] = "tar"
    media_type: ClassVar[str] = "application/x-tar"

    def write_archive(
        self, file: BinaryIO, rows: Sequence[ImageRow], images: Sequence[bytes]
    ) -> None:
        """Write one tar; equal rows and images give equal bytes."""
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
        """Yield file name and bytes of each image of a tar; RunError at the first damage."""
        try:
            with _opened(path) as file, tarfile.open(fileobj=file, mode="r:") as tar:
                for member in tar:
                    if member.issparse():  # it may unpack to any number of bytes
                        raise tarfile.ReadError(f"{member.name} is not stored whole")
                    if member.isreg() and member.name.endswith((".jpg", ".png")):
                        held = tar.extractfile(member)
                        yield member.name, held.read() if held else b""
            if not _is_whole(path):  # a tar cut off between two members raises nothing above
                raise tarfile.ReadError("its end is missing")
        except (OSError, ValueError, tarfile.TarError) as error:
            raise RunError(_damaged(path, error)) from None

    def loading(self, split: str) -> list[str]:
        """Return the lines that load a split by webdataset."""
        pattern = self.archives.pattern(split, self.ending)
        tars = f'sorted(glob.glob("{pattern}"))' if "*" in pattern else f'"{pattern}"'
        return [
            f"tars = {tars}",
            f"webdataset.WebDataset(tars, shardshuffle={self.archives.total(split)})"
            f'.decode("pil").to_tuple("{self.image_format}", "cls")',
        ]

    def fields(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return None: Croissant cannot describe which files of a tar belong to one sample."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parquet(ArchiveFormat):
    """Parquet files that contain the images, in the form that `datasets` reads and writes."""

    ending: ClassVar[str] = "parquet"
    media_type: ClassVar[str] = "application/x-parquet"

    def write_archive(
        self, file: BinaryIO, rows: Sequence[ImageRow], images: Sequence[bytes]
    ) -> None:
        """Write one Parquet file; equal rows and images give equal bytes."""
        write_images(file, rows, images, self.classes, self.extra_metadata)

    @staticmethod
    def read_archive(path: Path) -> Iterator[tuple[str, bytes]]:
        """Yield file name and bytes of each image of one file; RunError at the first damage."""
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
        """Return the lines that load a split by datasets."""
        files = f'{{"{split}": "{self.pattern(split)}"}}'
        return [f'datasets.load_dataset("parquet", data_files={files})']

    def fields(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return sources in two columns; column `image` is a record with `bytes` and `path`."""
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
        raise ValueError(f"there is no format {name}: type one of {', '.join(FORMATS)}")
    return name


Format = Annotated[str, AfterValidator(_known)]
"""A name in `FORMATS`."""


def _unpacked(metadata: Any) -> int:
    groups = (metadata.row_group(i) for i in range(metadata.num_row_groups))
    return sum(group.total_byte_size for group in groups)


def _checked(name: object, data: object) -> tuple[str, bytes]:
    if not isinstance(name, str) or not isinstance(data, bytes):
        raise TypeError("its column image holds no images")
    return name, data


def _opened(path: Path) -> BinaryIO:
    if path.exists() and not path.is_file():
        raise OSError("it is no file")
    return path.open("rb")


def _is_whole(path: Path) -> bool:
    """Return whether a tar ends with two blocks of zeros and has a whole number of records."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 2 * tarfile.BLOCKSIZE))
        end = file.read()
    return size % tarfile.RECORDSIZE == 0 and not any(end)


def _damaged(path: Path, error: Exception) -> str:
    said = one_line(error)
    return f"{path} is damaged or missing ({said}): type 'rldf clone verify FOLDER --repair'"


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, BytesIO(data))
