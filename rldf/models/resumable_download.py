"""Fetches one large file of the hub so that the next try goes on where the last one stopped.

huggingface_hub gives every try a file of its own, and throws it away when the try fails or the
person stops it. Here what has arrived stays beside the file's place in huggingface_hub's cache,
under the name that huggingface_hub itself used until its version 2, and only the rest is asked for.
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
    """Keep huggingface_hub from telling each retry, and from drawing bars."""
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]
    from huggingface_hub.utils.logging import set_verbosity

    set_verbosity(logging.ERROR)
    if not bars:
        disable_progress_bars()


def complete(id: str, revision: str, name: str, size: int, sha256: str) -> bool:
    """Have a large file in huggingface_hub's cache; its contents are for the caller to check."""
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
    """Remove a file from huggingface_hub's cache, never one that lies elsewhere."""
    from huggingface_hub import constants

    blob, blobs = path.resolve(), Path(constants.HF_HUB_CACHE) / cache_name(id) / "blobs"
    if blob.parent == blobs.resolve():
        blob.unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _rest_arrived(file: BinaryIO, url: str, name: str, size: int) -> bool:
    """Fetch what a file lacks; False if it was cut again, but got further."""
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
    """Give the place of a file in the cache, while nobody else fetches it."""
    from huggingface_hub import constants

    cache, folder = Path(constants.HF_HUB_CACHE), cache_name(id)
    blob = cache / folder / "blobs" / sha256
    lock = cache / ".locks" / folder / f"{sha256}.lock"  # huggingface_hub's own
    for place in (blob, lock):
        place.parent.mkdir(parents=True, exist_ok=True)
    with locked(lock, wait=True):
        yield blob
