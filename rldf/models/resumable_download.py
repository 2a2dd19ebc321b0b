"""Fetches one large file of the hub so that the next try goes on where the last one stopped.

huggingface_hub writes every try into a new file, and removes it when the try fails or is stopped.
This module keeps the bytes that have arrived in huggingface_hub's cache, as `<sha256>.incomplete`
(the name that huggingface_hub itself used before its version 2), and asks only for the rest.
"""

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from rldf.io.files import locked
from rldf.models.lock import cache_name


def silence(*, bars: bool) -> None:
    """Keep huggingface_hub from logging retries and, unless `bars`, from showing progress bars."""
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]
    from huggingface_hub.utils.logging import set_verbosity

    set_verbosity(logging.ERROR)
    if not bars:
        disable_progress_bars()


def complete(id: str, revision: str, name: str, size: int, sha256: str) -> bool:
    """Fetch a large file into huggingface_hub's cache; the caller has to check its contents.

    Returns:
        True if it was fetched, False if it was there already.
    """
    from huggingface_hub import hf_hub_url

    with _alone(id, sha256) as blob:
        if blob.exists():
            return False
        part = blob.with_name(f"{sha256}.incomplete")
        with part.open("ab") as file:
            if file.tell() > size:
                file.truncate(0)
                file.seek(0)
            while not _rest_arrived(file, hf_hub_url(id, name, revision=revision), name, size):
                pass
        os.replace(part, blob)
    return True


def remove(id: str, path: Path) -> None:
    """Remove a snapshot's file and, if it links into the cache's blobs, that blob too."""
    from huggingface_hub import constants

    blob, blobs = path.resolve(), Path(constants.HF_HUB_CACHE) / cache_name(id) / "blobs"
    if blob.parent == blobs.resolve():
        blob.unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _rest_arrived(file: BinaryIO, url: str, name: str, size: int) -> bool:
    """Fetch the missing end of a file; False if the connection broke after some of it arrived."""
    # http_get is not exported: hf_hub_download, which is, keeps no part of a file between tries.
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    before = file.tell()
    try:
        http_get(
            url, file, resume_size=before, expected_size=size, displayed_filename=name,
            headers=build_hf_headers() | {"Accept-Encoding": "identity"},
        )  # fmt: skip
    except Exception:  # it tries again by itself after most failures, but not after all
        if not before < file.tell() < size:
            raise
        return False
    return True


@contextlib.contextmanager
def _alone(id: str, sha256: str) -> Iterator[Path]:
    """Lock a file of the cache against other downloads, and yield its path."""
    from huggingface_hub import constants

    cache, folder = Path(constants.HF_HUB_CACHE), cache_name(id)
    blob = cache / folder / "blobs" / sha256
    lock = cache / ".locks" / folder / f"{sha256}.lock"  # huggingface_hub's own
    for place in (blob, lock):
        place.parent.mkdir(parents=True, exist_ok=True)
    with locked(lock, wait=True):
        yield blob
