"""`rldf models import-places365`: the official scene classifiers as a folder."""

import json
from pathlib import Path
from typing import Annotated

import typer

from rldf.cli import output


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
        f"{made['network']} with {made['scenes']} scenes in {out}",
        "in a model set: scene: {class: image-classification, "
        f"path: {json.dumps(str(out.resolve()))}, license: CC BY}}",
    ]
    output.result(made, lines, as_json=as_json)
