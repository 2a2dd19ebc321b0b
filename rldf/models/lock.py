"""Lock files: the commit and the files' checksums of each model that was pulled from the hub.

The first pull writes into the lock file the commit of every model, and size and SHA-256 of every
file. Later pulls and loading accept no other commit and no other files. The lock files of shipped
model sets are in the user's data folder; that of a user's own `mine.yaml` is `mine.lock.json`
beside it. The model files themselves are in the cache of huggingface_hub.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError

from rldf.errors import ConfigError
from rldf.io.files import locked, parse_json, sha256_file, write_json
from rldf.io.text import one_line
from rldf.io.yaml import Strict, problems_of
from rldf.models.schema import Commit, FileName, HubId, Source

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

_MOST_BYTES = 4_000_000


def cache_name(id: str) -> str:
    """Return the name of a repository's folder in huggingface_hub's cache."""
    return f"models--{id.replace('/', '--')}"


class LockedFile(Strict):
    """One file of a pulled model.

    Attributes:
        size: its size, bytes.
        sha256: SHA-256 of its contents.
    """

    size: Annotated[int, Field(ge=0)]
    sha256: Sha256


class LockedSource(Strict):
    """One model that was pulled from the hub.

    Attributes:
        id: its repository's name, OWNER/NAME.
        revision: the commit's hash.
        file: the only file that was pulled, if the model set file names one.
        license: its licence when it was pulled.
        files: the pulled files by their path in the repository.
    """

    id: HubId
    revision: Commit
    file: FileName | None = None
    license: str = ""
    files: dict[FileName, LockedFile] = Field(min_length=1)

    def is_of(self, source: Source) -> bool:
        """Return whether repository, commit and file are those that a model set file asks for."""
        pinned = source.revision in (None, self.revision)
        return pinned and (self.id, self.file) == (source.id, source.file)

    @property
    def folder(self) -> Path:
        """The commit's folder in huggingface_hub's cache."""
        from huggingface_hub import constants

        return Path(constants.HF_HUB_CACHE) / cache_name(self.id) / "snapshots" / self.revision

    @property
    def path(self) -> Path:
        """What a model is loaded from: the commit's folder, or its only pulled file."""
        return self.folder if self.file is None else self.folder / self.file

    @property
    def size(self) -> int:
        """Total size of all files, bytes."""
        return sum(file.size for file in self.files.values())

    def missing(self) -> list[str]:
        """List the files that are not on the disk, or have another size there."""
        return [name for name, file in self.files.items() if not self._is_there(name, file.size)]

    def changed(self) -> list[str]:
        """Read all files, and list those that are missing or have another checksum."""
        gone = self.missing()
        return gone + [
            name
            for name, file in self.files.items()
            if name not in gone and sha256_file(self.folder / name) != file.sha256
        ]

    def digest(self) -> str:
        """Compute one SHA-256 over the names and checksums of all files."""
        lines = [f"{name} {file.sha256}\n" for name, file in sorted(self.files.items())]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def _is_there(self, name: str, size: int) -> bool:
        try:
            return (self.folder / name).stat().st_size == size
        except OSError:
            return False


class _LockFile(Strict):
    sources: dict[str, LockedSource]


@dataclass(frozen=True, slots=True)
class Lock:
    """Reads and writes a model set's lock file.

    Attributes:
        path: the lock file, which need not exist yet.
    """

    path: Path

    def read(self) -> dict[str, LockedSource]:
        """Read the pulled models by part; {} if there is no lock file.

        Raises:
            ConfigError: if the lock file is damaged.
        """
        try:
            with self.path.open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
            if len(data) > _MOST_BYTES:
                raise ValueError(f"larger than {_MOST_BYTES} bytes")
            return _LockFile.model_validate(parse_json(data)).sources
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except ValidationError as error:
            raise self._damaged(problems_of(error)[0]) from None
        except (OSError, ValueError) as error:
            raise self._damaged(one_line(error)) from None

    def add(self, key: str, source: LockedSource) -> None:
        """Add a pulled model under a part's key; concurrent pulls keep each other's entries."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with locked(self.path.with_name(f".{self.path.name}.guard"), wait=True):
                known = {**self.read(), key: source}
                write_json(self.path, {"sources": {k: s.model_dump() for k, s in known.items()}})
        except OSError as error:
            raise ConfigError(
                f"lock file {self.path} cannot be written: {error.strerror}: for a shipped model "
                "set, set RLDF_DATA to a folder that you may write to; for a model set of your "
                "own, move its file to such a folder"
            ) from None

    def _damaged(self, reason: str) -> ConfigError:
        return ConfigError(
            f"lock file {self.path} is damaged ({reason}): remove it, then pull the model set again"
        )
