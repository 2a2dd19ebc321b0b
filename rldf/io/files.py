"""Reads and writes files: atomic writes, JSON lines, checksums, locks.

A file is written under a temporary name in the same folder, flushed to the disk, and renamed. If
the process is killed before that, the old file is unchanged. A line of a JSONL file is valid once
it ends with a newline.
"""

import contextlib
import errno
import hashlib
import json
import os
import stat
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from rldf.errors import RunError

TEMPORARY = ".rldf-*.tmp"  # names of files that `replacing` leaves if its process is killed


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces `path` when the block ends without an error.

    Yields:
        The temporary file, open for writing bytes.
    """
    temporary = path.with_name(TEMPORARY.replace("*", uuid.uuid4().hex))
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically, as `replacing` does."""
    with replacing(path) as file:
        file.write(data)


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8 atomically, as `replacing` does."""
    # a file name in the text may have bytes that are not UTF-8; Python reads them as surrogates
    write_bytes(path, text.encode("utf-8", errors="backslashreplace"))


def write_json(path: Path, value: object) -> None:
    """Write an indented JSON file atomically, as `replacing` does."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_file(path: Path) -> bytes:
    """Read a file from an untrusted folder; OSError for a device or a pipe."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "this is a device or a pipe, not a file", str(path))
    return path.read_bytes()


def parse_json(data: str | bytes) -> Any:
    """Parse an untrusted JSON document; ValueError if it is wrong or nested too deeply."""
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def append_jsonl(path: Path, row: Mapping[str, object]) -> None:
    """Append one line to a JSONL file and close the file."""
    line = json.dumps(row, allow_nan=False, separators=(",", ":")) + "\n"
    with open(path, "ab", opener=_open_own) as file:
        file.write(line.encode("ascii"))


def _open_own(path: str, flags: int) -> int:
    """Open a file for writing; OSError if it is a link or a pipe without a reader."""
    own = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    return os.open(path, flags | own, 0o666)


def read_lines(path: Path) -> list[bytes]:
    """Return the lines of a file that end with a newline; [] if the file is missing."""
    try:
        return read_file(path).split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from None


def truncate_jsonl(path: Path, n_lines: int) -> None:
    """Keep the first `n_lines` lines of a JSONL file and delete the rest."""
    lines = read_lines(path)
    if not 0 <= n_lines <= len(lines):
        raise RunError(f"{path} has {len(lines)} lines: it cannot be cut to {n_lines}")
    write_bytes(path, b"".join(line + b"\n" for line in lines[:n_lines]))


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold a lock during the block; the system releases it if this process is killed.

    Args:
        path: the lock file.
        wait: whether to wait if another process holds the lock, instead of raising RunError.
    """
    lock = _lock(path)
    try:
        lock.acquire(blocking=wait)
    except Timeout:
        raise RunError(
            f"{path.parent} is locked by another rldf process: wait for it to finish, or use a "
            "different --out"
        ) from None
    try:
        yield
    finally:
        lock.release()


def is_locked(path: Path) -> bool:
    """Return whether any process holds the lock of a lock file."""
    if not path.exists():
        return False
    try:
        with _lock(path).acquire(blocking=False):
            return False
    except (Timeout, PermissionError):
        return True
    except OSError:
        return False


def _lock(path: Path) -> FileLock:
    # filelock's soft lock, for file systems without locks, would remain after a killed process.
    return FileLock(path, fallback_to_soft=False, preserve_lock_file=True, thread_local=False)


def sweep(folder: Path) -> None:
    """Delete the temporary files that killed processes left in a folder."""
    for leftover in folder.glob(TEMPORARY):
        leftover.unlink(missing_ok=True)
