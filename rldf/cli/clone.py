"""`rldf clone` and `rldf clone-imagenet`: a labelled data set from classes and sentences."""

import contextlib
import dataclasses
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from rldf.cli import output
from rldf.cli.endpoint import BaseUrl, models_at
from rldf.cli.live import CloneView
from rldf.cli.model_choice import settle, tell
from rldf.dataset.splits import USUAL
from rldf.io.text import counted
from rldf.models.auto import AUTO

if TYPE_CHECKING:
    from rldf.dataset.job import CloneJob, CloneOptions
    from rldf.models.auto import Choice

_MAKE = "make"
_PER_CLASS = 100


class DefaultMake(TyperGroup):
    """A group in which `make` may be left out: `rldf clone PHOTO` is `rldf clone make PHOTO`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Insert "make" if the first word names no command."""
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
    from rldf.dataset.job import prepare_imagenet

    options, command = _options(locals())
    command.run(lambda **own: prepare_imagenet(classes, options, **own))


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
    from rldf.dataset.job import prepare_clone
    from rldf.dataset.user_classes import parse_nouns

    nouns = parse_nouns(class_noun or ())
    options, command = _options(locals())
    command.run(
        lambda **own: prepare_clone(
            inputs, options, class_nouns=nouns, stdin=sys.stdin, warn=output.warn, **own
        )
    )


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
    from rldf.cli.clone_words import checked_lines
    from rldf.dataset.job import repair_clone
    from rldf.dataset.layout import open_folder
    from rldf.dataset.verify import verify as verify_

    folder = open_folder(directory)
    with output.busy("reading every file", quiet=quiet or as_json):
        report = verify_(folder)
    document = report.document() | {"out": str(directory), "repaired": 0}
    if repair and report.problems:
        before = report.problems
        named = None if models is None else models_at(models, base_url)
        with _exit_cleanly(folder.root), output.busy("drawing again", quiet=quiet or as_json):
            mended = repair_clone(folder, before, models=named, batch_size=batch_size)
            report = verify_(folder)
        document = report.document() | {"out": str(directory), "repaired": mended}
    output.result(document, checked_lines(document), as_json=as_json)
    if not document["ok"]:
        raise typer.Exit(1)


@app.command()
def status(directory: Directory, as_json: output.JsonFlag = False) -> None:
    """Show how much of a data set is drawn."""
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
    from rldf.dataset.convert import convert as convert_
    from rldf.dataset.formats import FORMATS
    from rldf.dataset.job import one_of
    from rldf.dataset.layout import open_folder

    folder = open_folder(directory)
    kind = one_of("--to", to, FORMATS)
    with _exit_cleanly(out), output.busy(f"writing {kind}", quiet=quiet or as_json):
        counts = convert_(folder, kind, out)
    document = {"out": str(out), "format": kind, **counts}
    output.result(document, [f"{counted(counts['images'], 'image')} in {out}"], as_json=as_json)


def _options(given: dict[str, Any]) -> "tuple[CloneOptions, _Command]":
    """Return the options that both commands have."""
    from rldf.dataset.job import CloneOptions

    choice = settle(given["models"])
    names = [field.name for field in dataclasses.fields(CloneOptions)]
    typed = {name: given[name] for name in names if name in given}
    typed |= {
        "models": models_at(choice.name, given["base_url"]),
        "splits": _splits(given["splits"], given["per_class"]),
        "per_class": None,
        "safety_checker": not given["no_safety_checker"],
    }
    command = _Command(
        choice=choice,
        dry_run=given["dry_run"],
        as_json=given["as_json"],
        quiet=given["quiet"] or given["as_json"],
    )
    return CloneOptions(**typed), command


def _splits(text: str | None, per_class: int | None) -> dict[str, int]:
    """Return the images of a class by split, with a warning if splits were left out."""
    from rldf.dataset.job import splits_of
    from rldf.dataset.splits import SPLITS

    found = splits_of(text, per_class)
    missing = [name for name in SPLITS if name not in found]
    if text is None and missing:
        output.warn(
            f"{per_class} images of a class are too few for {' and '.join(missing)}: all are "
            f"{' or '.join(found)}; for others type --splits, such as --splits train=8,val=1,test=1"
        )
    return found


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    """The parts of a command line that decide what is shown and printed."""

    choice: "Choice"
    dry_run: bool
    as_json: bool
    quiet: bool

    def run(self, prepare: "Callable[..., CloneJob]") -> None:
        """Plan a clone, then estimate or draw it, and print the result."""
        from rldf.cli.clone_words import estimate_lines, result_document, result_lines
        from rldf.dataset.sharding import this_worker

        worker = this_worker()
        with CloneView(quiet=self.quiet or not worker.is_main) as view:
            job = prepare(worker=worker, progress=view)
            if self.dry_run:
                view("drawing a few images", 0, 0)
                estimate = job.estimate()
                document, lines = dataclasses.asdict(estimate), estimate_lines(estimate)
            else:
                with _exit_cleanly(job.out, quiet=not worker.is_main):
                    result = job.draw(self._naming_models(view, worker.is_main))
                document = result_document(result)
                lines = result_lines(document, result.folder)
        if worker.is_main:
            if self.dry_run:
                tell(self.choice)
            output.result(document, lines, as_json=self.as_json)

    def _naming_models(self, view: CloneView, is_main: bool) -> Callable[[str, int, int], None]:
        """Name the chosen models once before the first image, when all checks have passed."""
        named = not is_main

        def progress(stage: str, done: int, total: int) -> None:
            nonlocal named
            if stage == "images" and not named:
                named = True
                view.close()
                tell(self.choice)
            view(stage, done, total)

        return progress


@contextlib.contextmanager
def _exit_cleanly(root: Path, *, quiet: bool = False) -> Iterator[None]:
    """On Ctrl-C and SIGTERM, keep what is finished and print the command that continues.

    A batch that is being drawn is lost; whatever has its final name is whole.
    """

    def terminate(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # launchers send it more than once
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        if not quiet:
            command = shlex.join(["rldf", *sys.argv[1:]])
            output.note(f"stopped; {root} keeps what is done; go on with: {command}")
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
