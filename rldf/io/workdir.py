"""The output folder of a command: how it is created, continued, refused and locked.

A command writes into a new or empty folder, or into a folder that the same command began with the
same configuration. A marker file contains the kind of the folder and its configuration. Any other
folder is refused with a RunError and not changed. `ResultFolder` does all this for a folder with a
manifest:

    manifest.json  "status", "config" (which determines the result), versions, commit, result
    ...            output files of the command
    .lock          lock file, locked while a command writes

The manifest exists from the start, with status "running", so an unfinished folder of a command is
recognized. Commands with other records (runs, clones) use only the functions of this module.
"""

import contextlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from rldf.errors import RunError
from rldf.io.files import TEMPORARY, locked, parse_json, read_file, sweep, write_json
from rldf.io.provenance import git_commit, versions

LOCK = ".lock"
MANIFEST = "manifest.json"
_SHOWN, _MOST = 160, 4  # most characters of a difference between configurations; most differences


class ResultFolder:
    """An output folder with a manifest."""

    def __init__(self, path: Path, config: Mapping[str, Any]) -> None:
        """Describe a folder; nothing is read or written.

        Args:
            path: the folder.
            config: the configuration of the command, as JSON values.
        """
        self.path = path
        self._config = as_json(config)

    def check(self) -> None:
        """Raise a RunError if the folder holds anything but results of this configuration."""
        if MANIFEST in refuse_foreign(self.path, MANIFEST, "ours"):
            self._refuse_another()

    @contextlib.contextmanager
    def filling(self) -> Iterator[None]:
        """Create or continue the folder, and hold its lock during the block.

        The manifest gets the status "running".

        Raises:
            RunError: as `check`; or the folder cannot be written, or another process locks it.
        """
        self.check()
        with contextlib.ExitStack() as stack:
            with writing(self.path):
                self.path.mkdir(parents=True, exist_ok=True)
                stack.enter_context(locked(self.path / LOCK))
                self.check()  # another process may have written before the lock was taken
                refuse_links(self.path)
                for folder in (self.path, *(p for p in self.path.iterdir() if p.is_dir())):
                    sweep(folder)
                self._write("running", {})
            yield

    def finish(self, result: Mapping[str, Any]) -> None:
        """Write a result of JSON values into the manifest, with status "done"."""
        self._write("done", result)

    def _write(self, status: str, result: Mapping[str, Any]) -> None:
        made = {"versions": versions(), "git": git_commit()}
        write_json(
            self.path / MANIFEST, {"status": status, "config": self._config, **made, **result}
        )

    def _refuse_another(self) -> None:
        path = self.path / MANIFEST
        try:
            refuse_other(self.path, parse_json(read_file(path))["config"], self._config)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise RunError(f"{path} is damaged: move it away, or name another --out") from None


def contents(path: Path) -> list[str]:
    """Return the sorted names in a folder, without lock file and temporary files."""
    try:
        entries = list(path.iterdir())
    except FileNotFoundError:
        return []
    return sorted(p.name for p in entries if p.name != LOCK and not p.match(TEMPORARY))


def refuse_foreign(path: Path, marker: str, what: str, own: Collection[str] = ()) -> list[str]:
    """Raise RunError if an output folder holds files of another origin; nothing is changed.

    Args:
        path: the output folder of a command; it may be missing.
        marker: name of the file that every output folder of this kind contains.
        what: kind of the folder, for the message, such as "a run".
        own: names of files that are allowed without the marker.

    Returns:
        The names in the folder, sorted.

    Raises:
        RunError: the path is a file, cannot be read, or holds other files and no marker.
    """
    try:
        names = contents(path)
    except NotADirectoryError:
        raise RunError(f"{path} is a file, or is inside of one: name a folder with --out") from None
    except OSError as error:
        raise RunError(
            f"{path} cannot be read: {error.strerror}; name another with --out"
        ) from None
    foreign = [] if marker in names else [name for name in names if name not in own]
    if foreign:
        shown = ", ".join(foreign[:3]) + (", ..." if len(foreign) > 3 else "")
        raise RunError(f"{path} is not empty, and not {what} ({shown}): name another --out")
    return names


def refuse_other(path: Path, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """Raise a RunError with the differences if a folder was begun with other options.

    Args:
        path: the folder.
        there: configuration in the folder.
        here: configuration of this command.
    """
    if said := shown_difference(there, here):
        raise RunError(
            f"{path} holds results of another configuration ({said}): repeat its options, or name "
            "another --out"
        )


def refuse_links(folder: Path, depth: int = 2) -> None:
    """Raise RunError if a folder contains a symbolic link to a folder.

    Args:
        folder: an output folder, which may be missing.
        depth: number of levels to check, 1 for the entries of the folder only.
    """
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink() and entry.is_dir():
                raise RunError(
                    f"{entry.path} is a link, and rldf does not write through links: put a "
                    "folder in its place, or name another --out"
                )
            if depth > 1 and entry.is_dir(follow_symlinks=False):
                refuse_links(Path(entry.path), depth - 1)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError in the block into a RunError of one line that names the folder."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"cannot write to {path}: {error.strerror or error}; name another with --out"
        ) from None


def as_json(record: Mapping[str, object]) -> dict[str, Any]:
    """Return a record as it is after writing it to JSON and reading that, to compare records.

    Raises:
        ValueError: a number is not finite.
        TypeError: a value has no form in JSON.
    """
    plain: dict[str, Any] = json.loads(json.dumps(record, allow_nan=False))
    return plain


def config_difference(there: Mapping[str, object], here: Mapping[str, object]) -> list[str]:
    """Return a phrase for each key, nested ones included, whose values differ.

    1, 1.0 and true are three different values.
    """
    a, b = _leaves(there), _leaves(here)
    missing = "not set"
    return [
        f"{key}: {a.get(key, missing)} there, {b.get(key, missing)} here"
        for key in sorted(a.keys() | b.keys())
        if a.get(key) != b.get(key)
    ]


def shown_difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """Return the differences of two configurations in one short line; "" if there are none."""
    found = config_difference(there, here)
    shown = "; ".join(phrase[:_SHOWN] for phrase in found[:_MOST])
    return shown + "; ..." * (len(found) > _MOST)


def _leaves(config: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    """Return JSON text by dotted key for each value that is not a record or an empty record."""
    leaves: dict[str, str] = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            leaves |= _leaves(value, f"{prefix}{key}.")
        else:
            leaves[prefix + key] = json.dumps(value)
    return leaves
