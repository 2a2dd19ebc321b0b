"""`rldf clone` and `rldf clone-imagenet`: generate a labelled data set."""

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
    typer.Option(
        help=f"Number of images of each class. Default: {_PER_CLASS}, or the sum of the numbers in "
        "--splits."
    ),
]
Splits = Annotated[
    str | None,
    typer.Option(help=f"Shares or numbers of the images of each class by split. Default: {USUAL}."),
]
Preset = Annotated[
    str, typer.Option(help="How the sentences of a class vary: train or paper (docs/clone.md).")
]
GrammarName = Annotated[
    str | None,
    typer.Option(
        "--grammar",
        help="Grammar of the sentences: a name or a YAML file. Default: the one that suits the "
        "models and the classes.",
    ),
]
Models = Annotated[
    str, typer.Option(help="Model set that generates and checks the images: a name or a YAML file.")
]
Seed = Annotated[int, typer.Option(help="Seed of the whole data set.")]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        help="Format of the data set: imagefolder, webdataset or parquet.",
        metavar="FORMAT",
    ),
]
ImageFormat = Annotated[
    str, typer.Option(help="File format of the images: jpg (quality 95) or png.")
]
Out = Annotated[
    Path | None, typer.Option(help="Folder of the data set. Default: a new name in ./clones.")
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Print the number of images, the disk space and the time needed; generate a few "
        "images to measure them (none by a server), and write no file.",
    ),
]
Shard = Annotated[
    str | None,
    typer.Option(
        help="Generate only part i of N of the images; the parts of 8 are 0/8 to 7/8.",
        metavar="i/N",
    ),
]
BatchSize = Annotated[
    int | None,
    typer.Option(
        min=1, max=4096, help="Number of images generated at once. Default: 8, or 16 on a GPU."
    ),
]
VerifyLabels = Annotated[
    str | None,
    typer.Option(
        help="Model that checks each image: detector or clip. An image in which it does not find "
        "the class is generated again. Default: no check."
    ),
]
Compile = Annotated[
    bool,
    typer.Option(
        "--compile",
        help="Compile the generator first, which saves time from thousands of images on.",
    ),
]
NoSafety = Annotated[
    bool,
    typer.Option(
        "--no-safety-checker", help="Do not run the safety checker that comes with the generator."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
Directory = Annotated[Path, typer.Argument(help="The folder of a data set.", metavar="DIR")]


def clone_imagenet(
    classes: Annotated[
        str | None,
        typer.Option(
            help="Number of classes, or a file with a wnid or a name on each line. Default: all "
            "classes that can be generated."
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
    """Generate a data set of ImageNet's classes; the same command continues an unfinished one."""
    from rldf.dataset.job import prepare_imagenet

    options, command = _options(locals())
    command.run(lambda **own: prepare_imagenet(classes, options, **own))


@app.command()
def make(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Run folders, image files, or folders that hold one folder of photos for each "
            "class; - reads the output of rldf search --json from stdin.",
            metavar="RUN_OR_IMAGE",
        ),
    ],
    class_noun: Annotated[
        list[str] | None,
        typer.Option(
            help="Noun of an input, such as photo.jpg=dog; may be repeated. Default: the noun that "
            "the models read in the input.",
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
    """Generate a data set with one class for each input; the word make may be left out."""
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
        bool, typer.Option("--repair", help="Generate every image with a problem again.")
    ] = False,
    models: Annotated[
        str | None,
        typer.Option(
            help="Model set that generates images again with --repair. Default: the model set "
            "that made the data set."
        ),
    ] = None,
    base_url: BaseUrl = None,
    batch_size: BatchSize = None,
    as_json: output.JsonFlag = False,
    quiet: Quiet = False,
) -> None:
    """Check every file of a data set; exit with code 1 if there is a problem."""
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
    """Show how many images of a data set are finished."""
    from rldf.cli.clone_words import status_lines
    from rldf.dataset.build import status as status_
    from rldf.dataset.layout import open_folder

    folder = open_folder(directory)
    document = status_(folder)
    output.result(document, status_lines(document, folder), as_json=as_json)


@app.command()
def convert(
    directory: Directory,
    to: Annotated[
        str, typer.Option(help="New format: imagefolder, webdataset or parquet.", metavar="FORMAT")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the new data set.")],
    as_json: output.JsonFlag = False,
    quiet: Quiet = False,
) -> None:
    """Copy a data set into another format; the bytes of its images stay the same."""
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
    """Return the options of a clone and how its command shows and prints, from typed options."""
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
    """Return the number of images of each class by split; warn if a usual split gets none."""
    from rldf.dataset.job import splits_of
    from rldf.dataset.splits import SPLITS

    found = splits_of(text, per_class)
    missing = [name for name in SPLITS if name not in found]
    if text is None and missing:
        output.warn(
            f"{per_class} images of a class are too few for {' and '.join(missing)}: all are "
            f"{' or '.join(found)}; to choose the splits type "
            "--splits, such as --splits train=8,val=1,test=1"
        )
    return found


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    """The options of a clone command that decide what it shows and prints."""

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
                view("generating a few images", 0, 0)
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
        """Return a progress function that prints the chosen model set before the first image."""
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

    The unfinished batch is lost; every file with its final name is complete.
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
