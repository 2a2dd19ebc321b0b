"""Feature sets of a clone and of real images, and the metrics of a pair of them.

A metric is cached under the keys of both feature sets and the versions of the libraries that
compute it, so a repeated evaluation loads neither features nor models.
"""

import importlib.metadata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from rldf.errors import UsageError
from rldf.evaluation import figures
from rldf.evaluation import metrics as distances
from rldf.evaluation.features import (
    EvaluationCache,
    FeatureExtractor,
    Features,
    Progress,
    features_key,
    key_of,
    set_features,
)
from rldf.evaluation.image_sets import Contents, ImageSet, open_images, read_contents
from rldf.evaluation.metrics import near_duplicates
from rldf.io.folder_layouts import class_word
from rldf.stats import Figure

_VERSION = 2  # of the formulas in this package: raising it invalidates cached metrics
_CLASS_SUBSETS = 20  # of KID by class, where the two sets differ in size

Document = dict[str, Any]


@dataclass(frozen=True)
class FeatureSet:
    """An image set with its features, which are computed on first use."""

    images: ImageSet  # the set
    contents: Contents  # what it holds
    extractor: FeatureExtractor
    cache: EvaluationCache  # where its features are kept
    progress: Progress  # reports the computation of features

    @cached_property
    def key(self) -> str:
        """The key of the features."""
        return features_key(self.contents, self.extractor)

    @cached_property
    def features(self) -> Features:
        """(n, d) float32, in the order of the set."""
        return set_features(self.images, self.contents, self.extractor, self.cache, self.progress)

    def of_class(self, *names: str) -> list[int]:
        """List the positions of a class's images, whose folder has one of the given names."""
        words = {class_word(name) for name in names}
        labels = enumerate(self.contents.labels)
        return [i for i, label in labels if label is not None and class_word(label) in words]

    @property
    def statistics(self) -> distances.Statistics:
        """What FID needs to know of the features."""
        key = key_of("statistics", _VERSION, self.key)
        return self.cache.arrays(key, lambda: distances.statistics(self.features))


def open_feature_set(
    root: Path, extractor: FeatureExtractor, cache: EvaluationCache, progress: Progress
) -> FeatureSet:
    """Read a folder's files once, so that its content is known."""
    images = open_images(root)
    contents = read_contents(images)
    if len(contents) < distances.LEAST:
        raise UsageError(
            f"{root} has {len(contents)} images: give a folder with at least {distances.LEAST}"
        )
    return FeatureSet(images, contents, extractor, cache, progress)


def fid_figures(clone: FeatureSet, real: FeatureSet) -> Document:
    """Compute FID, at several sizes and extrapolated.

    Returns:
        "fid", "fid_points", "dimensions", the records under "figures", and "fid_infinity", which
        is None where it is not determined.
    """

    def compute() -> Document:
        whole = distances.fid(clone.statistics, real.statistics)
        points = distances.fid_points(clone.features, real.features, whole)
        dimensions = clone.features.shape[1]
        records = figures.fid_figures(whole, points, dimensions)
        end = records["fid_infinity"]
        return {
            "fid": whole,
            "fid_infinity": end["value"] if end["determined"] else None,
            "fid_points": [asdict(point) for point in points],
            "dimensions": dimensions,
            "figures": records,
        }

    found: Document = _cached("fid", clone, real, compute)
    return found


def kid_figures(clone: FeatureSet, real: FeatureSet) -> Document:
    """Compute KID."""

    def compute() -> Document:
        found = distances.kid(clone.features, real.features)
        record = figures.kid_figure(found.kid, found.std, _smaller(clone, real))
        return {
            "kid": found.kid,
            "kid_std": found.std,
            "kid_subset_size": found.subset,
            "figures": {"kid": record.document()},
        }

    found: Document = _cached("kid", clone, real, compute)
    return found


def prc_figures(clone: FeatureSet, real: FeatureSet) -> Document:
    """Compute precision and recall."""

    def compute() -> Document:
        precision, recall = distances.precision_recall(clone.features, real.features)
        n, m = (min(len(side.contents), distances.PRC_MOST) for side in (clone, real))
        records = {
            "precision": figures.coverage_figure(precision, n, m).document(),
            "recall": figures.coverage_figure(recall, m, n).document(),
        }
        return {"precision": precision, "recall": recall, "figures": records}

    found: Document = _cached("prc", clone, real, compute)
    return found


def duplicate_figures(clone: FeatureSet, real: FeatureSet) -> Document:
    """Find images of the clone that are near duplicates of real ones."""

    def compute() -> Document:
        found = near_duplicates(clone.features, real.features)
        n = len(clone.contents)
        record = figures.duplicate_figure(found.rate, n, found.calibrated)
        return {
            "figures": {"near_duplicate_rate": record.document()},
            "near_duplicate_rate": found.rate,
            "near_duplicate_threshold": found.threshold,
            "closest_pairs": [asdict(pair) for pair in found.closest],
        }

    found: Document = _cached("duplicates", clone, real, compute)
    return found


def class_figures(clone: FeatureSet, real: FeatureSet, classes: Sequence[str]) -> list[Document]:
    """Compute KID class by class: FID is meaningless for as few images as a class has.

    Returns:
        "n_clone", "n_real", "kid" (None for fewer than 2 images) and its record under "figures" of
        each class.
    """

    def compute() -> list[Document]:
        rows = []
        for key in classes:
            names = key, clone.images.class_names.get(key, key)
            ours, theirs = (side.of_class(*names) for side in (clone, real))
            n, m = len(ours), len(theirs)
            record = _class_kid(clone.features[ours], real.features[theirs])
            shown = {"kid": record.value, "figures": {"kid": record.document()}}
            rows.append({"n_clone": n, "n_real": m, **shown})
        return rows

    named = [[key, clone.images.class_names.get(key)] for key in classes]
    labels = key_of(clone.contents.labels, real.contents.labels, named)
    rows: list[Document] = _cached(f"classes {labels}", clone, real, compute)
    return rows


def _class_kid(clone: Features, real: Features) -> Figure:
    size = min(len(clone), len(real))
    if size < 2:
        return Figure(value=None, n=size, reason=f"{size} images are few")
    subsets = 1 if len(clone) == len(real) else _CLASS_SUBSETS
    kid, _ = distances.kid_of_subsets(clone, real, size, subsets)
    half = max(2, size // 2)
    _, error = distances.kid_of_subsets(clone, real, half, _CLASS_SUBSETS)
    return figures.kid_figure(kid, error, size)


def _smaller(clone: FeatureSet, real: FeatureSet) -> int:
    return min(len(clone.contents), len(real.contents))


def _cached(what: str, clone: FeatureSet, real: FeatureSet, compute: Any) -> Any:
    versions = _VERSION, importlib.metadata.version("torch-fidelity"), np.__version__
    return clone.cache.document(key_of(what, versions, clone.key, real.key), compute)
