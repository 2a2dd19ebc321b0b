"""`rldf grammar order`: order the values of an axis, and score how alike neighbours are."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rldf.cli import output
from rldf.cli.model_choice import settle, tell
from rldf.models.auto import AUTO

if TYPE_CHECKING:
    from rldf.grammar.axes import Axis
    from rldf.grammar.grammar import Grammar
    from rldf.grammar.ordering import By, Floats

_BY = (
    "Order of the values: declared (as in the file), taxonomy (WordNet; scenes by kind) "
    "or clip (similar values next to each other)."
)


def order(
    name: Annotated[str, typer.Argument(help="A shipped grammar, or a path that ends in .yaml.")],
    by: Annotated[str, typer.Option(help=_BY)] = "declared",
    axis: Annotated[
        str | None, typer.Option(help="Order this axis alone, such as Noun. Default: every axis.")
    ] = None,
    models: Annotated[
        str, typer.Option(help="Model set whose CLIP model compares values: a name or a YAML file.")
    ] = AUTO,
    vectors: Annotated[
        Path | None,
        typer.Option(
            help="A .npy file with one row for each value of --axis, used instead of CLIP's "
            "embeddings."
        ),
    ] = None,
    names: Annotated[
        Path | None,
        typer.Option(help="A text file that names the rows of --vectors, one name on each line."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="New file to which the grammar is written with its values in this order."
        ),
    ] = None,
    as_json: output.JsonFlag = False,
) -> None:
    """Print the values of each axis in order, and score how alike neighbouring values are."""
    document = order_document(
        name, by, axis=axis, models=models, vectors=vectors, names=names, out=out
    )
    output.result(document, _lines(document), as_json=as_json)


def order_document(
    name: str,
    by: str,
    *,
    axis: str | None,
    models: str,
    vectors: Path | None,
    names: Path | None,
    out: Path | None,
) -> dict[str, Any]:
    """Order the values of the axes, score them, and write the grammar if `out` is given."""
    from rldf.grammar.grammar import load_grammar

    way = _checked(by, axis, vectors, names, out)
    grammar = load_grammar(name)
    chosen = grammar.axes if axis is None else (grammar.axis(axis),)
    if vectors is not None:
        found = _from_file(vectors, names)
    else:
        found = _from_clip(grammar, chosen, models)
    axes = [_ordered(one, way, found(one)) for one in chosen]
    if out is not None:
        _write(name, {one["axis"]: one["values"] for one in axes}, out)
    return {
        "grammar": grammar.name,
        "by": by,
        "axes": axes,
        "out": None if out is None else str(out),
    }


def _checked(
    by: str, axis: str | None, vectors: Path | None, names: Path | None, out: Path | None
) -> "By":
    import os

    from rldf.errors import UsageError

    if by not in ("declared", "taxonomy", "clip"):
        raise UsageError(f"--by {by}: give declared, taxonomy or clip")
    if vectors is not None and axis is None:
        raise UsageError(
            "--vectors without --axis: add --axis NAME, the axis whose values the vectors are of"
        )
    if names is not None and vectors is None:
        raise UsageError(
            "--names without --vectors: add --vectors with the file whose rows it names"
        )
    if out is not None and os.path.lexists(out):
        raise UsageError(f"--out {out}: the file exists already: name a new file")
    return by  # type: ignore[return-value]  # one of the three


def _from_file(vectors: Path, names: Path | None) -> "Callable[[Axis], Floats]":
    from rldf.grammar.ordering import read_vectors

    return lambda axis: read_vectors(vectors, names, axis)


def _from_clip(
    grammar: "Grammar", axes: "tuple[Axis, ...]", models: str
) -> "Callable[[Axis], Floats]":
    from rldf.grammar.ordering import embed
    from rldf.models.model_sets import load_model_set

    choice = settle(models)
    tell(choice)
    models = choice.name
    model_set = load_model_set(models)
    if model_set.file.vocabulary_grammar is not None:
        _warn_of_strange_words(grammar, axes, model_set.file.vocabulary_grammar, models)
    return lambda axis: embed(grammar, axis, model_set.clip.embed_texts)


def _warn_of_strange_words(
    grammar: "Grammar", axes: "tuple[Axis, ...]", world: str, models: str
) -> None:
    """Warn how many values have words that a CLIP trained on one grammar does not know."""
    from rldf.grammar.grammar import load_grammar
    from rldf.grammar.ordering import sentences

    known = {word for one in _texts(load_grammar(world)) for word in one.split()}
    read = [sentence.split() for axis in axes for sentence in sentences(grammar, axis)]
    strange = sum(not known.issuperset(words) for words in read)
    if strange:
        output.warn(
            f"the CLIP of {models} knows the words of grammar {world} alone: it cannot "
            f"compare {strange} of {len(read)} values here: name another model set with --models"
        )


def _texts(grammar: "Grammar") -> list[str]:
    return [
        text
        for forms in (
            *(slot.forms for slot in grammar.slots),
            *(value.forms for axis in grammar.axes for value in axis.values),
        )
        for text in forms.values()
    ]


def _ordered(axis: "Axis", by: "By", vectors: "Floats") -> dict[str, Any]:
    import numpy as np

    from rldf.grammar.ordering import (
        clip_order,
        cosine_distances,
        locality,
        neighbours,
        taxonomy_order,
    )

    distances = cosine_distances(vectors)
    places = np.arange(len(axis.values))
    if by == "taxonomy":
        places = taxonomy_order(axis)
    elif by == "clip":
        places = clip_order(axis, distances)
    there = distances[np.ix_(places, places)]
    return {
        "axis": axis.symbol,
        "locality": round(locality(there), 4),
        "neighbours": round(neighbours(there), 4),
        "declared_locality": round(locality(distances), 4),
        "declared_neighbours": round(neighbours(distances), 4),
        "values": [axis.values[i].name for i in places],
    }


def _write(name: str, orders: dict[str, list[str]], out: Path) -> None:
    from rldf.errors import UsageError
    from rldf.grammar.text import reordered
    from rldf.io.files import write_text
    from rldf.io.resources import find
    from rldf.io.yaml import read_text

    path = find("grammars", name)
    assert path is not None, "the grammar was loaded"
    text = reordered(read_text(path, "grammar"), orders)
    try:
        write_text(out, text)
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror}; name another --out") from None


def _lines(document: dict[str, Any]) -> list[str]:
    lines = []
    for axis in document["axes"]:
        scores = f"locality {axis['locality']:.3f}, neighbours {axis['neighbours']:.3f}"
        before = f"{axis['declared_locality']:.3f} and {axis['declared_neighbours']:.3f}"
        changed = "" if document["by"] == "declared" else f" (declared {before})"
        lines.append(f"{axis['axis']} by {document['by']}: {scores}{changed}")
        rows = [(str(i), value) for i, value in enumerate(axis["values"])]
        lines += [f"  {line}" for line in output.table(rows)]
    if document["out"] is not None:
        lines.append(f"written to {document['out']}")
    return lines
