"""Lock files: which commit and which bytes of the hub's models a model set stands for.

The first pull settles what a model set file leaves open and writes it down: the commit of every
model, and size and SHA-256 of every file. Later pulls, and loading, take that and nothing else.
Shipped sets have their lock files in the user's data folder; that of a user's own `mine.yaml` is
`mine.lock.json` beside it. The files themselves stay in the cache of huggingface_hub.
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
    """Name the folder of a repository in huggingface_hub's cache."""
    return f"models--{id.replace('/', '--')}"


class LockedFile(Strict):
    """One file.

    Attributes:
        size: in bytes.
        sha256: of its contents.
    """

    size: Annotated[int, Field(ge=0)]
    sha256: Sha256


class LockedSource(Strict):
    """One model of the hub.

    Attributes:
        id: its name there.
        revision: its commit.
        file: the only file of it that is wanted, if the set says so.
        license: what its authors allowed when it was pulled.
        files: by name in the repository.
    """

    id: HubId
    revision: Commit
    file: FileName | None = None
    license: str = ""
    files: dict[FileName, LockedFile] = Field(min_length=1)

    def is_of(self, source: Source) -> bool:
        """Tell whether a model set file still asks for this."""
        pinned = source.revision in (None, self.revision)
        return pinned and (self.id, self.file) == (source.id, source.file)

    @property
    def folder(self) -> Path:
        """Where huggingface_hub keeps the commit."""
        from huggingface_hub import constants

        return Path(constants.HF_HUB_CACHE) / cache_name(self.id) / "snapshots" / self.revision

    @property
    def path(self) -> Path:
        """The folder, or the only file in it."""
        return self.folder if self.file is None else self.folder / self.file

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files.values())

    def missing(self) -> list[str]:
        """List the files that are not on the disk, or not in their size."""
        return [name for name, file in self.files.items() if not self._is_there(name, file.size)]

    def changed(self) -> list[str]:
        """Read all files, and list those that are not what was pulled."""
        gone = self.missing()
        return gone + [
            name
            for name, file in self.files.items()
            if name not in gone and sha256_file(self.folder / name) != file.sha256
        ]

    def digest(self) -> str:
        """Sum up the commit's files."""
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
    """A lock file.

    Attributes:
        path: where it lies, whether it is there or not.
    """

    path: Path

    def read(self) -> dict[str, LockedSource]:
        """Read it."""
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
        """Write what was pulled; two pulls at the same time lose nothing of each other's."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with locked(self.path.with_name(f".{self.path.name}.guard"), wait=True):
                known = {**self.read(), key: source}
                write_json(self.path, {"sources": {k: s.model_dump() for k, s in known.items()}})
        except OSError as error:
            raise ConfigError(
                f"lock file {self.path} cannot be written: {error.strerror}; give RLDF_DATA a "
                "folder, or put a model set of your own where you may write"
            ) from None

    def _damaged(self, reason: str) -> ConfigError:
        return ConfigError(
            f"lock file {self.path} is damaged ({reason}): remove it and pull the model set again"
        )
