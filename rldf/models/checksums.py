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
_LARGE = 50_000_000  # bytes, from which on a checksum is remembered
_SETTLED = 5  # s; younger changes may share a time stamp with the next ones


def checksum_of(path: Path) -> str:
    """Hash a model's files: weights and configuration.

    The checksums of large files are remembered in the cache for as long as a file's place, size and
    times stay the same; the time of the last change of a file is not for its owner to set.
    """
    files = [path] if path.is_file() else loaded_files(path)
    total = hashlib.sha256()
    for file in files:
        total.update(f"{file.relative_to(path.parent)} {_sha256(file)}\n".encode())
    return total.hexdigest()


def loaded_files(folder: Path) -> list[Path]:
    """List the files of a folder that make a model: weights and configuration."""
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
