"""Archive files: WebDataset tars and Parquet files. Equal images give equal bytes."""

import json
import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from rldf.dataset.manifest import ImageRow
from rldf.dataset.table import row_document, write_images
from rldf.errors import RunError
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
