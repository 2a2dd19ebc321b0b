"""`rldf evaluate`: how good a data set is, held against real images."""

import shlex
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rldf.cli import output
from rldf.cli.model_choice import settle, tell
from rldf.models.auto import AUTO

if TYPE_CHECKING:
    from rldf.evaluation.evaluate import Question
    from rldf.evaluation.features import Progress
    from rldf.evaluation.image_sets import ImageSet

_COLUMNS = {
    "n_real": "n_real",
    "fid": "fid",
    "fid_infinity": "fid_inf",
    "kid": "kid",
    "kid_std": "±",
    "precision": "prec",
    "recall": "recall",
    "top1": "top1",
    "top5": "top5",
    "near_duplicate_rate": "copies",
}


def evaluate(
    clone: Annotated[
        str | None,
        typer.Argument(
            help="A clone or folder of images; - reads what 'rldf clone --json' printed. "
            "Default: the newest clone below this folder."
        ),
    ] = None,
    real: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="Real images; may be repeated. Default: RLDF_REAL, or for a clone by the pocket "
            "models drawings of its classes, made once.",
        ),
    ] = None,
    fid: Annotated[
        bool, typer.Option("--fid", help="Fréchet distance, at several N and extrapolated.")
    ] = False,
    kid: Annotated[bool, typer.Option("--kid", help="Kernel distance with its error.")] = False,
    prc: Annotated[bool, typer.Option("--prc", help="Precision and recall.")] = False,
    duplicates: Annotated[
        bool, typer.Option("--duplicates", help="Near duplicates of real images.")
    ] = False,
    features: Annotated[
        str,
        typer.Option(help="What looks at images: pocket, inception, clip, dinov2, or a path."),
    ] = "pocket",
    models: Annotated[
        str, typer.Option(help="The model set whose CLIP --features clip is.")
    ] = AUTO,
    classify: Annotated[
        bool, typer.Option("--classify", help="Train ResNet-18 on it, and test on real images.")
    ] = False,
    epochs: Annotated[int, typer.Option(help="Epochs of each training.")] = 200,
    classifier_seeds: Annotated[int, typer.Option(help="Trainings of each kind.")] = 3,
    classifier_size: Annotated[
        int | None,
        typer.Option(help="Side of the classifier's input, px. Default: 7/16 of the images' side."),
    ] = None,
    reference: Annotated[
        bool,
        typer.Option(
            help="With --classify: train on as many real images too, where a real folder has train "
            "and val."
        ),
    ] = True,
    per_class: Annotated[
        bool, typer.Option("--per-class", help="Figures of each class too.")
    ] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Write an HTML report into ./evaluations.")
    ] = False,
    report_to: Annotated[
        Path | None, typer.Option(help="Write the HTML report to this file.")
    ] = None,
    as_json: output.JsonFlag = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Judge a data set: distances to real images, what it teaches, copies of real ones.

    Without --fid, --kid, --prc, --duplicates and --classify the first four are computed.
    """
    from rldf.evaluation.downstream import Course
    from rldf.evaluation.evaluate import Question

    course = None
    if classify:
        course = Course(
            epochs=epochs, seeds=classifier_seeds, side=classifier_size, reference=reference
        )
    every = not (fid or kid or prc or duplicates or classify)
    folder = _clone(clone)
    question = Question(
        clone=folder,
        real=tuple(real or ()),
        fid=fid or every,
        kid=kid or every,
        prc=prc or every,
        duplicates=duplicates or every,
        per_class=per_class,
        course=course,
    )
    if report_to is None and report:
        name = f"{folder.resolve().name or 'clone'}-{datetime.now():%Y%m%d-%H%M%S}.html"
        report_to = Path("evaluations") / name
    document = run_evaluation(question, features, models, report_to, quiet=quiet or as_json)
    if document is not None:
        output.result(document, _told(document), as_json=as_json)


def run_evaluation(
    question: "Question", features: str, models: str, report: Path | None, *, quiet: bool
) -> dict[str, Any] | None:
    """Find what is missing of a question, answer it, and write the report.

    Args:
        question: what to judge; without real folders they are looked for.
        features: what a person typed for the extractor.
        models: the model set of `--features clip`.
        report: the file of the report, None for none.
        quiet: whether to show no progress.

    Returns:
        The figures; None in any process but the first.
    """
    from dataclasses import replace

    from rldf.evaluation.downstream import check_course
    from rldf.evaluation.evaluate import evaluate as evaluate_
    from rldf.evaluation.extractors import find_extractor
    from rldf.evaluation.features import Store
    from rldf.evaluation.reference import real_folders
    from rldf.evaluation.report import check_target, write_report
    from rldf.io import distributed
    from rldf.io.paths import cache_folder

    if question.course is not None:
        check_course(question.course)
    if report is not None:
        check_target(report)
    first = distributed.rank() == 0
    if features == "clip":  # no other asks for a model set
        choice = settle(models)
        if first:
            tell(choice)
        models = choice.name
    extractor = find_extractor(features, models)
    warn = output.warn if first else _say_nothing
    with output.bars(quiet=quiet or not first) as progress:
        reals = real_folders(question.real) or (_drawn(question.clone, progress),)
        question = replace(question, real=reals)
        store = Store(cache_folder() / "evaluations")
        verdict = evaluate_(question, extractor, store, progress, warn)
        if verdict is None:
            return None
        for doubt in _doubts(question, features, verdict.clone.images):
            warn(doubt)
            verdict.document["warnings"].append(doubt)
        document = verdict.document | {"report": None}
        if report is not None:
            progress(f"writing {report}", 0, 1)
            write_report(report, verdict, ["rldf", *sys.argv[1:]])
            document["report"] = str(report)
    return document


def _doubts(question: "Question", features: str, clone: "ImageSet") -> Iterator[str]:
    """Say what else may mislead, beside what the figures themselves tell."""
    from rldf.evaluation.reference import is_unfinished

    if features == "pocket" and clone.of_world is False:
        yield "pocket features know drawings: for photographs type --features clip or dinov2"
    if features == "inception" and question.duplicates:
        yield "near duplicates are better found with --features clip or dinov2 than with inception"
    if is_unfinished(clone):
        yield (
            f"{clone.root} is not finished: the figures are of the images that are there; "
            f"type 'rldf clone status {shlex.quote(str(clone.root))}'"
        )


def _clone(named: str | None) -> Path:
    from rldf.dataset.user_classes import document_path
    from rldf.errors import UsageError
    from rldf.evaluation.reference import newest_clone
    from rldf.io import distributed

    if named == "-":
        if distributed.world() > 1:
            raise UsageError("several processes cannot all read stdin: name the clone's folder")
        return document_path(sys.stdin.read(), "out")
    if named is not None:
        return Path(named)
    found = newest_clone(Path("."))
    if distributed.rank() == 0:
        output.note(f"judging {found}")
    return found


def _drawn(clone: Path, progress: "Progress") -> Path:
    from rldf.evaluation.image_sets import open_images, read_contents
    from rldf.evaluation.reference import drawn_reference
    from rldf.io.paths import cache_folder

    images = open_images(clone)
    contents = read_contents(images)
    what = "drawing the reference"
    return drawn_reference(
        images, contents, cache_folder(), lambda done, of: progress(what, done, of)
    )


def _say_nothing(message: str) -> None:
    """Leave the telling to the first process."""


def _told(document: dict[str, Any]) -> list[str]:
    from rldf.evaluation.figures import undetermined

    rows = document["real"]
    columns = [
        key
        for key in _COLUMNS
        if any(row[key] is not None or key in row["figures"] for row in rows)
    ]
    lines = [f"{document['clone']}: {document['n_clone']} images, {document['features']} features"]
    lines += output.table(
        [
            ["real images", *(_COLUMNS[key] for key in columns)],
            *([row["real"], *(_shown(row, key) for key in columns)] for row in rows),
        ]
    )
    for row in rows:
        lines += undetermined(row)
        if row["fid"] is not None:
            sizes = ", ".join(f"{p['fid']:.4g} at {p['n_clone']}" for p in row["fid_points"])
            lines.append(f"FID to {row['real']} by N: {sizes}")
    lines += _classifier_lines(document)
    if document["report"]:
        lines.append(f"look at {document['report']}")
    return lines


def _classifier_lines(document: dict[str, Any]) -> list[str]:
    course, own = document["classifier"], document["own"]
    if course is None:
        return []
    lines = [
        f"ResNet-18, {course['epochs']} epochs at {course['size']} px, {course['seeds']} trainings"
        f" on {course['n_train']} images of {course['classes']} classes"
    ]
    if own is not None:
        lines.append(f"top-1 on its own {own['n_test']} test images {_accuracy(own)}")
    for row in document["real"]:
        told = f"top-1 on {row['n_test']} of {row['real']} {_accuracy(row)}"
        if row["synthetic_real_gap"] is not None:
            told += f", gap {_figure(row, 'synthetic_real_gap')}"
        if (real := row["real_trained"]) is not None:
            told += f"; trained on {real['n_train']} real images {_accuracy(real)}"
        lines.append(told)
    return lines


def _accuracy(figures: dict[str, Any]) -> str:
    return _figure(figures, "top1")


def _figure(row: dict[str, Any], name: str) -> str:
    from rldf.stats import read_figure

    return str(read_figure(row["figures"][name]))


def _shown(row: dict[str, Any], key: str) -> str:
    from rldf.stats import UNDETERMINED

    value, record = row[key], row["figures"].get(key)
    if record is not None and not record["determined"]:
        return UNDETERMINED
    return "-" if value is None else str(value) if isinstance(value, int) else f"{value:.4g}"
