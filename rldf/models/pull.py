"""Fetches the models of a model set from the hub and writes their commits into its lock file."""

import shlex
from dataclasses import dataclass

from rldf.errors import ConfigError, ModelMissingError
from rldf.models.hub import RemoteFile, Repository, fetch, locked_file, look_up, read_index
from rldf.models.lock import LockedSource
from rldf.models.model_sets import ModelSet
from rldf.models.repo_files import wanted
from rldf.models.schema import Source


@dataclass(frozen=True, slots=True)
class Order:
    """One model to fetch.

    Attributes:
        key: part or component of the model set, such as "generator" or "generator.vae".
        source: the model set file's entry for it.
        repository: the commit to fetch.
        files: the files to fetch.
        license: the model's licence.
        locked: the lock file's entry, which the fetched files must match; None for a first pull.
    """

    key: str
    source: Source
    repository: Repository
    files: tuple[RemoteFile, ...]
    license: str
    locked: LockedSource | None

    @property
    def size(self) -> int:
        """Total size of all files, bytes."""
        return sum(file.size for file in self.files)


def orders(models: ModelSet, *, update: bool = False) -> list[Order]:
    """List the models of a model set that have to be fetched.

    Args:
        models: the model set.
        update: whether to ask for the newest commits in place of those in the lock file.
    """
    return [
        _order(models, key, source, update=update)
        for key, source in models.file.hub_sources().items()
        if update or key not in models.locked or models.locked[key].missing()
    ]


def _order(models: ModelSet, key: str, source: Source, *, update: bool) -> Order:
    assert source.id is not None, "hub_sources gives models of the hub alone"
    locked = None if update else models.locked.get(key)
    again = _command(models)
    repository = look_up(source.id, locked.revision if locked else source.revision, again)
    index = None if source.file else read_index(repository, again)
    kind = models.file.parts()[key].kind if "." not in key else ""
    try:
        names = wanted(kind, repository.files.keys(), source.file, index)
    except ConfigError as error:
        raise ConfigError(f"{key}: {source.id} cannot be used: {error}") from None
    order = Order(
        key=key,
        source=source,
        repository=repository,
        files=tuple(repository.files[name] for name in names),
        license=source.license or repository.license or models.file.license or "not stated",
        locked=locked,
    )
    _refuse_drift(models, order)
    return order


def _refuse_drift(models: ModelSet, order: Order) -> None:
    """Raise `ModelMissingError` if the hub's files differ from those in the lock file."""
    for name, known in order.locked.files.items() if order.locked else ():
        now = order.repository.files.get(name)
        if now is None:
            raise _drifted(models, order, f"the hub does not have {name} any more")
        if now.size != known.size or now.sha256 not in (None, known.sha256):
            raise _drifted(models, order, f"{name} has changed")


def _drifted(models: ModelSet, order: Order, what: str) -> ModelMissingError:
    where = "" if models.lock is None else f" ({models.lock.path})"
    return ModelMissingError(
        f"{order.repository.id} differs from the lock file{where}: {what}: to take what the hub "
        f"has now, type {_command(models)[:-1]} --update'"
    )


def carry_out(models: ModelSet, order: Order) -> LockedSource:
    """Fetch a model, check every file, and write it into the model set's lock file."""
    known = order.locked.files if order.locked else {}
    files = {}
    for file in order.files:
        path = fetch(order.repository, file, _command(models))
        files[file.name] = locked_file(file, path)
        if known.get(file.name, files[file.name]) != files[file.name]:
            raise _drifted(models, order, f"{file.name} has changed")
    locked = LockedSource(
        id=order.repository.id,
        revision=order.repository.revision,
        file=order.source.file,
        license=order.license,
        files=files,
    )
    assert models.lock is not None, "a set with models of the hub was loaded from a file"
    models.lock.add(order.key, locked)
    return locked


def _command(models: ModelSet) -> str:
    return f"'rldf models pull {shlex.quote(models.named)}'"
