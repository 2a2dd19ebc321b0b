"""Where a run may lie: names of new run folders, and what is refused."""

import os
import re
import shlex
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from rldf.errors import RunError
from rldf.io.file_names import portable
from rldf.io.files import TEMPORARY

RUN, LOCK = "run.json", ".lock"


def clean_stem(image_name: str) -> str:
    """Make the first part of a run folder's name from the name of an image."""
    letters = unicodedata.normalize("NFKC", Path(image_name).stem)
    return portable(re.sub(r"[^\w]+", "-", letters)[:40].strip("-") or "image")


def default_out(root: Path, image_name: str, now: datetime) -> Path:
    """Name a new run folder after its image and the time."""
    name = f"{clean_stem(image_name)}-{now:%Y%m%d-%H%M%S}"
    path, n = root / name, 1
    while os.path.lexists(path):
        n += 1
        path = root / f"{name}-{n}"
    return path


def new_out(root: Path, image_name: str, now: datetime) -> Path:
    """Make a new, empty run folder that no other process takes."""
    while True:
        path = default_out(root, image_name, now)
        try:
            root.mkdir(parents=True, exist_ok=True)
            path.mkdir()
        except FileExistsError:
            if os.path.lexists(path):
                continue  # another search took the name meanwhile
            raise RunError(f"{root} is no folder: name another with --out") from None
        except OSError as error:
            raise RunError(
                f"cannot write to {path}: {error.strerror}; name another with --out"
            ) from None
        return path


def resume_command(command: Sequence[str], path: Path) -> str:
    """Write the command line that goes on with a run."""
    words = [word for word in command if word != "--resume"]
    if not any(word == "--out" or word.startswith("--out=") for word in words):
        words += ["--out", str(path)]
    return shlex.join([*words, "--resume"])


def refuse_foreign(path: Path) -> None:
    """Refuse a place for a run that holds something else; nothing in it is touched."""
    if path.exists() and not path.is_dir():
        raise RunError(f"{path} is a file: name a folder with --out")
    names = contents(path)
    if names and RUN not in names:
        shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        raise RunError(f"{path} is not empty and not a run ({shown}): name another --out")


def contents(path: Path) -> list[str]:
    """List what a folder holds, apart from its lock and what killed processes left."""
    if not path.exists():
        return []
    return sorted(p.name for p in path.iterdir() if p.name != LOCK and not p.match(TEMPORARY))


def refuse_links(folder: Path, depth: int = 2) -> None:
    """Refuse to write into a folder in which another folder is a link to somewhere else."""
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
