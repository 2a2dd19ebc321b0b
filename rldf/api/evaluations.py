"""`rldf.evaluate`: a data set compared with real images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rldf.api.progress import Progress, told
from rldf.dataset.job import CloneResult
from rldf.errors import UsageError
from rldf.evaluation import evaluate as evaluation
from rldf.evaluation.downstream import TrainConfig
from rldf.evaluation.rows import FIGURES

METRICS = ("fid", "kid", "prc", "duplicates")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationResult:
    """Figures of a data set against real images.

    Attributes:
        document: all figures as JSON can say them, as `rldf evaluate --json` prints them:
            those of the first real folder at the top, those of each below "real".
        warnings: what may mislead, one line each.
    """

    document: Mapping[str, Any]
    warnings: tuple[str, ...]
    _evaluation: evaluation.EvaluationResult

    def __getitem__(self, name: str) -> Any:
        """Return a figure of the first real folder; None where it was not asked for.

        Args:
            name: "fid" (0 and up, lower is closer), "fid_infinity", "kid", "kid_std",
                "precision", "recall", "near_duplicate_rate", "top1", "top5" (shares, 0 to 1),
                "n_clone" or "n_real" (images).

        Raises:
            KeyError: there is no such figure.
        """
        if name not in FIGURES:
            raise KeyError(f"{name}: give one of {', '.join(FIGURES)}")
        return self.document[name]

    def write_report(self, path: str | Path) -> Path:
        """Write an HTML page with figures, curves and closest pairs that opens offline.

        Raises:
            UsageError: something else is there, or it cannot be written.
        """
        from rldf.evaluation.report import check_target, write_report

        check_target(Path(path))
        write_report(Path(path), self._evaluation, ["rldf.evaluate(...)"])
        return Path(path)

    def _repr_html_(self) -> str:
        """Show the figures as a table, in a notebook."""
        from rldf.report.html import text

        cells = {name: self.document[name] for name in FIGURES if self.document[name] is not None}
        rows = "".join(
            f"<tr><th>{text(name)}</th><td>{text(_shown(value))}</td></tr>"
            for name, value in cells.items()
        )
        return f"<table>{rows}</table>"


def evaluate(
    clone: str | Path | CloneResult,
    real: str | Path | Sequence[str | Path] = (),
    *,
    metrics: Sequence[str] = METRICS,
    features: str = "pocket",
    models: str = "auto",
    per_class: bool = False,
    train: TrainConfig | None = None,
    progress: Progress | bool = False,
) -> EvaluationResult:
    """Compare a data set with real images.

    Args:
        clone: what `clone` returned, the folder of a data set, or any folder of images.
        real: one or more folders of real images; the folders of RLDF_REAL where left out, else
            for a data set by the pocket models drawings of its classes, made once.
        metrics: which figures: of "fid" (Fréchet distance, arXiv:1706.08500), "kid" (kernel
            distance, arXiv:1801.01401), "prc" (precision and recall, arXiv:1904.06991) and
            "duplicates" (near duplicates of real images).
        features: the network that turns images into vectors: "pocket", "inception", "clip",
            "dinov2", or a path.
        models: the model set whose CLIP features="clip" is.
        per_class: compute the figures of each class too.
        train: how to train a classifier on the data set and test it on real images; None for no
            training.
        progress: True for bars, or a function called with (what is done, done, of).

    Returns:
        The figures: `result["fid"]`, and all of them in `result.document`.

    Raises:
        UsageError: a folder is missing or holds too few images, or a metric is not known.
        ImageError: an image is damaged.
        ModelMissingError: the network's files are not on this machine.
    """
    if unknown := [name for name in metrics if name not in METRICS]:
        raise UsageError(f"metrics={unknown[0]!r}: give some of {', '.join(METRICS)}")
    folder = clone.out if isinstance(clone, CloneResult) else Path(clone)
    with told(progress) as show:
        found = evaluation.evaluate(
            folder,
            real=real or None,
            fid="fid" in metrics,
            kid="kid" in metrics,
            prc="prc" in metrics,
            duplicates="duplicates" in metrics,
            classify=train or False,
            per_class=per_class,
            features=features,
            models=models,
            progress=show,
        )
    if found is None:
        raise UsageError("rldf.evaluate returns figures in the first process of a group alone")
    return EvaluationResult(document=found.document, warnings=found.warnings, _evaluation=found)


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
