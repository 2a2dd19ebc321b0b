"""Judges a data set against real images: from a question to one document of figures."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rldf.evaluation.classification import Scores
from rldf.evaluation.downstream import Course, Exam, Taught, check_course, learn
from rldf.evaluation.examples import class_keys
from rldf.evaluation.features import FeatureExtractor, Progress, Store
from rldf.evaluation.figures import accuracy_figure, among_five, gap_figure, ratio_figure
from rldf.evaluation.pairs import (
    Document,
    Side,
    class_figures,
    duplicate_figures,
    fid_figures,
    kid_figures,
    open_side,
    prc_figures,
)
from rldf.io import distributed
from rldf.io.folder_layouts import class_word
from rldf.io.text import plain
from rldf.stats import Figure, of_mean, read_figure, share

FIGURES = (
    "n_clone", "n_real", "features", "fid", "fid_infinity", "kid", "kid_std", "precision", "recall",
    "top1", "top5", "top1_ci", "synthetic_real_gap", "near_duplicate_rate",
)  # fmt: skip
"""Keys of a document's top, and of each of its rows: null where a figure was not asked for, and
`fid_infinity` also where it is not determined. `figures` has the record of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to judge, and by which figures.

    Attributes:
        clone: the folder of the data set.
        real: folders of real images, at least one.
        fid: whether to compute the Fréchet distance.
        kid: whether to compute the kernel distance.
        prc: whether to compute precision and recall.
        duplicates: whether to look for near duplicates of real images.
        per_class: whether to give figures by class too.
        course: how to train classifiers; None for no classifier.
    """

    clone: Path
    real: tuple[Path, ...]
    fid: bool = False
    kid: bool = False
    prc: bool = False
    duplicates: bool = False
    per_class: bool = False
    course: Course | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a question.

    Attributes:
        document: the figures as JSON can say them: those of the first real folder at the top, and
            `real` with those of each.
        clone: the clone.
        reals: the real folders.
        taught: how classifiers did, None where none was asked for.
    """

    document: Document
    clone: Side
    reals: tuple[Side, ...]
    taught: Taught | None


def evaluate(
    question: Question,
    extractor: FeatureExtractor,
    store: Store,
    progress: Progress = lambda what, done, of: None,
    warn: Callable[[str], None] = lambda message: None,
) -> Verdict | None:
    """Judge a data set.

    Args:
        question: what to judge, and how.
        extractor: what looks at the images.
        store: where features, trainings and figures are kept.
        progress: told how far it is.
        warn: told what may mislead.

    Returns:
        The figures; None in any process but the first, since the others only help to train.

    Raises:
        UsageError: a folder is not there, or holds too few images or no classes.
        ImageError: an image is damaged.
        ModelMissingError: the extractor's files are not there.
    """
    if question.course is not None:
        check_course(question.course)
    warnings: list[str] = []

    def tell(message: str) -> None:
        warnings.append(message)
        warn(message)

    roots = (question.clone, *question.real)
    clone, *reals = (open_side(root, extractor, store, progress) for root in roots)
    for side in (clone, *reals):
        for note in side.images.notes:
            tell(note)
    for real in reals:
        _warn_of_other_classes(clone, real, tell)
    taught = None
    if question.course is not None:
        sets = [(side.images, side.contents) for side in reals]
        ours = clone.images, clone.contents
        taught = learn(ours, sets, question.course, store, progress, tell)
    if distributed.rank():
        return None
    rows = [_row(question, clone, real, tell) for real in reals]
    if taught is not None:
        for row, exam in zip(rows, taught.exams, strict=True):
            found = _exam_figures(taught, exam)
            row["figures"] |= found.pop("figures")
            row |= found
    if question.per_class:
        for row, real, number in zip(rows, reals, range(len(rows)), strict=True):
            row["per_class"] = _class_rows(clone, real, taught, number)
    document = {
        "clone": str(question.clone),
        **{name: rows[0][name] for name in FIGURES},
        "figures": rows[0]["figures"],
        "own": _own_figures(taught) if taught else None,
        "classifier": _classifier(question.course, taught) if question.course and taught else None,
        "warnings": warnings,
        "real": rows,
    }
    return Verdict(document=document, clone=clone, reals=tuple(reals), taught=taught)


def _warn_of_other_classes(clone: Side, real: Side, warn: Callable[[str], None]) -> None:
    """Say it where both sides have classes and not one of them is the same."""
    keys, theirs = class_keys(clone.contents), class_keys(real.contents)
    names = clone.images.class_names
    ours = {class_word(name) for key in keys for name in (key, names.get(key, key))}
    if keys and theirs and ours.isdisjoint(map(class_word, theirs)):
        warn(
            f"{clone.images.root} and {real.images.root} have no class in common (such as "
            f"{plain(names.get(keys[0], keys[0])[:80])} and {plain(theirs[0])}): the "
            "figures compare pictures of different things"
        )


def _row(question: Question, clone: Side, real: Side, warn: Callable[[str], None]) -> Document:
    row: Document = {"real": str(real.images.root), **dict.fromkeys(FIGURES)}
    row |= {"n_clone": len(clone.contents), "n_real": len(real.contents)}
    row["features"] = clone.extractor.name
    asked = {
        fid_figures: question.fid,
        kid_figures: question.kid,
        prc_figures: question.prc,
        duplicate_figures: question.duplicates,
    }
    records: Document = {}
    for compute in (compute for compute, wanted in asked.items() if wanted):
        found = compute(clone, real)
        records |= found.pop("figures")
        row |= found
    row["figures"] = records
    if question.fid:
        _warn_of_small_sets(row, warn)
    if question.duplicates:
        names = clone.contents.names, real.contents.names
        row["closest_pairs"] = [
            {
                "clone": names[0][pair["clone"]],
                "real": names[1][pair["real"]],
                "cosine": pair["cosine"],
            }
            for pair in row["closest_pairs"]
        ]
    return row


def _warn_of_small_sets(row: Document, warn: Callable[[str], None]) -> None:
    n, d = min(row["n_clone"], row["n_real"]), row["dimensions"]
    if n < d:
        warn(
            f"FID to {row['real']}: {n} images are fewer than the {d} features, so FID says more "
            "of their number than of the images; compare KID, or give more images"
        )
    elif row["fid_points"][0]["n_clone"] < d or row["fid_points"][0]["n_real"] < d:
        warn(
            f"FID to {row['real']}: a quarter of the images is fewer than the {d} features, so "
            "fid_infinity is rough"
        )


def _means(scores: Scores, n_test: int) -> Document:
    found = {"top1": accuracy_figure(scores.top1, n_test, of_mean(scores.top1))}
    found["top5"] = among_five(
        accuracy_figure(scores.top5, n_test, of_mean(scores.top5)), len(scores.confusion)
    )
    return {
        **{name: figure.value for name, figure in found.items()},
        "top1_ci": (found["top1"].low, found["top1"].high),
        "figures": {name: figure.document() for name, figure in found.items()},
    }


def _exam_figures(taught: Taught, exam: Exam) -> Document:
    found = _means(exam.scores, exam.n_test)
    found |= {"n_test": exam.n_test, "untested": list(exam.untested)}
    top1, own = read_figure(found["figures"]["top1"]), _own_figures(taught)
    found["synthetic_real_gap"] = found["real_trained"] = None
    if own is not None:
        gap = gap_figure(read_figure(own["figures"]["top1"]), top1)
        found["synthetic_real_gap"] = gap.value
        found["figures"]["synthetic_real_gap"] = gap.document()
    if exam.reference is not None:
        real = _means(exam.reference, exam.n_test)
        worth = ratio_figure(top1, read_figure(real["figures"]["top1"]))
        real["figures"]["share"] = worth.document()
        found["real_trained"] = {"n_train": exam.n_reference, **real, "share": worth.value}
    return found


def _own_figures(taught: Taught) -> Document | None:
    if taught.own is None:
        return None
    untested = list(taught.own_untested)
    return {"n_test": taught.n_own, "untested": untested, **_means(taught.own, taught.n_own)}


def _classifier(course: Course, taught: Taught) -> Document:
    return {
        "network": "resnet18",
        "n_train": taught.n_train,
        "classes": len(taught.classes),
        "unlearned": list(taught.unlearned),
        "epochs": course.epochs,
        "seeds": course.seeds,
        "size": taught.side,
    }


def _class_rows(clone: Side, real: Side, taught: Taught | None, number: int) -> list[Document]:
    """Put the figures of each class together; those of classifiers where there are any."""
    classes = taught.classes if taught else class_keys(clone.contents)
    top1 = _by_class(taught.exams[number].scores) if taught else None
    own = _by_class(taught.own) if taught and taught.own else None
    rows = class_figures(clone, real, classes)
    for i, (key, row) in enumerate(zip(classes, rows, strict=True)):
        row |= {"class": key, "name": clone.images.class_names.get(key, key)}
        for name, figures in (("top1", top1), ("own_top1", own)):
            row[name] = figures[i].value if figures else None
            if figures:
                row["figures"][name] = figures[i].document()
    return rows


def _by_class(scores: Scores) -> list[Figure]:
    """Judge the accuracy of each class; the tests of a class are the same in all trainings."""
    tests = scores.confusion.sum(1) // len(scores.top1)
    return [
        share(value, int(n), "test images") for value, n in zip(scores.by_class, tests, strict=True)
    ]
