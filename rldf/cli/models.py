"""`rldf models`: model sets, and the models of the hub that they are made of."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rldf.cli import output
from rldf.cli.import_places import import_places365
from rldf.cli.model_view import document, in_units, lines, summary, summary_row

if TYPE_CHECKING:
    from rldf.models.model_sets import ModelSet
    from rldf.models.pull import Order

app = typer.Typer(help="See, fetch and check model sets.", no_args_is_help=True)
app.command("import-places365")(import_places365)

Name = Annotated[
    str, typer.Argument(help="A shipped model set, or a path that ends in .yaml.", metavar="NAME")
]


@app.command("list")
def list_(as_json: output.JsonFlag = False) -> None:
    """List the shipped model sets, and which of them are complete on this machine."""
    from rldf.models.model_sets import auto_choice, load_model_set, model_set_names

    sets = [summary(load_model_set(name)) for name in model_set_names()]
    choice = auto_choice()
    rows = output.table([summary_row(told) for told in sets])
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
    told = document(models)
    output.result(told, lines(models, told), as_json=as_json)


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


def _order_row(order: "Order") -> tuple[str, ...]:
    commit = f"{order.repository.id}@{order.repository.revision[:12]}"
    files = f"{len(order.files)} file{'s' * (len(order.files) > 1)}"
    return (order.key, commit, order.license, in_units(order.size), files)


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
    size = in_units(sum(order.size for order in left))
    if dry_run:
        return f"{models.file.name} takes {size}"
    return f"{models.file.name} is complete ({size} fetched); see 'rldf models check'"
