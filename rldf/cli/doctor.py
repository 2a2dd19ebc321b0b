"""`rldf doctor`: check that everything which a search needs is installed and works."""

import os
from pathlib import Path
from typing import Any

import typer

from rldf.cli import output
from rldf.io import distributed

SHIPPED = "pocket"
"""The name of the model set whose models come with rldf."""


def doctor(as_json: output.JsonFlag = False) -> None:
    """Show versions, device, model sets, cache and folders; exit with code 1 on a problem."""
    found = examine()
    output.result(found, report_lines(found), as_json=as_json)
    if found["problems"]:
        output.fail("; ".join(found["problems"]))
        raise typer.Exit(1)


def examine() -> dict[str, Any]:
    """Return the document of `rldf doctor --json`."""
    from rldf.io.provenance import versions

    found: dict[str, Any] = {
        "versions": versions(),
        "device": device(),
        "model_sets": model_sets(),
        "cache": cache(),
        "folders": {"runs": folder(Path("runs"))},
    }
    return found | {"problems": problems(found)}


def device() -> dict[str, Any]:
    """Return the device that models run on; its values are None without torch."""
    try:
        import torch
    except ImportError:
        return {"kind": None, "name": None, "threads": None}
    return {
        "kind": distributed.resolve("auto"),
        "name": distributed.gpu_name(),
        "threads": torch.get_num_threads(),
    }


def model_sets() -> dict[str, list[str]]:
    """Return the missing files of each shipped model set, [] for a complete one."""
    from rldf.models.model_sets import load_model_set, model_set_names

    return {name: load_model_set(name).lacks() for name in model_set_names()}


def cache() -> dict[str, Any]:
    """Return the folder of the image cache, and the number and bytes of its images."""
    from rldf.generators.cached import image_cache
    from rldf.io.paths import cache_folder

    images, size = image_cache(cache_folder()).usage()
    return folder(cache_folder()) | {"images": images, "bytes": size}


def folder(path: Path) -> dict[str, Any]:
    """Return whether files can be written in a folder, or in its nearest parent that exists."""
    there = path.resolve()
    while not there.exists():
        there = there.parent
    return {"path": str(path.resolve()), "writable": there.is_dir() and os.access(there, os.W_OK)}


def problems(found: dict[str, Any]) -> list[str]:
    """List what would stop a search, one line each."""
    lines = [
        f"package {name} is not installed"
        for name, version in found["versions"].items()
        if version is None
    ]
    # the other model sets are optional: `rldf models pull` fetches them
    lines += [f"model set {SHIPPED} lacks {path}" for path in found["model_sets"][SHIPPED]]
    places = [found["cache"], *found["folders"].values()]
    return lines + [
        f"folder {place['path']} cannot be written" for place in places if not place["writable"]
    ]


def report_lines(found: dict[str, Any]) -> list[str]:
    """Return the lines that `rldf doctor` prints."""
    kind, name = found["device"]["kind"], found["device"]["name"]
    rows = [(package, version or "not installed") for package, version in found["versions"].items()]
    on = f"{kind} ({name or str(found['device']['threads']) + ' threads'})"
    rows.append(("device", on if kind else "not known without torch"))
    rows += [
        (f"model set {name}", f"lacks {missing[0]}" if missing else "complete")
        for name, missing in found["model_sets"].items()
    ]
    places = {"cache": found["cache"], **found["folders"]}
    rows += [
        (place, f"{at['path']} ({'writable' if at['writable'] else 'cannot be written'})")
        for place, at in places.items()
    ]
    return output.table(rows)
