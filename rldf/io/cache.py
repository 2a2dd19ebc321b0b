"""A bounded, content-addressed cache on disk.

    <folder>/<two hex digits>/<key>.<ending>

A key is the SHA-256 of everything that decides a value, so an entry never goes stale. Entries
appear under their final name only when whole; whoever reads one checks it, and computes it again
where it is damaged. When the cache grows past its limit, the entries that were not used longest
are removed. If the folder is not writable, one warning is logged and nothing more is kept. Two
processes may share a folder.
"""

import contextlib
import hashlib
import json
import logging
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from rldf.io.files import write_bytes
from rldf.io.text import plain

T = TypeVar("T")

_KEY = re.compile(r"[0-9a-f]{64}")
_log = logging.getLogger(__name__)


def key_of(*deciding: object) -> str:
    """Make a key, 64 hexadecimal digits, of everything that decides a value, as JSON can say it."""
    return sha256_json(deciding)


def sha256_json(value: object) -> str:
    """Give the SHA-256 of a value as JSON without spaces, keys sorted."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class DiskCache:
    """A folder of entries by key."""

    def __init__(
        self, folder: Path, limit: int | None, *, what: str = "results", shrink_every: int = 1
    ) -> None:
        """Describe a cache.

        Args:
            folder: where it is; made when first written to.
            limit: bytes to keep; None for entries that are never removed.
            what: what is kept, for the warning ("images").
            shrink_every: writes from one look at the size to the next.
        """
        self.folder = folder
        self._limit, self._what, self._every = limit, what, shrink_every
        self._writes = 0
        self._writable = True

    def path(self, key: str, ending: str) -> Path:
        """Name the file of an entry, whether it is there or not."""
        return self.folder / key[:2] / f"{key}.{ending}"

    def read(self, key: str, ending: str, decode: Callable[[Path], T | None]) -> T | None:
        """Read an entry and note that it was used; None where it is missing or damaged.

        Args:
            key: the entry's.
            ending: of its file.
            decode: reads the file; whatever it raises, or None, means that the entry is damaged.
        """
        path = self.path(key, ending)
        try:
            value = decode(path)
        except Exception:  # a damaged file may raise anything
            return None
        if value is not None:
            with contextlib.suppress(OSError):  # another's folder, or read-only
                os.utime(path)
        return value

    def store(self, key: str, ending: str, data: bytes) -> None:
        """Write an entry, and remove old ones where the cache is too large.

        Raises:
            OSError: it cannot be written.
        """
        path = self.path(key, ending)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, data)
        self._writes += 1
        if self._limit is not None and (self._writes - 1) % self._every == 0:
            self.shrink(self._limit, keep=path)

    def try_store(self, key: str, ending: str, data: bytes) -> None:
        """Write an entry as `store` does; where that fails, warn once and keep nothing more."""
        if not self._writable:
            return
        try:
            self.store(key, ending, data)
        except OSError as error:
            self._writable = False
            _log.warning(
                "%s: %s; going on without keeping %s: free space there, or name another folder "
                "in RLDF_CACHE",
                plain(str(self.folder)),
                error.strerror or error,
                self._what,
            )

    def entries(self) -> Iterator[Path]:
        """List the files of all entries; other files in the folder are none."""
        for path in self.folder.glob("??/*.*"):
            if _KEY.fullmatch(path.stem):
                yield path

    def usage(self) -> tuple[int, int]:
        """Count the entries and their bytes."""
        sizes = [size for _, _, size in self._stats()]
        return len(sizes), sum(sizes)

    def shrink(self, limit: int, keep: Path | None = None) -> int:
        """Remove the entries that were not used longest until the rest fits, and count them.

        Args:
            limit: bytes that may stay.
            keep: an entry that stays.
        """
        known = sorted(self._stats())
        total, removed = sum(size for _, _, size in known), 0
        for _, path, size in known:
            if total <= limit:
                break
            if path != keep:
                path.unlink(missing_ok=True)
                total -= size
                removed += 1
        return removed

    def _stats(self) -> list[tuple[float, Path, int]]:
        """Last use, path and size of every entry that no other process removes meanwhile."""
        found = []
        for path in self.entries():
            with contextlib.suppress(OSError):
                stat = path.stat()
                found.append((stat.st_mtime, path, stat.st_size))
        return found
