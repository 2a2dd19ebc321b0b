"""Looks up and fetches models on the Hugging Face hub; every failure is a `ModelMissingError`.

huggingface_hub's own settings apply: HF_ENDPOINT (the hub's address), HF_TOKEN or `hf auth login`
(the token), HF_HUB_OFFLINE (no requests) and HF_HOME (where files are kept).
"""

import contextlib
import errno
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from rldf.errors import ModelMissingError
from rldf.io.files import parse_json, sha256_file
from rldf.io.text import one_line
from rldf.models.lock import LockedFile, Sha256
from rldf.models.repo_files import INDEX
from rldf.models.resumable_download import complete, remove
from rldf.models.schema import Commit, FileName

_MOST_INDEX = 1_000_000  # bytes
_NAME, _COMMIT, _SHA256 = TypeAdapter(FileName), TypeAdapter(Commit), TypeAdapter(Sha256)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository on the hub.

    Attributes:
        name: its path in the repository.
        size: its size, bytes.
        sha256: SHA-256 of its contents, for large files; None for small ones.
        blob: git's blob hash, for small files; None for large ones.
    """

    name: str
    size: int
    sha256: str | None
    blob: str | None

    def is_in(self, path: Path) -> bool:
        """Return whether the file at `path` has this file's size and checksum."""
        if path.stat().st_size != self.size:
            return False
        if self.sha256 is not None:
            return sha256_file(path) == self.sha256
        data = path.read_bytes()
        return self.blob in (None, hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest())


@dataclass(frozen=True, slots=True)
class Repository:
    """One commit of a repository on the hub.

    Attributes:
        id: the repository's name, OWNER/NAME.
        revision: the commit's hash.
        license: the licence that its model card names, or "".
        files: the commit's files by name.
    """

    id: str
    revision: str
    license: str
    files: dict[str, RemoteFile]


def look_up(id: str, revision: str | None, again: str) -> Repository:
    """Ask the hub for a repository's commit, licence and list of files.

    Args:
        id: the repository's name, OWNER/NAME.
        revision: the commit's hash; None for the newest commit.
        again: the command that an error message asks the user to type.

    Raises:
        ModelMissingError: if the hub does not give them.
    """
    from huggingface_hub import HfApi

    with asking(id, revision, again):
        info: Any = HfApi().model_info(id, revision=revision, files_metadata=True)
        commit = _COMMIT.validate_python(info.sha)
        if revision not in (None, commit):
            raise ModelMissingError(
                f"the hub answered with commit {commit} of {id} instead of {revision}: type {again}"
            )
        card = info.card_data
        files = [_remote(sibling) for sibling in info.siblings or ()]
        return Repository(
            id=id,
            revision=commit,
            license=str(getattr(card, "license", None) or ""),
            files={file.name: file for file in files if file is not None},
        )


def _remote(sibling: Any) -> RemoteFile | None:
    try:
        name = _NAME.validate_python(sibling.rfilename)
    except ValidationError:  # nothing that a model needs is named so
        return None
    try:  # it names the file in the cache
        sha256 = None if sibling.lfs is None else _SHA256.validate_python(sibling.lfs.sha256)
    except ValidationError:
        raise ValueError(f"{name} has no SHA-256: {str(sibling.lfs.sha256)[:70]}") from None
    return RemoteFile(name, int(sibling.size), sha256, None if sha256 else sibling.blob_id)


def read_index(repository: Repository, again: str) -> dict[str, Any] | None:
    """Fetch and parse a pipeline's model_index.json; None if the repository has none."""
    file = repository.files.get(INDEX)
    if file is None:
        return None
    with asking(repository.id, repository.revision, again):
        if file.size > _MOST_INDEX:
            raise ValueError(f"{INDEX} has {file.size} bytes")
        found = parse_json(fetch(repository, file, again).read_bytes())
        if not isinstance(found, dict):
            raise ValueError(f"{INDEX} holds no JSON object")
        return found


def fetch(repository: Repository, file: RemoteFile, again: str) -> Path:
    """Fetch a file into huggingface_hub's cache unless it is there, check it, return its path."""
    from huggingface_hub import hf_hub_download, try_to_load_from_cache

    id, revision = repository.id, repository.revision
    with asking(id, revision, again):
        was_here = isinstance(try_to_load_from_cache(id, file.name, revision=revision), str)
        if not was_here and file.sha256 is not None:
            was_here = not complete(id, revision, file.name, file.size, file.sha256)
        path = Path(hf_hub_download(id, file.name, revision=revision))
        if file.is_in(path):
            return path
        remove(id, path)
        if was_here:
            return fetch(repository, file, again)
        raise ModelMissingError(
            f"{file.name} of {id} arrived damaged and was removed: type {again}"
        )


def locked_file(file: RemoteFile, path: Path) -> LockedFile:
    """Make the lock file's entry for a file that `fetch` has returned."""
    return LockedFile(size=file.size, sha256=file.sha256 or sha256_file(path))


@contextlib.contextmanager
def asking(id: str, revision: str | None, again: str) -> Iterator[None]:
    """Turn every exception of a block that asks the hub into a one-line `ModelMissingError`."""
    try:
        yield
    except ModelMissingError:
        raise
    except Exception as error:  # of the network, the disk, the hub or what it answered
        raise ModelMissingError(_explain(error, id, revision, again)) from error


def _explain(error: Exception, id: str, revision: str | None, again: str) -> str:
    from huggingface_hub import constants, errors

    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return (
            f"the disk of {constants.HF_HUB_CACHE} is full, while {id} was fetched: free space, or "
            f"set HF_HOME to a folder on another disk; what has arrived is kept; then type {again}"
        )
    if isinstance(error, errors.LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
        return _explain(error.__cause__, id, revision, again)
    if isinstance(error, errors.GatedRepoError):
        return (
            f"{id} is gated: accept its licence at https://huggingface.co/{id}, type "
            f"'hf auth login', then {again}"
        )
    status = error.response.status_code if isinstance(error, errors.HfHubHTTPError) else None
    absent = (errors.RepositoryNotFoundError, errors.DisabledRepoError)
    if isinstance(error, absent) or status == 401:  # the answer for what strangers may not see
        return (
            f"{id} is not on the hub: it was removed or renamed, or is private; if it is private, "
            "type 'hf auth login', else name a mirror of it in a model set of your own"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return (
            f"{id} has no commit {revision} any more: name another commit in a model set of your "
            "own"
        )
    if isinstance(error, errors.RemoteEntryNotFoundError):
        return f"{id} lacks a file that it lists: type {again}"
    if isinstance(error, errors.OfflineModeIsEnabled):
        return (
            f"{id} is not on this machine, and HF_HUB_OFFLINE forbids fetching it: unset "
            f"HF_HUB_OFFLINE, then type {again}"
        )
    if status is not None:
        return f"the hub answers {status} for {id}: wait, then type {again}"
    return f"{id} could not be fetched ({one_line(error)}): what has arrived is kept; type {again}"
