"""Finds shipped YAML files by name: grammars, rewards and model sets.

In a checkout their folders are beside the package `rldf`; in a wheel they are in `rldf/data`.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def folder(kind: str) -> Path:
    """Return the folder of the shipped files of one kind, such as "grammars"."""
    inside = _PACKAGE / "data" / kind
    return inside if inside.is_dir() else _PACKAGE.parent / kind


def names(kind: str) -> list[str]:
    """Return the names of the shipped files of one kind, without extension, sorted."""
    return sorted(path.stem for path in folder(kind).glob("*.yaml"))


def find(kind: str, name_or_path: str) -> Path | None:
    """Return the path of a shipped file by name, or a path ending in .yaml or .yml as it is.

    None if there is no shipped file of that name.
    """
    if name_or_path.endswith((".yaml", ".yml")):
        return Path(name_or_path)
    return folder(kind) / f"{name_or_path}.yaml" if name_or_path in names(kind) else None
