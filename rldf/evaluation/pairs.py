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
    extract,
    features_key,
)
from rldf.evaluation.image_sets import Contents, ImageSet, open_images, read_contents
from rldf.evaluation.metrics import near_duplicates
from rldf.io.cache import key_of
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
        found = self.cache.find_arrays(self.key)
        if found is None:
            rows = extract(self.images, len(self.contents), self.extractor, self.progress)
            found = self.cache.keep_arrays(self.key, {"features": rows})
        return found["features"].astype(np.float32, copy=False)

    def of_class(self, *names: str) -> list[int]:
        """List the positions of a class's images, whose folder has one of the given names."""
        words = {class_word(name) for name in names}
        labels = enumerate(self.contents.labels)
        return [i for i, label in labels if label is not None and class_word(label) in words]

    @property
    def statistics(self) -> distances.Statistics:
        """What FID needs to know of the features."""
        key = key_of("statistics", _VERSION, self.key)
        found = self.cache.find_arrays(key)
        if found is None:
            found = self.cache.keep_arrays(key, distances.statistics(self.features))
        return found


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


def metric_key(what: str, clone: FeatureSet, real: FeatureSet) -> str:
    """Return the key of a metric: the two feature sets, and what computes it."""
    versions = _VERSION, importlib.metadata.version("torch-fidelity"), np.__version__
    return key_of(what, versions, clone.key, real.key)


def fid_figures(clone: FeatureSet, real: FeatureSet) -> Document:
    """Compute FID, at several sizes and extrapolated.

    Returns:
        "fid", "fid_points", "dimensions", the records under "figures", and "fid_infinity", which
        is None where it is not determined.
    """
    ours, theirs = clone.features, real.features
    whole = distances.fid(clone.statistics, real.statistics)
    points = distances.fid_points(ours, theirs, whole)
    dimensions = ours.shape[1]
    records = figures.fid_figures(whole, points, dimensions)
    end = records["fid_infinity"]
    return {
        "fid": whole,
        "fid_infinity": end["value"] if end["determined"] else None,
        "fid_points": [asdict(point) for point in points],
        "dimensions": dimensions,
        "figures": records,
    }


def kid_figures(clone: FeatureSet, real: FeatureSet) -> Document:
    """Compute KID."""
    kid = distances.kid(clone.features, real.features)
    record = figures.kid_figure(kid.kid, kid.std, _smaller(clone, real))
    return {
        "kid": kid.kid,
        "kid_std": kid.std,
        "kid_subset_size": kid.subset,
        "figures": {"kid": record.document()},
    }


def prc_figures(clone: FeatureSet, real: FeatureSet) -> Document:
    """Compute precision and recall."""
    precision, recall = distances.precision_recall(clone.features, real.features)
    n, m = (min(len(side.contents), distances.PRC_MOST) for side in (clone, real))
    records = {
        "precision": figures.coverage_figure(precision, n, m).document(),
        "recall": figures.coverage_figure(recall, m, n).document(),
    }
    return {"precision": precision, "recall": recall, "figures": records}


def duplicate_figures(clone: FeatureSet, real: FeatureSet) -> Document:
    """Find images of the clone that are near duplicates of real ones."""
    near = near_duplicates(clone.features, real.features)
    record = figures.duplicate_figure(near.rate, len(clone.contents), near.calibrated)
    return {
        "figures": {"near_duplicate_rate": record.document()},
        "near_duplicate_rate": near.rate,
        "near_duplicate_threshold": near.threshold,
        "closest_pairs": [asdict(pair) for pair in near.closest],
    }


def class_figures(clone: FeatureSet, real: FeatureSet, classes: Sequence[str]) -> list[Document]:
    """Compute KID class by class: FID is meaningless for as few images as a class has.

    Returns:
        "n_clone", "n_real", "kid" (None for fewer than 2 images) and its record under "figures" of
        each class.
    """
    named = [[name, clone.images.class_names.get(name)] for name in classes]
    labels = key_of(clone.contents.labels, real.contents.labels, named)
    key = metric_key(f"classes {labels}", clone, real)
    found: list[Document] | None = clone.cache.find_document(key)
    if found is not None:
        return found
    rows = []
    for label in classes:
        names = label, clone.images.class_names.get(label, label)
        ours, theirs = (side.of_class(*names) for side in (clone, real))
        n, m = len(ours), len(theirs)
        record = _class_kid(clone.features[ours], real.features[theirs])
        shown = {"kid": record.value, "figures": {"kid": record.document()}}
        rows.append({"n_clone": n, "n_real": m, **shown})
    kept: list[Document] = clone.cache.keep_document(key, rows)
    return kept


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
