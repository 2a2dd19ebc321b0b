"""The output folder of a command: entered, gone on with, refused or locked in one way everywhere.

A command writes into a new or empty folder, or into one that the same command with the same
configuration began. A marker file says whose the folder is and holds that configuration; everything
else is refused and left as it is. `ResultFolder` is the whole of it for a folder with a manifest:

    manifest.json  "status", "config" (all that decides the rest), versions, commit, and the result
    ...            what the command makes
    .lock          held while it is being filled

The manifest is there from the start, with status "running", so that a folder that was begun and
never finished can be told from a stranger's. Commands with records of their own (runs, clones) use
the functions.
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
_SHOWN, _MOST = 160, 4  # characters of a difference between two configurations; differences


class ResultFolder:
    """An output folder with a manifest."""

    def __init__(self, path: Path, config: Mapping[str, Any]) -> None:
        """Describe a folder; nothing is read or written.

        Args:
            path: the folder.
            config: all that decides what comes into it, as JSON can say it.
        """
        self.path = path
        self._config = as_json(config)

    def check(self) -> None:
        """Raise a RunError if the folder holds something else; nothing in it is touched."""
        if MANIFEST in refuse_foreign(self.path, MANIFEST, "ours"):
            self._refuse_another()

    @contextlib.contextmanager
    def filling(self) -> Iterator[None]:
        """Hold the lock and begin, or go on with, filling the folder; its manifest says "running".

        Raises:
            RunError: as `check`; or it cannot be written, or another process is filling it.
        """
        self.check()
        with contextlib.ExitStack() as stack:
            with writing(self.path):
                self.path.mkdir(parents=True, exist_ok=True)
                stack.enter_context(locked(self.path / LOCK))
                self.check()  # something may have come before the lock did
                refuse_links(self.path)
                for folder in (self.path, *(p for p in self.path.iterdir() if p.is_dir())):
                    sweep(folder)
                self._write("running", {})
            yield

    def finish(self, result: Mapping[str, Any]) -> None:
        """Write the result into the manifest, as JSON can say it, with status "done"."""
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
    """List the names in a folder, sorted, without its lock and what killed processes left."""
    try:
        entries = list(path.iterdir())
    except FileNotFoundError:
        return []
    return sorted(p.name for p in entries if p.name != LOCK and not p.match(TEMPORARY))


def refuse_foreign(path: Path, marker: str, what: str, own: Collection[str] = ()) -> list[str]:
    """Refuse a place for output that holds something else; nothing in it is touched.

    Args:
        path: the folder that a command is to fill; it may be missing.
        marker: the file that is in every such folder.
        what: what such a folder is, for the message ("a run").
        own: other names that may be there without the marker.

    Returns:
        What the folder holds.

    Raises:
        RunError: it is a file, cannot be read, or holds something and no marker.
    """
    try:
        names = contents(path)
    except NotADirectoryError:
        raise RunError(f"{path} is a file, or lies in one: name a folder with --out") from None
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
    """Raise a RunError that shows the difference if a folder has another configuration."""
    if said := shown_difference(there, here):
        raise RunError(
            f"{path} holds results of another configuration ({said}): repeat its options, or name "
            "another --out"
        )


def refuse_links(folder: Path, depth: int = 2) -> None:
    """Refuse to write into a folder in which another folder is a link to somewhere else.

    Args:
        folder: where a command is to go on; one that is not there has no links.
        depth: how far down to look, 1 for the folder alone.
    """
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink() and entry.is_dir():
                raise RunError(
                    f"{entry.path} is a link, and nothing is written to where it leads: put a "
                    "folder in its place, or name another --out"
                )
            if depth > 1 and entry.is_dir(follow_symlinks=False):
                refuse_links(Path(entry.path), depth - 1)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failure to write into one line that names the folder."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"cannot write to {path}: {error.strerror or error}; name another with --out"
        ) from None


def as_json(record: Mapping[str, object]) -> dict[str, Any]:
    """Copy a record into the form that it will have once it is read back from JSON.

    Raises:
        ValueError: a number is not finite.
        TypeError: something in it is not of JSON.
    """
    plain: dict[str, Any] = json.loads(json.dumps(record, allow_nan=False))
    return plain


def config_difference(there: Mapping[str, object], here: Mapping[str, object]) -> list[str]:
    """Compare two configurations to the last key, one phrase for each that differs.

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
    """Say what differs between two configurations, shortened; "" if nothing does."""
    found = config_difference(there, here)
    shown = "; ".join(phrase[:_SHOWN] for phrase in found[:_MOST])
    return shown + "; ..." * (len(found) > _MOST)


def _leaves(config: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    """Flatten a configuration to JSON text by dotted key; an empty record is a leaf."""
    leaves: dict[str, str] = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            leaves |= _leaves(value, f"{prefix}{key}.")
        else:
            leaves[prefix + key] = json.dumps(value)
    return leaves
