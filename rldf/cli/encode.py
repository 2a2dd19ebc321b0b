"""`rldf encode`: an image in a grammar's words."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rldf.cli import output
from rldf.cli.model_choice import SetGrammar, settle, tell
from rldf.models.auto import AUTO

if TYPE_CHECKING:
    from PIL.Image import Image

    from rldf.perception.reading import ImageReading


def encode(
    images: Annotated[list[str], typer.Argument(help="Image files; - reads one from stdin.")],
    grammar: SetGrammar = None,
    models: Annotated[
        str, typer.Option(help="Model set that reads the images: a name or a YAML file.")
    ] = AUTO,
    as_json: output.JsonFlag = False,
) -> None:
    """Print the vector and sentence of images, and what was seen in them."""
    from rldf.grammar.grammar import load_grammar

    choice = settle(models)
    if grammar is not None:
        load_grammar(grammar)  # a wrong one is told before any work
    checked = [_check(name) for name in images]  # bad files are told before any work
    from rldf.models.model_sets import load_model_set
    from rldf.perception.encoder import Encoder, grammar_for

    model_set = load_model_set(choice.name)
    encoders: dict[str, Encoder] = {}
    tell(choice)
    documents: list[dict[str, Any]] = []
    lines: list[str] = []
    for name, kept in zip(images, checked, strict=True):
        image = kept or _open(name)
        words = grammar or grammar_for(image, model_set, model_set.file)
        if words not in encoders:
            encoders[words] = Encoder(load_grammar(words), model_set, model_set.file)
        reading = encoders[words].encode(image)
        for warning in reading.record.warnings:
            output.warn(f"{name}: {warning}")
        documents.append(_document(name, words, reading))
        lines += _told(name, reading)
    output.result(documents, lines, as_json=as_json)


def _open(name: str) -> "Image":
    from rldf.io.images import read_image, read_stream

    if name == "-":
        return read_stream(sys.stdin.buffer, "stdin")
    return read_image(Path(name))


def _check(name: str) -> "Image | None":
    """Open an image, and keep it only if it cannot be opened again, such as from a pipe."""
    image = _open(name)
    return None if name != "-" and Path(name).is_file() else image


def _document(name: str, grammar: str, reading: "ImageReading") -> dict[str, Any]:
    from rldf.perception.reading import axes_document

    return {
        "image": name,
        "grammar": grammar,
        "medium": reading.record.medium,
        "encoding": None if reading.encoding is None else list(reading.encoding),
        "sentence": reading.sentence,
        "axes": axes_document(reading.record),
        "doubtful": reading.record.doubtful,
        "warnings": list(reading.record.warnings),
        "objects": [
            {"noun": thing.value, "count": thing.count, "confidence": round(thing.confidence, 4)}
            for thing in reading.seen.objects
        ],
        "people": reading.seen.people,
        "scenes": {scene: round(share, 4) for scene, share in reading.seen.scenes.items()},
        "ignored": list(reading.seen.ignored),
        "likeness": None if reading.likeness is None else round(reading.likeness, 4),
    }


def _told(name: str, reading: "ImageReading") -> list[str]:
    vector = "-" if reading.encoding is None else ",".join(map(str, reading.encoding))
    likely = [(scene, share) for scene, share in reading.seen.scenes.items() if share > 0]
    scenes = sorted(likely, key=lambda item: -item[1])[:3]
    unknown = f"not known: {', '.join(reading.unknown)}"
    things = [
        f"{thing.count} {thing.value} ({thing.confidence:.2f})" for thing in reading.seen.objects
    ]
    lines = [
        name,
        *([f"  read as   a {reading.record.medium}"] if reading.record.medium else []),
        f"  vector    {vector}",
        f"  sentence  {reading.sentence or unknown}",
    ]
    if reading.by_words:
        lines.append(f"  words     {reading.record.words}")
        return [*lines, *(f"  doubt     {warning}" for warning in reading.record.warnings)]
    lines += [
        f"  objects   {', '.join(things) or 'none'}",
        f"  people    {reading.seen.people}",
        f"  scene     {', '.join(f'{scene} {share:.2f}' for scene, share in scenes) or 'none'}",
    ]
    if reading.seen.ignored:
        lines.append(f"  ignored   {', '.join(reading.seen.ignored)}")
    return [*lines, *(f"  doubt     {warning}" for warning in reading.record.warnings)]
