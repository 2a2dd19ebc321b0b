"""Files that are whole or not there: atomic writes, JSON lines, checksums, locks.

A file is written under a temporary name in its own folder, flushed to the disk, and moved to its
name; whoever is killed between leaves the old file as it was. A line of a JSONL file counts once
its newline is there.
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

TEMPORARY = ".rldf-*.tmp"  # what `replacing` leaves behind when its process is killed


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing whose name appears, or is replaced, once the block has ended well.

    Yields:
        A file to write bytes to.
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
    """Write a file whole."""
    with replacing(path) as file:
        file.write(data)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole, in UTF-8."""
    # file names may hold bytes that are no UTF-8, which Python carries as lone surrogates
    write_bytes(path, text.encode("utf-8", errors="backslashreplace"))


def write_json(path: Path, value: object) -> None:
    """Write a JSON file whole, indented for people."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_file(path: Path) -> bytes:
    """Read a file of a folder that may be a stranger's."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "it is a device or a pipe, not a file", str(path))
    return path.read_bytes()


def parse_json(data: str | bytes) -> Any:
    """Parse a JSON document that may be a stranger's."""
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def sha256_file(path: Path) -> str:
    """Sum up a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def append_jsonl(path: Path, row: Mapping[str, object]) -> None:
    """Add one line to a JSONL file, so that it survives the end of this process."""
    line = json.dumps(row, allow_nan=False, separators=(",", ":")) + "\n"
    with open(path, "ab", opener=_open_own) as file:
        file.write(line.encode("ascii"))


def _open_own(path: str, flags: int) -> int:
    """Open a file to write, but not what a link leads to, nor a pipe that nobody reads."""
    own = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    return os.open(path, flags | own, 0o666)


def read_lines(path: Path) -> list[bytes]:
    """Read the finished lines of a file; a last one without a newline was torn and is left out."""
    try:
        return read_file(path).split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from None


def truncate_jsonl(path: Path, n_lines: int) -> None:
    """Keep the first lines of a JSONL file and drop the rest, a torn last line included."""
    lines = read_lines(path)
    if not 0 <= n_lines <= len(lines):
        raise RunError(f"{path} has {len(lines)} lines: cannot go back to line {n_lines}")
    write_bytes(path, b"".join(line + b"\n" for line in lines[:n_lines]))


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold a lock that the system takes back when this process ends, however it ends."""
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
    """Tell whether somebody holds a lock."""
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
    # The fall-back, for file systems without locks, would outlive a killed process.
    return FileLock(path, fallback_to_soft=False, preserve_lock_file=True, thread_local=False)


def sweep(folder: Path) -> None:
    """Remove the temporary files that killed processes left in a folder."""
    for leftover in folder.glob(TEMPORARY):
        leftover.unlink(missing_ok=True)
