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
from rldf.io.workdir import refuse_foreign

RUN = "run.json"


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


def refuse_foreign_run(path: Path) -> None:
    """Refuse a place for a run that holds something else; nothing in it is touched."""
    refuse_foreign(path, RUN, "a run")
