"""What `rldf models list` and `rldf models show` say of a model set."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rldf.cli import output
from rldf.errors import ConfigError

if TYPE_CHECKING:
    from rldf.models.model_sets import ModelSet
    from rldf.models.schema import Source

_ASKED = ("size", "steps", "guidance", "scheduler", "negative_prompt")  # of what draws, in words
_NOTES = {
    "clip-zero-shot": (
        "the set's CLIP compares an image with the names of the places; for a classifier trained "
        "on Places365 see 'rldf models import-places365 --help'"
    )
}
_PINS = {"file": "pinned by the set", "lock": "by the lock file"}


def summary(models: "ModelSet") -> dict[str, Any]:
    """Sum a model set up."""
    missing = models.lacks()
    try:
        sizes = [_bytes(models, key) for key in models.file.sources()]
    except ConfigError:  # a damaged lock file, which `missing` tells
        sizes = [None]
    return {
        "name": models.file.name,
        "description": models.file.description,
        "complete": not missing,
        "missing": missing,
        "bytes": None if None in sizes else sum(size for size in sizes if size),
    }


def summary_row(told: dict[str, Any]) -> tuple[str, ...]:
    """Put a summary into a row."""
    state = "complete" if told["complete"] else "not here"
    size = "" if told["bytes"] is None else in_units(told["bytes"])
    return told["name"], state, size, told["description"]


def document(models: "ModelSet") -> dict[str, Any]:
    """Describe a model set."""
    sources = models.file.sources()
    return summary(models) | {
        "domain": models.file.domain,
        "grammar": models.file.grammar,
        "lock": None if models.lock is None else str(models.lock.path),
        "parts": {key: _part(models, key, source) for key, source in sources.items()},
    }


def lines(models: "ModelSet", told: dict[str, Any]) -> list[str]:
    """Describe a model set for people."""
    parts = told["parts"]
    state = "complete" if told["complete"] else f"not here: {_lack(models, told['missing'])}"
    found = [": ".join(filter(None, (told["name"], told["description"])))]
    found += [f"domain {told['domain']}; grammar {told['grammar']}; {state}"]
    found += output.table([_row(key, part) for key, part in parts.items()])
    for key, part in parts.items():
        found += [f"{key}, {name}: {value}" for name, value in _options(part)]
        found += [f"{key}: {part['note']}"] if part["note"] else []
    return found + ([f"lock file {told['lock']}"] if models.file.hub_sources() else [])


def in_units(n_bytes: int) -> str:
    """Say a size for people."""
    value, units = float(n_bytes), ["B", "kB", "MB", "GB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} {units[0]}" if units[0] == "B" else f"{value:.1f} {units[0]}"


def _part(models: "ModelSet", key: str, source: "Source") -> dict[str, Any]:
    locked, at, part = models.locked.get(key), models.path(key), models.file.parts().get(key)
    told = locked.license if locked else ""
    return {
        "class": None if part is None else part.kind,
        "id": source.id,
        "revision": locked.revision if locked else source.revision,
        "revision_from": "file" if source.revision else "lock" if locked else None,
        "file": source.file,
        "license": source.license or told or models.file.license or None,
        "bytes": _bytes(models, key),
        "path": None if at is None else str(at),
        "options": {} if part is None else part.settings,
        "note": None if part is None else _NOTES.get(part.kind),
    }


def _lack(models: "ModelSet", missing: list[str]) -> str:
    if models.file.hub_sources():
        return f"type 'rldf models pull {shlex.quote(models.named)}'"
    return missing[0]


def _bytes(models: "ModelSet", key: str) -> int | None:
    """Measure a model; None where only the hub knows."""
    from rldf.models.checksums import loaded_files

    if models.file.sources()[key].id is not None:
        return models.locked[key].size if key in models.locked else None
    at: Path | None = models.path(key)
    if at is None or not at.exists():
        return 0
    return sum(file.stat().st_size for file in ([at] if at.is_file() else loaded_files(at)))


def _row(key: str, part: dict[str, Any]) -> tuple[str, ...]:
    where, pin = part["path"] or "no files of its own", ""
    if part["id"] is not None:
        where = part["id"] + (f"@{part['revision'][:12]}" if part["revision"] else "")
        pin = _PINS.get(part["revision_from"], "the first pull settles it")
    size = in_units(part["bytes"]) if part["bytes"] else ""
    is_somewhere = part["id"] or part["path"]
    licence = part["license"] or ("licence not stated" if is_somewhere else "")
    return (key, part["class"] or "", where, pin, size, licence)


def _options(part: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """List what a part is given; of a pipeline also what is left to it."""
    given = dict(part["options"])
    for name in _ASKED if part["class"] == "diffusion" else ():
        value = given.pop(name, "not stated, see docs/generators.md")
        yield name.replace("_", " "), "none" if value == "" else value
    yield from given.items()
