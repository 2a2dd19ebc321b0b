"""Checksums of models on the disk."""

import contextlib
import hashlib
import re
import time
from pathlib import Path

from rldf.io.files import sha256_file, write_text
from rldf.io.paths import cache_folder
from rldf.models.repo_files import TEXTS, WEIGHTS

_NOT_LOADED = ("training.json", "README", "LICENSE", "NOTICE", ".")  # beginnings of file names
_LARGE = 50_000_000  # bytes; checksums of files of at least this size are cached
_SETTLED = 5  # s; a file changed more recently may change again with the same time stamp


def checksum_of(path: Path) -> str:
    """Compute one SHA-256 over the names and checksums of a model's weights and configuration.

    The checksums of large files are cached by path, inode, size, mtime and ctime. ctime is part of
    the key because, unlike mtime, the owner of a file cannot set it.
    """
    files = [path] if path.is_file() else loaded_files(path)
    total = hashlib.sha256()
    for file in files:
        total.update(f"{file.relative_to(path.parent)} {_sha256(file)}\n".encode())
    return total.hexdigest()


def loaded_files(folder: Path) -> list[Path]:
    """List a model folder's files that decide its output: weights and configuration."""
    return sorted(path for path in folder.rglob("*") if _is_loaded(path))


def _is_loaded(file: Path) -> bool:
    named = file.suffix in (*WEIGHTS, *TEXTS) and not file.name.startswith(_NOT_LOADED)
    return named and file.is_file()


def _sha256(file: Path) -> str:
    now, seen = time.time(), file.stat()
    if seen.st_size < _LARGE:
        return sha256_file(file)
    marks = (file.resolve(), seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
    note = cache_folder() / "checksums" / hashlib.sha256(repr(marks).encode()).hexdigest()
    with contextlib.suppress(OSError, UnicodeDecodeError):
        known = note.read_text("ascii")
        if re.fullmatch(r"[0-9a-f]{64}", known):
            return known
    found = sha256_file(file)
    if max(seen.st_mtime, seen.st_ctime) < now - _SETTLED:
        with contextlib.suppress(OSError):  # without a cache it is only slower
            note.parent.mkdir(parents=True, exist_ok=True)
            write_text(note, found)
    return found
