"""The versions of the software with which a result is made."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

import rldf

PACKAGES = (
    "torch",
    "diffusers",
    "transformers",
    "open_clip_torch",
    "ultralytics",
    "numpy",
)


def versions() -> dict[str, str | None]:
    """Return the versions of Python, rldf and `PACKAGES`; None for a missing package."""
    own = {"python": platform.python_version(), "rldf": rldf.__version__}
    return own | {name: _version(name) for name in PACKAGES}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def git_commit() -> str | None:
    """Return the git commit of rldf's checkout; None if rldf is not imported from one."""
    root = Path(rldf.__file__).resolve().parents[1]
    if not (root / ".git").exists():  # git would search the folders above, which are not rldf's
        return None
    ask = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    quiet = os.environ | {"GIT_OPTIONAL_LOCKS": "0"}
    try:
        answer = subprocess.run(ask, env=quiet, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None
