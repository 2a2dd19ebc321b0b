"""`rldf models`: model sets, and the models of the hub that they are made of."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rldf.cli import output
from rldf.errors import ConfigError

if TYPE_CHECKING:
    from rldf.models.model_sets import ModelSet
    from rldf.models.pull import Order
    from rldf.models.schema import Source

app = typer.Typer(help="See, fetch and check model sets.", no_args_is_help=True)

Name = Annotated[
    str, typer.Argument(help="A shipped model set, or a path that ends in .yaml.", metavar="NAME")
]

_ASKED = ("size", "steps", "guidance", "scheduler", "negative_prompt")  # of what draws, in words
_NOTES = {
    "clip-zero-shot": (
        "the set's CLIP compares an image with the names of the places; for a classifier trained "
        "on Places365 see 'rldf models import-places365 --help'"
    )
}
_PINS = {"file": "pinned by the set", "lock": "by the lock file"}


@app.command("import-places365")
def import_places365(
    file: Annotated[
        Path, typer.Argument(help="resnet18_places365.pth.tar or resnet50_places365.pth.tar.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to make, for a model set's scene classifier.")],
    as_json: output.JsonFlag = False,
) -> None:
    """Convert an official Places365 checkpoint into a folder that rldf loads as a classifier."""
    from rldf.models.places365 import import_places365 as convert

    made = convert(file, out)
    lines = [
        f"{made.network} with {made.scenes} scenes in {out}",
        "in a model set: scene: {class: image-classification, "
        f"path: {json.dumps(str(out.resolve()))}, license: CC BY}}",
    ]
    output.result(asdict(made), lines, as_json=as_json)


@app.command("list")
def list_(as_json: output.JsonFlag = False) -> None:
    """List the shipped model sets, and which of them are complete on this machine."""
    from rldf.models.model_sets import auto_choice, load_model_set, model_set_names

    sets = [_summary(load_model_set(name)) for name in model_set_names()]
    choice = auto_choice()
    rows = output.table([_summary_row(told) for told in sets])
    output.result(
        {"sets": sets, "auto": {"name": choice.name, "why": choice.why}},
        [*rows, f"without --models: {choice.name} ({choice.why})"],
        as_json=as_json,
    )


@app.command()
def show(name: Name, as_json: output.JsonFlag = False) -> None:
    """Tell what a model set is made of: models, commits, licences, options."""
    from rldf.models.model_sets import load_model_set

    models = load_model_set(name)
    told = _document(models)
    output.result(told, _lines(models, told), as_json=as_json)


@app.command()
def pull(
    name: Name,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print sizes and licences; fetch nothing.")
    ] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Take what the hub has now, and lock that.")
    ] = False,
    as_json: output.JsonFlag = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Fetch the models of a set from the Hugging Face hub; a pull that was cut goes on."""
    from rldf.models.model_sets import load_model_set
    from rldf.models.pull import carry_out, orders
    from rldf.models.resumable_download import silence

    silence(bars=not (quiet or as_json) and output.console().is_terminal)
    models = load_model_set(name)
    with output.busy("asking the hub", quiet=quiet or as_json):
        left = orders(models, update=update)
    rows = [_order_row(order) for order in left]
    for line in output.table(rows) if rows else ():
        output.note(line)
    if not dry_run:
        for order in left:
            carry_out(models, order)
    told = {
        "name": models.file.name,
        "pulled": [] if dry_run else [order.key for order in left],
        "models": [_order_document(order) for order in left],
        "bytes": sum(order.size for order in left),
    }
    output.result(told, [_pulled_line(models, left, dry_run=dry_run)], as_json=as_json)


@app.command()
def check(
    name: Name,
    as_json: output.JsonFlag = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Read every file of a model set, load every part, and run each once."""
    from rldf.models.check import check_files, check_parts
    from rldf.models.model_sets import load_model_set

    models = load_model_set(name)
    with output.busy("reading the files", quiet=quiet or as_json):
        check_files(models)
    with output.busy("running the models", quiet=quiet or as_json):
        parts = list(check_parts(models))
    told = {
        "name": models.file.name,
        "parts": {
            part.role: {"class": part.kind, "found": part.found, "seconds": part.seconds}
            for part in parts
        },
    }
    rows = [(part.role, part.kind, part.found, f"{part.seconds:.1f} s") for part in parts]
    output.result(told, output.table(rows), as_json=as_json)


@app.command()
def path(name: Name, as_json: output.JsonFlag = False) -> None:
    """Print where the models of a set lie."""
    from rldf.models.model_sets import load_model_set

    models = load_model_set(name)
    for role in models.file.parts():
        models.require(role)
    found = {key: models.path(key) for key in models.file.sources()}
    rows = [(key, str(at)) for key, at in found.items() if at is not None]
    output.result(dict(rows), output.table(rows) if rows else [], as_json=as_json)


def _summary(models: "ModelSet") -> dict[str, Any]:
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


def _summary_row(told: dict[str, Any]) -> tuple[str, ...]:
    """Put a summary into a row."""
    state = "complete" if told["complete"] else "not here"
    size = "" if told["bytes"] is None else _in_units(told["bytes"])
    return told["name"], state, size, told["description"]


def _document(models: "ModelSet") -> dict[str, Any]:
    """Describe a model set."""
    sources = models.file.sources()
    return _summary(models) | {
        "domain": models.file.domain,
        "grammar": models.file.grammar,
        "lock": None if models.lock is None else str(models.lock.path),
        "parts": {key: _part(models, key, source) for key, source in sources.items()},
    }


def _lines(models: "ModelSet", told: dict[str, Any]) -> list[str]:
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


def _in_units(n_bytes: int) -> str:
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
    size = _in_units(part["bytes"]) if part["bytes"] else ""
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


def _order_row(order: "Order") -> tuple[str, ...]:
    commit = f"{order.repository.id}@{order.repository.revision[:12]}"
    files = f"{len(order.files)} file{'s' * (len(order.files) > 1)}"
    return (order.key, commit, order.license, _in_units(order.size), files)


def _order_document(order: "Order") -> dict[str, Any]:
    return {
        "part": order.key,
        "id": order.repository.id,
        "revision": order.repository.revision,
        "license": order.license,
        "bytes": order.size,
        "files": [file.name for file in order.files],
    }


def _pulled_line(models: "ModelSet", left: "list[Order]", *, dry_run: bool) -> str:
    if not left:
        return f"{models.file.name} is complete"
    size = _in_units(sum(order.size for order in left))
    if dry_run:
        return f"{models.file.name} takes {size}"
    return f"{models.file.name} is complete ({size} fetched); see 'rldf models check'"
