"""`rldf evaluate`: compare a data set with real images."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from rldf.cli import output
from rldf.cli.model_choice import settle, tell
from rldf.io.text import counted
from rldf.models.auto import AUTO

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
            "models a reference of its classes, rendered once.",
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
        typer.Option(help="Feature extractor: pocket, inception, clip, dinov2, or a path."),
    ] = "pocket",
    models: Annotated[str, typer.Option(help="Model set whose CLIP --features clip uses.")] = AUTO,
    classify: Annotated[
        bool, typer.Option("--classify", help="Train ResNet-18 on it, and test on real images.")
    ] = False,
    epochs: Annotated[int, typer.Option(help="Epochs of each training.")] = 200,
    classifier_seeds: Annotated[int, typer.Option(help="Trainings of each kind.")] = 3,
    classifier_size: Annotated[
        int | None,
        typer.Option(help="Input size of the classifier, px. Default: 7/16 of the image size."),
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
    """Evaluate a data set: distances to real images, downstream accuracy, near duplicates.

    Without --fid, --kid, --prc, --duplicates and --classify the first four are computed.
    """
    from rldf.evaluation.downstream import TrainConfig, check_train_config
    from rldf.evaluation.evaluate import evaluate as evaluate_
    from rldf.evaluation.report import check_target, write_report
    from rldf.io import distributed

    config = None
    if classify:
        config = TrainConfig(
            epochs=epochs, seeds=classifier_seeds, side=classifier_size, reference=reference
        )
        check_train_config(config)
    folder = _clone(clone)
    if report_to is None and report:
        name = f"{folder.resolve().name or 'clone'}-{datetime.now():%Y%m%d-%H%M%S}.html"
        report_to = Path("evaluations") / name
    if report_to is not None:
        check_target(report_to)
    first = distributed.rank() == 0
    if features == "clip":  # no other extractor needs a model set
        choice = settle(models)
        if first:
            tell(choice)
        models = choice.name
    with output.bars(quiet=quiet or as_json or not first) as progress:
        result = evaluate_(
            folder, real=real, fid=fid, kid=kid, prc=prc, duplicates=duplicates,
            classify=config or False, per_class=per_class, features=features, models=models,
            progress=progress, warn=output.warn if first else _ignore,
        )  # fmt: skip
        if result is None:
            return
        if report_to is not None:
            progress(f"writing {report_to}", 0, 1)
            write_report(report_to, result, ["rldf", *sys.argv[1:]])
    document = result.document | {"report": None if report_to is None else str(report_to)}
    output.result(document, _told(document), as_json=as_json)


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


def _ignore(message: str) -> None:
    """Warnings are shown by the first process alone."""


def _told(document: dict[str, Any]) -> list[str]:
    from rldf.evaluation.figures import undetermined

    rows = document["real"]
    columns = [
        key
        for key in _COLUMNS
        if any(row[key] is not None or key in row["figures"] for row in rows)
    ]
    lines = [
        f"{document['clone']}: {counted(document['n_clone'], 'image')}, "
        f"{document['features']} features"
    ]
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
    trained, own = document["classifier"], document["own"]
    if trained is None:
        return []
    lines = [
        f"ResNet-18, {counted(trained['epochs'], 'epoch')} at {trained['size']} px, "
        f"{counted(trained['seeds'], 'training')} on "
        f"{counted(trained['n_train'], 'image')} of {counted(trained['classes'], 'class')}"
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
