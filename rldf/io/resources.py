"""Data files that people write, found by name: `grammars/*.yaml`, `rewards/*.yaml`, model sets.

In a checkout they lie beside the package, in a wheel inside it, under `rldf/data`.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def folder(kind: str) -> Path:
    """Find the folder of the shipped files of one kind."""
    inside = _PACKAGE / "data" / kind
    return inside if inside.is_dir() else _PACKAGE.parent / kind


def names(kind: str) -> list[str]:
    """List the shipped files of one kind."""
    return sorted(path.stem for path in folder(kind).glob("*.yaml"))


def find(kind: str, name_or_path: str) -> Path | None:
    """Find a shipped file by name, or a user's own by path."""
    if name_or_path.endswith((".yaml", ".yml")):
        return Path(name_or_path)
    return folder(kind) / f"{name_or_path}.yaml" if name_or_path in names(kind) else None
