"""`rldf clone` and `rldf clone-imagenet`: a labelled data set from classes and sentences."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from rldf.cli import output
from rldf.cli.endpoint import BaseUrl, models_at
from rldf.cli.model_choice import settle
from rldf.dataset.splits import USUAL
from rldf.models.auto import AUTO

_MAKE = "make"
_PER_CLASS = 100


class DefaultMake(TyperGroup):
    """A group in which `make` may be left out: `rldf clone PHOTO` is `rldf clone make PHOTO`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command's name in front of what names none.

        Args:
            ctx: the context.
            args: the words after `rldf clone`.

        Returns:
            What is left of them.
        """
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = [_MAKE, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=DefaultMake,
    no_args_is_help=True,
    help="Make a labelled data set of your own classes; check, convert and finish data sets.",
    subcommand_metavar="RUN_OR_IMAGE...|- | COMMAND [ARGS]...",
)

PerClass = Annotated[
    int | None,
    typer.Option(help=f"Images of a class. Default: {_PER_CLASS}, or what --splits says."),
]
Splits = Annotated[
    str | None,
    typer.Option(help=f"Shares or numbers of a class's images. Default: {USUAL}."),
]
Preset = Annotated[str, typer.Option(help="How images vary: train or paper.")]
GrammarName = Annotated[
    str | None,
    typer.Option("--grammar", help="Whose sentences. Default: what suits models and classes."),
]
Models = Annotated[str, typer.Option(help="What draws and sees: a name or a YAML file.")]
Seed = Annotated[int, typer.Option(help="Seed of the whole data set.")]
Format = Annotated[
    str, typer.Option("--format", help="imagefolder, webdataset or parquet.", metavar="FORMAT")
]
ImageFormat = Annotated[str, typer.Option(help="jpg (quality 95) or png.")]
Out = Annotated[Path | None, typer.Option(help="Folder of the data set. Default: in ./clones.")]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Print what it takes; draw a few images (none by a server), write none."
    ),
]
Shard = Annotated[
    str | None, typer.Option(help="Draw part i of N alone: 0/8 up to 7/8.", metavar="i/N")
]
BatchSize = Annotated[
    int | None,
    typer.Option(min=1, max=4096, help="Images drawn at once. Default: 8, or 16 on a GPU."),
]
VerifyLabels = Annotated[
    str | None,
    typer.Option(help="Redraw images whose class is not seen: by detector or clip."),
]
Compile = Annotated[
    bool,
    typer.Option("--compile", help="Compile the generator first: for thousands of images."),
]
NoSafety = Annotated[
    bool,
    typer.Option("--no-safety-checker", help="Leave out the safety checker of the models."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
Directory = Annotated[Path, typer.Argument(help="The folder of a data set.", metavar="DIR")]


def clone_imagenet(
    classes: Annotated[
        str | None,
        typer.Option(help="How many, or a file of wnids or names. Default: all it can draw."),
    ] = None,
    per_class: PerClass = None,
    splits: Splits = None,
    preset: Preset = "train",
    grammar: GrammarName = None,
    models: Models = AUTO,
    base_url: BaseUrl = None,
    seed: Seed = 0,
    format: Format = "imagefolder",
    image_format: ImageFormat = "jpg",
    out: Out = None,
    dry_run: DryRun = False,
    shard: Shard = None,
    batch_size: BatchSize = None,
    compile: Compile = False,
    verify_labels: VerifyLabels = None,
    no_safety_checker: NoSafety = False,
    as_json: output.JsonFlag = False,
    quiet: Quiet = False,
) -> None:
    """Make a synthetic data set of ImageNet's classes; the same command goes on with it."""
    from rldf.cli.clone_job import make_job, run_job
    from rldf.dataset.config import imagenet_config

    choice = settle(models)
    job = make_job(
        models=models_at(choice.name, base_url), choice=choice, preset=preset,
        splits=_splits(splits, per_class),
        format=format, image_format=image_format, out=out, dry_run=dry_run, shard=shard,
        batch_size=batch_size, compile=compile, verify_labels=verify_labels,
        safety_checker=not no_safety_checker, as_json=as_json, quiet=quiet or as_json,
    )  # fmt: skip
    run_job(
        job,
        "imagenet",
        lambda model_set: imagenet_config(
            model_set, classes=classes, splits=job.splits, preset=preset, grammar=grammar,
            seed=seed, image_format=job.image_format,
        ),
    )  # fmt: skip


@app.command()
def make(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Runs, images, folders of a folder of photos a class, or - for search --json.",
            metavar="RUN_OR_IMAGE",
        ),
    ],
    class_noun: Annotated[
        list[str] | None,
        typer.Option(
            help="What an input shows, by its name; may be repeated. Default: what is read in it.",
            metavar="NAME=NOUN",
        ),
    ] = None,
    per_class: PerClass = None,
    splits: Splits = None,
    preset: Preset = "train",
    grammar: GrammarName = None,
    models: Models = AUTO,
    base_url: BaseUrl = None,
    seed: Seed = 0,
    format: Format = "imagefolder",
    image_format: ImageFormat = "jpg",
    out: Out = None,
    dry_run: DryRun = False,
    shard: Shard = None,
    batch_size: BatchSize = None,
    compile: Compile = False,
    verify_labels: VerifyLabels = None,
    no_safety_checker: NoSafety = False,
    as_json: output.JsonFlag = False,
    quiet: Quiet = False,
) -> None:
    """Make a data set with a class for each input; the word make may be left out."""
    from rldf.cli.clone_job import make_job, run_job
    from rldf.dataset.config import user_config
    from rldf.dataset.user_classes import find_classes, input_grammar, parse_nouns, sort_inputs

    said = parse_nouns(class_noun or ())
    given = sort_inputs(inputs, sys.stdin)
    for note in (*(note for found in given.runs for note in found.notes), *given.notes):
        output.warn(note)
    choice = settle(models)
    job = make_job(
        models=models_at(choice.name, base_url), choice=choice, preset=preset,
        splits=_splits(splits, per_class),
        format=format, image_format=image_format, out=out, dry_run=dry_run, shard=shard,
        batch_size=batch_size, compile=compile, verify_labels=verify_labels,
        safety_checker=not no_safety_checker, as_json=as_json, quiet=quiet or as_json,
    )  # fmt: skip

    doubts: list[str] = []

    def configure(model_set: Any) -> Any:
        from rldf.perception.encoder import Encoder

        words = input_grammar(given, grammar, model_set.file.vocabulary_grammar)
        encoder = Encoder(words, model_set, model_set.file)
        found = find_classes(given, encoder, said, doubts.append)
        for doubt in doubts:
            output.warn(doubt)
        return user_config(
            model_set, found=found, grammar=words, splits=job.splits, preset=preset, seed=seed,
            image_format=job.image_format,
        )  # fmt: skip

    run_job(job, given.name, configure, given.searches, doubts)


@app.command()
def verify(
    directory: Directory,
    repair: Annotated[
        bool, typer.Option("--repair", help="Draw exactly the wrong images again.")
    ] = False,
    models: Annotated[
        str | None, typer.Option(help="What drew it, for --repair. Default: as it says itself.")
    ] = None,
    base_url: BaseUrl = None,
    batch_size: BatchSize = None,
    as_json: output.JsonFlag = False,
    quiet: Quiet = False,
) -> None:
    """Check every file of a data set; exit code 1 if anything is wrong."""
    from rldf.cli.clone_job import repair_folder
    from rldf.cli.clone_words import checked_lines
    from rldf.dataset.layout import open_folder
    from rldf.dataset.verify import verify as verify_

    folder = open_folder(directory)
    with output.busy("reading every file", quiet=quiet or as_json):
        report = verify_(folder)
    document = report.document() | {"out": str(directory), "repaired": 0}
    if repair and report.problems:
        before = report.problems
        with output.busy("drawing again", quiet=quiet or as_json):
            mended = repair_folder(folder, before, models, base_url, batch_size)
            report = verify_(folder)
        document = report.document() | {"out": str(directory), "repaired": mended}
    output.result(document, checked_lines(document), as_json=as_json)
    if not document["ok"]:
        raise typer.Exit(1)


@app.command()
def status(directory: Directory, as_json: output.JsonFlag = False) -> None:
    """Tell how far a data set is."""
    from rldf.cli.clone_words import status_lines
    from rldf.dataset.build import status as status_
    from rldf.dataset.layout import open_folder

    folder = open_folder(directory)
    document = status_(folder)
    output.result(document, status_lines(document, folder), as_json=as_json)


@app.command()
def convert(
    directory: Directory,
    to: Annotated[str, typer.Option(help="imagefolder, webdataset or parquet.", metavar="FORMAT")],
    out: Annotated[Path, typer.Option(help="Folder of the new data set.")],
    as_json: output.JsonFlag = False,
    quiet: Quiet = False,
) -> None:
    """Write a data set in another format, with the same images byte for byte."""
    from rldf.cli.clone_job import ending_cleanly, one_of
    from rldf.dataset.convert import convert as convert_
    from rldf.dataset.formats import Format as Formats
    from rldf.dataset.layout import open_folder

    folder = open_folder(directory)
    kind = one_of("--to", to, Formats)
    with ending_cleanly(out, tell=True), output.busy(f"writing {kind}", quiet=quiet or as_json):
        counts = convert_(folder, kind, out)
    document = {"out": str(out), "format": kind, **counts}
    output.result(document, [f"{counts['images']} images in {out}"], as_json=as_json)


def _splits(text: str | None, per_class: int | None) -> dict[str, int]:
    from rldf.dataset.splits import SPLITS, parse_splits, usual_splits

    if text is not None:
        return parse_splits(text, per_class)
    found = usual_splits(_PER_CLASS if per_class is None else per_class)
    if missing := [name for name in SPLITS if name not in found]:
        output.warn(
            f"{per_class} images of a class are too few for {' and '.join(missing)}: all are "
            f"{' or '.join(found)}; for others type --splits, such as --splits train=8,val=1,test=1"
        )
    return found
