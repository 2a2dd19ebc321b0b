"""A folder that one command fills with pictures and a manifest; the same command goes on with it.

    manifest.json  "status", "config" (all that decides the rest), versions, commit, and the result
    ...            what the command makes
    .lock          held while it is being filled

The manifest is there from the start, with status "running", so that a folder that was begun and
never finished can be told from a stranger's.
"""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rldf.errors import RunError
from rldf.io.files import locked, parse_json, read_file, sweep, write_json
from rldf.io.provenance import git_commit, versions
from rldf.search.records import as_json, config_difference
from rldf.search.run_naming import LOCK, contents, refuse_links

MANIFEST = "manifest.json"
_SHOWN = 200  # characters of a difference


class ResultFolder:
    """A folder that is being filled.

    Attributes:
        path: the folder.
    """

    def __init__(self, path: Path, config: Mapping[str, Any]) -> None:
        """Describe a folder; nothing is read or written."""
        self.path = path
        self._config = as_json(config)

    def check(self) -> None:
        """Refuse a place that holds something else; nothing in it is touched."""
        try:
            names = contents(self.path)
        except NotADirectoryError:
            raise RunError(
                f"{self.path} is a file, or lies in one: name a folder with --out"
            ) from None
        except OSError as error:
            raise RunError(
                f"{self.path} cannot be read: {error.strerror}; name another with --out"
            ) from None
        if not names:
            return
        if MANIFEST not in names:
            shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
            raise RunError(f"{self.path} is not empty, and not ours ({shown}): name another --out")
        self._refuse_another()

    @contextlib.contextmanager
    def filling(self) -> Iterator[None]:
        """Hold the folder's lock and begin, or go on with, filling it."""
        self.check()
        with contextlib.ExitStack() as stack:
            with self._telling():
                self.path.mkdir(parents=True, exist_ok=True)
                stack.enter_context(locked(self.path / LOCK))
                self.check()  # something may have come before the lock did
                refuse_links(self.path)
                for folder in (self.path, *(p for p in self.path.iterdir() if p.is_dir())):
                    sweep(folder)
                self._write("running", {})
            yield

    def finish(self, result: Mapping[str, Any]) -> None:
        """Write down what came of it."""
        self._write("done", result)

    def _write(self, status: str, result: Mapping[str, Any]) -> None:
        made = {"versions": versions(), "git": git_commit()}
        write_json(
            self.path / MANIFEST, {"status": status, "config": self._config, **made, **result}
        )

    def _refuse_another(self) -> None:
        path = self.path / MANIFEST
        try:
            there = parse_json(read_file(path))["config"]
            difference = config_difference(there, self._config)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise RunError(f"{path} is damaged: move it away, or name another --out") from None
        if difference:
            raise RunError(
                f"{self.path} holds results of another configuration "
                f"({'; '.join(difference)[:_SHOWN]}): type its options, or name another --out"
            )

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RunError(
                f"cannot write to {self.path}: {error.strerror or error}; name another with --out"
            ) from None
