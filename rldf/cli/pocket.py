"""`rldf pocket`: the drawn world and the models that were trained on it."""

from pathlib import Path
from typing import Annotated

import typer

from rldf.cli import output
from rldf.io.text import counted

app = typer.Typer(help="Draw the pocket world, and measure its models.", no_args_is_help=True)


@app.command()
def draw(
    sentence: Annotated[str, typer.Argument(help="A sentence of grammar base or pocket.")],
    n: Annotated[int, typer.Option("-n", min=1, max=10_000, help="How many pictures.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first; the next have the next.")] = (
        1_000_000_000
    ),
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path("drawings"),
    as_json: output.JsonFlag = False,
) -> None:
    """Draw input pictures with the world's renderer (no model draws here)."""
    from rldf.errors import UsageError
    from rldf.io.images import write_png
    from rldf.pocket.world.drawing import draw as draw_

    drawings = [(seed + k, draw_(sentence, seed + k)) for k in range(n)]
    stem = "-".join(sentence.split()).lower()
    targets = [out / f"{stem}-{number}.png" for number, _ in drawings]
    there = [target for target in targets if target.exists()]
    if there:
        raise UsageError(f"{there[0]} is there already: choose another --seed or --out")
    out.mkdir(parents=True, exist_ok=True)
    for target, (_, drawing) in zip(targets, drawings, strict=True):
        write_png(target, drawing.image)
    output.result([str(t) for t in targets], [str(t) for t in targets], as_json=as_json)


@app.command()
def reference(
    out: Annotated[Path, typer.Option(help="Folder for the drawings.")],
    classes: Annotated[
        str | None, typer.Option(help="Nouns or wnids, with commas between. Default: all.")
    ] = None,
    like: Annotated[Path | None, typer.Option(help="A clone: draw its classes.")] = None,
    unlike: Annotated[Path | None, typer.Option(help="A clone: draw all other classes.")] = None,
    train: Annotated[int, typer.Option(min=0, help="Drawings of a class to learn from.")] = 50,
    val: Annotated[int, typer.Option(min=0, help="Drawings of a class to be tested on.")] = 50,
    as_json: output.JsonFlag = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Draw a set of real images for 'rldf evaluate': every class with the world's renderer."""
    from rldf.errors import UsageError
    from rldf.pocket.reference import Reference, draw_reference

    if sum(given is not None for given in (classes, like, unlike)) > 1:
        raise UsageError("--classes, --like and --unlike: name one of them")
    nouns = _nouns(classes, like, unlike)
    if not nouns or train + val == 0:
        raise UsageError("there is nothing to draw: name a class, and --train or --val above 0")
    wanted = Reference(nouns=nouns, train=train, val=val)
    with output.busy(f"drawing {counted(wanted.images, 'image')}", quiet=quiet or as_json):
        draw_reference(out, wanted)
    document = {"out": str(out), "classes": len(wanted.nouns), "images": wanted.images}
    told = f"{counted(wanted.images, 'drawing')} of {counted(len(wanted.nouns), 'class')} in {out}"
    output.result(document, [told], as_json=as_json)


def _nouns(classes: str | None, like: Path | None, unlike: Path | None) -> dict[str, str]:
    """Choose what to draw: noun by the name of the class's folder."""
    from rldf.pocket.reference import nouns_of, world_classes

    if classes is not None:
        by_noun = {noun: key for key, noun in world_classes().items()}
        words = filter(None, (word.strip() for word in classes.split(",")))
        return {by_noun[noun]: noun for noun in nouns_of(words).values()}
    if like is not None:
        return _nouns_of_clone(like)
    ours = set() if unlike is None else set(_nouns_of_clone(unlike).values())
    return {key: noun for key, noun in world_classes().items() if noun not in ours}


def _nouns_of_clone(clone: Path) -> dict[str, str]:
    from rldf.evaluation.examples import class_keys
    from rldf.evaluation.image_sets import open_images, read_contents
    from rldf.pocket.reference import nouns_of

    images = open_images(clone)
    for note in images.notes:
        output.warn(note)
    return nouns_of(class_keys(read_contents(images)), images.class_names)


@app.command()
def check(
    grammar: Annotated[str, typer.Option(help="base or pocket.")] = "base",
    drawings: Annotated[int, typer.Option(min=10, help="Fresh drawings and sampled sentences.")] = (
        500
    ),
    models: Annotated[str, typer.Option(help="The model set to measure.")] = "pocket",
    as_json: output.JsonFlag = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Measure whether the pipeline draws what sentences say and the readers see it."""
    from rldf.errors import UsageError
    from rldf.models.model_sets import load_model_set

    if grammar not in ("base", "pocket"):
        raise UsageError(f"--grammar {grammar}: the drawn world has base and pocket")
    model_set = load_model_set(models)
    with output.busy("drawing and reading", quiet=quiet or as_json):
        from rldf.pocket.fidelity import check as check_
        from rldf.pocket.fidelity import measured

        found = check_(model_set, grammar, drawings)
    output.result(found, output.table(measured(found)), as_json=as_json)


@app.command()
def sheet(
    font: Annotated[Path, typer.Argument(help="NotoColorEmoji.ttf.")],
    out: Annotated[Path, typer.Option(help="Folder for sprites.png and sprites.json.")] = Path("."),
) -> None:
    """Rebuild the world's sprite sheet from the Noto Color Emoji font."""
    from rldf.errors import UsageError
    from rldf.pocket.world.sprites import build_sheet

    if not font.is_file():
        raise UsageError(f"no font at {font}: install fonts-noto-color-emoji and give its file")
    out.mkdir(parents=True, exist_ok=True)
    build_sheet(font, out)
    output.result(
        str(out), [f"wrote {out / 'sprites.png'} and {out / 'sprites.json'}"], as_json=False
    )
