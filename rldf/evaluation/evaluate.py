"""Evaluates a data set against real images: distances, classifiers, near duplicates."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rldf.evaluation.downstream import (
    DownstreamResult,
    TestResult,
    TrainConfig,
    check_train_config,
    learn,
)
from rldf.evaluation.examples import class_keys
from rldf.evaluation.extractors import find_extractor
from rldf.evaluation.features import EvaluationCache, FeatureExtractor, Progress
from rldf.evaluation.image_sets import ImageSet, open_images, read_contents
from rldf.evaluation.metrics import FidPoint
from rldf.evaluation.pairs import (
    Document,
    FeatureSet,
    open_feature_set,
)
from rldf.evaluation.reference import drawn_reference, is_unfinished, real_folders
from rldf.evaluation.rows import (
    FIGURES,
    EvaluationRequest,
    class_rows,
    classifier_document,
    downstream_figures,
    own_figures,
    real_row,
)
from rldf.io import distributed
from rldf.io.folder_layouts import class_word
from rldf.io.paths import cache_folder
from rldf.io.text import plain
from rldf.stats import Figure, read_figure


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosestPair:
    """An image of the clone and its nearest real image, by name within their sets."""

    clone: str
    real: str
    cosine: float  # of their features, -1 to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RealComparison:
    """The metrics of the clone against one folder of real images."""

    real: Path
    n_real: int  # its images
    figures: Mapping[str, Figure]  # by metric: "fid", "kid", "top1", ...; only those asked for
    fid_points: tuple[FidPoint, ...]  # FID at several sample sizes, small to large
    closest_pairs: tuple[ClosestPair, ...]  # the ten nearest pairs, nearest first
    test: TestResult | None  # the classifiers' test on this folder


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationResult:
    """The evaluation of a data set against real images.

    Attributes:
        n_clone: images of the clone.
        features: name of the feature extractor.
        comparisons: one for each folder of real images, in the order given.
        downstream: results of the classifiers; None if none were trained.
        warnings: what may mislead, one sentence each.
        document: the same as JSON: the first comparison at the top, and "real" with all of them.
        clone: the clone's images and features.
        reals: the real folders' images and features.
    """

    n_clone: int
    features: str
    comparisons: tuple[RealComparison, ...]
    downstream: DownstreamResult | None
    warnings: tuple[str, ...]
    document: Document = field(repr=False)
    clone: FeatureSet = field(repr=False)
    reals: tuple[FeatureSet, ...] = field(repr=False)

    @property
    def figures(self) -> Mapping[str, Figure]:
        """The metrics against the first folder of real images, by name."""
        return self.comparisons[0].figures


def evaluate(
    clone: str | Path,
    *,
    real: str | Path | Sequence[str | Path] | None = None,
    fid: bool = False,
    kid: bool = False,
    prc: bool = False,
    duplicates: bool = False,
    classify: bool | TrainConfig = False,
    per_class: bool = False,
    features: str = "pocket",
    models: str = "pocket",
    progress: Progress = lambda what, done, of: None,
    warn: Callable[[str], None] = lambda message: None,
) -> EvaluationResult | None:
    """Evaluate a data set against real images.

    Without `fid`, `kid`, `prc`, `duplicates` and `classify`, the first four are computed.

    Args:
        clone: a clone, or any folder of images.
        real: folders of real images; None takes those of RLDF_REAL, or for a clone of the pocket
            world a reference rendered once.
        fid: compute the Fréchet distance at several sample sizes, and extrapolated.
        kid: compute the kernel distance with its error.
        prc: compute precision and recall.
        duplicates: find near duplicates of real images.
        classify: train ResNet-18 on the data set and test it on the real images.
        per_class: compute metrics of each class too.
        features: pocket, clip, dinov2, inception, or the path of a model.
        models: model set whose CLIP is used with features="clip".
        progress: called with the current step, the number done and the total.
        warn: called with each warning as it arises.

    Returns:
        The result; None in every process but the first of a distributed launch.

    Raises:
        UsageError: a folder does not exist, has too few images or no classes.
        ImageError: an image is damaged.
        ModelMissingError: the files of the feature extractor are not there.
    """
    root = Path(clone)
    named = [real] if isinstance(real, str | Path) else real or []
    config = TrainConfig() if classify is True else classify or None
    if config is not None:
        check_train_config(config)
    extractor = find_extractor(features, models)
    reals = real_folders([Path(folder) for folder in named]) or (_reference(root, progress),)
    all_four = not (fid or kid or prc or duplicates or config)
    request = EvaluationRequest(
        clone=root,
        real=reals,
        fid=fid or all_four,
        kid=kid or all_four,
        prc=prc or all_four,
        duplicates=duplicates or all_four,
        per_class=per_class,
        train_config=config,
    )
    cache = EvaluationCache(cache_folder() / "evaluations")
    result = evaluate_request(request, extractor, cache, progress, warn)
    if result is None:
        return None
    doubts = tuple(_doubts(request, features, result.clone.images))
    for doubt in doubts:
        warn(doubt)
    warnings = (*result.warnings, *doubts)
    return replace(result, warnings=warnings, document=result.document | {"warnings": [*warnings]})


def _reference(clone: Path, progress: Progress) -> Path:
    images = open_images(clone)
    return drawn_reference(
        images,
        read_contents(images),
        cache_folder(),
        lambda done, of: progress("rendering the reference", done, of),
    )


def _doubts(request: EvaluationRequest, features: str, clone: ImageSet) -> Iterator[str]:
    """Name what else may mislead, beside what the figures themselves say."""
    if features == "pocket" and clone.of_world is False:
        yield "pocket features know drawings: for photographs type --features clip or dinov2"
    if features == "inception" and request.duplicates:
        yield "near duplicates are better found with --features clip or dinov2 than with inception"
    if is_unfinished(clone):
        yield (
            f"{clone.root} is not finished: the figures are of the images that are there; "
            f"type 'rldf clone status {shlex.quote(str(clone.root))}'"
        )


def evaluate_request(
    request: EvaluationRequest,
    extractor: FeatureExtractor,
    cache: EvaluationCache,
    progress: Progress = lambda what, done, of: None,
    warn: Callable[[str], None] = lambda message: None,
) -> EvaluationResult | None:
    """Judge a data set.

    Returns:
        The result; None in every process but the first, since the others only help to train.
    """
    if request.train_config is not None:
        check_train_config(request.train_config)
    warnings: list[str] = []

    def tell(message: str) -> None:
        warnings.append(message)
        warn(message)

    roots = (request.clone, *request.real)
    clone, *reals = (open_feature_set(root, extractor, cache, progress) for root in roots)
    for side in (clone, *reals):
        for note in side.images.notes:
            tell(note)
    for real in reals:
        _warn_of_other_classes(clone, real, tell)
    downstream = None
    if request.train_config is not None:
        sets = [(side.images, side.contents) for side in reals]
        ours = clone.images, clone.contents
        downstream = learn(ours, sets, request.train_config, cache, progress, tell)
    if distributed.rank():
        return None
    rows = []
    for real in reals:
        rows.append(real_row(request, clone, real, tell))
    if downstream is not None:
        for row, test in zip(rows, downstream.tests, strict=True):
            found = downstream_figures(downstream, test)
            row["figures"] |= found.pop("figures")
            row |= found
    if request.per_class:
        for row, real, number in zip(rows, reals, range(len(rows)), strict=True):
            row["per_class"] = class_rows(clone, real, downstream, number)
    document = {
        "clone": str(request.clone),
        **{name: rows[0][name] for name in FIGURES},
        "figures": rows[0]["figures"],
        "own": own_figures(downstream) if downstream else None,
        "classifier": classifier_document(request.train_config, downstream)
        if request.train_config and downstream
        else None,
        "warnings": warnings,
        "real": rows,
    }
    tests = downstream.tests if downstream else (None,) * len(rows)
    return EvaluationResult(
        n_clone=len(clone.contents),
        features=extractor.name,
        comparisons=tuple(map(_comparison, rows, tests)),
        downstream=downstream,
        warnings=tuple(warnings),
        document=document,
        clone=clone,
        reals=tuple(reals),
    )


def _comparison(row: Document, test: TestResult | None) -> RealComparison:
    """Read the typed record of one real folder from its part of the document."""
    return RealComparison(
        real=Path(row["real"]),
        n_real=row["n_real"],
        figures={name: read_figure(record) for name, record in row["figures"].items()},
        fid_points=tuple(FidPoint(**point) for point in row.get("fid_points", ())),
        closest_pairs=tuple(ClosestPair(**pair) for pair in row.get("closest_pairs", ())),
        test=test,
    )


def _warn_of_other_classes(
    clone: FeatureSet, real: FeatureSet, warn: Callable[[str], None]
) -> None:
    """Warn if both sets have classes and no class is in both."""
    keys, theirs = class_keys(clone.contents), class_keys(real.contents)
    names = clone.images.class_names
    ours = {class_word(name) for key in keys for name in (key, names.get(key, key))}
    if keys and theirs and ours.isdisjoint(map(class_word, theirs)):
        warn(
            f"{clone.images.root} and {real.images.root} have no class in common (such as "
            f"{plain(names.get(keys[0], keys[0])[:80])} and {plain(theirs[0])}): the "
            "figures compare images of different things"
        )
