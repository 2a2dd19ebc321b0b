"""The rows of an evaluation's document: the metrics of a clone against one real folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rldf.evaluation.classification import Scores
from rldf.evaluation.downstream import (
    DownstreamResult,
    TestResult,
    TrainConfig,
)
from rldf.evaluation.examples import class_keys
from rldf.evaluation.figures import accuracy_figure, gap_figure, ratio_figure, top5_figure
from rldf.evaluation.pairs import (
    Document,
    FeatureSet,
    class_figures,
    duplicate_figures,
    fid_figures,
    kid_figures,
    metric_key,
    prc_figures,
)
from rldf.stats import Figure, read_figure, share, t_interval

FIGURES = (
    "n_clone", "n_real", "features", "fid", "fid_infinity", "kid", "kid_std", "precision", "recall",
    "top1", "top5", "top1_ci", "synthetic_real_gap", "near_duplicate_rate",
)  # fmt: skip
"""Keys of a document's top, and of each of its rows: null where a figure was not asked for, and
`fid_infinity` also where it is not determined. `figures` has the record of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRequest:
    """What to evaluate, and which metrics to compute."""

    clone: Path  # folder of the data set
    real: tuple[Path, ...]  # folders of real images, at least one
    fid: bool = False  # Fréchet distance
    kid: bool = False  # kernel distance
    prc: bool = False  # precision and recall
    duplicates: bool = False  # near duplicates of real images
    per_class: bool = False  # the metrics of each class too
    train_config: TrainConfig | None = None  # how to train classifiers; None trains none


def real_row(
    request: EvaluationRequest, clone: FeatureSet, real: FeatureSet, warn: Callable[[str], None]
) -> Document:
    """Compute the metrics of the clone against one folder of real images."""
    row: Document = {"real": str(real.images.root), **dict.fromkeys(FIGURES)}
    row |= {"n_clone": len(clone.contents), "n_real": len(real.contents)}
    row["features"] = clone.extractor.name
    asked = {
        "fid": (request.fid, fid_figures),
        "kid": (request.kid, kid_figures),
        "prc": (request.prc, prc_figures),
        "duplicates": (request.duplicates, duplicate_figures),
    }
    records: Document = {}
    for what, (wanted, compute) in asked.items():
        if not wanted:
            continue
        key = metric_key(what, clone, real)
        found = clone.cache.find_document(key)
        if found is None:
            found = clone.cache.keep_document(key, compute(clone, real))
        records |= found.pop("figures")
        row |= found
    row["figures"] = records
    if request.fid:
        _warn_of_small_sets(row, warn)
    if request.duplicates:
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
    found = {"top1": accuracy_figure(scores.top1, n_test, t_interval(scores.top1))}
    found["top5"] = top5_figure(
        accuracy_figure(scores.top5, n_test, t_interval(scores.top5)), len(scores.confusion)
    )
    return {
        **{name: figure.value for name, figure in found.items()},
        "top1_ci": (found["top1"].low, found["top1"].high),
        "figures": {name: figure.document() for name, figure in found.items()},
    }


def downstream_figures(downstream: DownstreamResult, test: TestResult) -> Document:
    """Compute the accuracies on one folder of real images, and what they are compared with."""
    found = _means(test.scores, test.n_test)
    found |= {"n_test": test.n_test, "untested": list(test.untested)}
    top1, own = read_figure(found["figures"]["top1"]), own_figures(downstream)
    found["synthetic_real_gap"] = found["real_trained"] = None
    if own is not None:
        gap = gap_figure(read_figure(own["figures"]["top1"]), top1)
        found["synthetic_real_gap"] = gap.value
        found["figures"]["synthetic_real_gap"] = gap.document()
    if test.reference is not None:
        real = _means(test.reference, test.n_test)
        worth = ratio_figure(top1, read_figure(real["figures"]["top1"]))
        real["figures"]["share"] = worth.document()
        found["real_trained"] = {"n_train": test.n_reference, **real, "share": worth.value}
    return found


def own_figures(downstream: DownstreamResult) -> Document | None:
    """Compute the accuracies on the clone's own test images; None where it has none."""
    if downstream.own is None:
        return None
    untested = list(downstream.own_untested)
    return {
        "n_test": downstream.n_own,
        "untested": untested,
        **_means(downstream.own, downstream.n_own),
    }


def classifier_document(train_config: TrainConfig, downstream: DownstreamResult) -> Document:
    """Describe how the classifiers were trained."""
    return {
        "network": "resnet18",
        "n_train": downstream.n_train,
        "classes": len(downstream.classes),
        "unlearned": list(downstream.unlearned),
        "epochs": train_config.epochs,
        "seeds": train_config.seeds,
        "size": downstream.side,
    }


def class_rows(
    clone: FeatureSet, real: FeatureSet, downstream: DownstreamResult | None, number: int
) -> list[Document]:
    """Compute the metrics of each class, with classifier accuracies where there are any."""
    classes = downstream.classes if downstream else class_keys(clone.contents)
    top1 = _by_class(downstream.tests[number].scores) if downstream else None
    own = _by_class(downstream.own) if downstream and downstream.own else None
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
