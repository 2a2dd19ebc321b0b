"""A bounded, content-addressed cache on disk.

    <folder>/<two hex digits>/<key>.<ending>

A key is the SHA-256 of everything that determines the value, so an entry is never out of date. An
entry has its final name only when it is complete. `read` returns None for a damaged entry, and the
caller computes the value again. If the cache is larger than its limit, the least recently used
entries are deleted. If the folder is not writable, `try_store` logs one warning and stores nothing
more. Several processes may share a folder.
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
    """Return the key, 64 hexadecimal digits, of the JSON values that determine a cached value."""
    return sha256_json(deciding)


def sha256_json(value: object) -> str:
    """Return the SHA-256 of a value written as JSON without spaces, with sorted keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class DiskCache:
    """A folder of files, each the value of a key."""

    def __init__(
        self, folder: Path, limit: int | None, *, what: str = "results", shrink_every: int = 1
    ) -> None:
        """Describe a cache; nothing is read or written.

        Args:
            folder: folder of the cache; the first write creates it.
            limit: greatest size in bytes; None for no limit.
            what: name of the values for the warning, such as "images".
            shrink_every: number of writes between two checks of the size.
        """
        self.folder = folder
        self._limit, self._what, self._every = limit, what, shrink_every
        self._writes = 0
        self._writable = True

    def path(self, key: str, ending: str) -> Path:
        """Return the path of an entry's file, which need not exist."""
        return self.folder / key[:2] / f"{key}.{ending}"

    def read(self, key: str, ending: str, decode: Callable[[Path], T | None]) -> T | None:
        """Return the value of an entry and mark it as used; None if it is missing or damaged.

        Args:
            key: key of the entry.
            ending: extension of its file.
            decode: reads the file; if it raises or returns None, the entry is damaged.
        """
        path = self.path(key, ending)
        try:
            value = decode(path)
        except Exception:  # a damaged file may raise anything
            return None
        if value is not None:
            with contextlib.suppress(OSError):  # the folder is another user's, or read-only
                os.utime(path)
        return value

    def store(self, key: str, ending: str, data: bytes) -> None:
        """Write an entry, and delete the least recently used ones if the cache is too large.

        Raises:
            OSError: the entry cannot be written.
        """
        path = self.path(key, ending)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, data)
        self._writes += 1
        if self._limit is not None and (self._writes - 1) % self._every == 0:
            self.shrink(self._limit, keep=path)

    def try_store(self, key: str, ending: str, data: bytes) -> None:
        """Write an entry as `store` does; if that fails, log a warning and store nothing more."""
        if not self._writable:
            return
        try:
            self.store(key, ending, data)
        except OSError as error:
            self._writable = False
            _log.warning(
                "%s: %s; continuing without storing %s: free space there, or name another folder "
                "in RLDF_CACHE",
                plain(str(self.folder)),
                error.strerror or error,
                self._what,
            )

    def entries(self) -> Iterator[Path]:
        """Yield the file of each entry; other files in the folder are ignored."""
        for path in self.folder.glob("??/*.*"):
            if _KEY.fullmatch(path.stem):
                yield path

    def usage(self) -> tuple[int, int]:
        """Return the number of entries and their total bytes."""
        sizes = [size for _, _, size in self._stats()]
        return len(sizes), sum(sizes)

    def shrink(self, limit: int, keep: Path | None = None) -> int:
        """Delete the least recently used entries until the rest is at most `limit` bytes.

        Args:
            limit: greatest total size that may remain, in bytes.
            keep: file of an entry that is not deleted.

        Returns:
            The number of deleted entries.
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
        """Return time of last use, path and size of each entry that still exists."""
        found = []
        for path in self.entries():
            with contextlib.suppress(OSError):
                stat = path.stat()
                found.append((stat.st_mtime, path, stat.st_size))
        return found
