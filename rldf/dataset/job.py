"""Plans clones and draws them.

`prepare_clone` and `prepare_imagenet` check every option and plan the clone; what they return can
estimate the clone or draw it. Nothing here prints.
"""

import io
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, get_args

from rldf.dataset.build import CloneProgress, Estimate, calibrate, make_clone
from rldf.dataset.config import PlanConfig, drawn_by, imagenet_config, user_config
from rldf.dataset.formats import FORMATS
from rldf.dataset.image_file import ImageFormat
from rldf.dataset.layout import (
    CloneFolder,
    agree_on_generator,
    check_models,
    check_place,
    enter_folder,
    refuse_foreign,
)
from rldf.dataset.plan import Plan, make_plan
from rldf.dataset.presets import load_preset, with_preset
from rldf.dataset.record import CloneRecord, Searched, VerifyBy, new_record
from rldf.dataset.render import Renderer, compiling, make_renderer, write_config
from rldf.dataset.sharding import ShardSlice, Worker, parse_slice, this_worker
from rldf.dataset.splits import parse_splits, usual_splits
from rldf.dataset.user_classes import find_classes, input_grammar, sort_inputs
from rldf.dataset.verify import Problem, repair
from rldf.errors import RldfError, UsageError
from rldf.models.model_sets import ModelSet, load_model_set, model_set_names
from rldf.perception.encoder import Encoder

PER_CLASS = 100
"""Images of a class where neither their number nor the splits are given."""

Progress = Callable[[str, int, int], None]
"""Called with the stage, how much of it is done and of how much (0 where that is not known).

Stages are "planning", "loading the models", "writing the plan" and "images".
"""

_PAUSE = 0.5  # s between two counts of the images of all processes


def no_progress(stage: str, done: int, total: int) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneOptions:
    """The options that clones of all kinds have.

    Attributes:
        out: the folder; None for one in ./clones, named after classes, models and size.
        models: a model set: its name, its file, or an object.
        grammar: name or file; None for the one that suits models and classes.
        preset: how images vary: "train" or "paper".
        per_class: images of a class; None for 100, or for what `splits` says.
        splits: images of a class by split, or text such as "train=0.9,val=0.05,test=0.05".
        format: export format: "imagefolder", "webdataset" or "parquet".
        image_format: "jpg" (quality 95) or "png".
        seed: of the plan; image k of a class depends on it, the class and k alone.
        shard: "i/N" to draw part i of N of the work alone.
        batch_size: images drawn at once; None for 8, or 16 on an Nvidia GPU.
        compile: compile the generator first, which pays off for thousands of images.
        verify_labels: draw images again in which "detector" or "clip" does not see their class.
        safety_checker: use the safety checker that the models ship.
    """

    out: str | Path | None = None
    models: str | Path | ModelSet = "auto"
    grammar: str | Path | None = None
    preset: str = "train"
    per_class: int | None = None
    splits: str | Mapping[str, int] | None = None
    format: str = "imagefolder"
    image_format: str = "jpg"
    seed: int = 0
    shard: str | None = None
    batch_size: int | None = None
    compile: bool = False
    verify_labels: str | None = None
    safety_checker: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneResult:
    """A clone, and what one call did for it.

    Attributes:
        out: its folder.
        classes: names of the classes, in the order of their labels.
        counts: of the whole clone ("images", "splits", "rejected", ...); {} while other processes
            have work left.
        shards_left: work shards that are not drawn yet.
        written: images that this call wrote.
        seconds: time that this call took for drawing and writing.
        warnings: what was doubtful when classes were read in images.
        folder: the clone's folder, for further questions.
    """

    out: Path
    classes: tuple[str, ...]
    counts: Mapping[str, Any]
    shards_left: int
    written: int
    seconds: float
    warnings: tuple[str, ...]
    folder: CloneFolder

    @property
    def images(self) -> int:
        """Images of the whole clone; 0 until it is finished."""
        return int(self.counts.get("images", 0))

    @property
    def splits(self) -> Mapping[str, int]:
        """Images by split; {} until the clone is finished."""
        return dict(self.counts.get("splits", {}))


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneJob:
    """A planned clone; nothing is written until it is drawn."""

    plan: Plan
    record: CloneRecord
    out: Path
    models: ModelSet
    part: ShardSlice
    batch_size: int | None
    worker: Worker

    def estimate(self) -> Estimate:
        """Draw a few images (none by a server) and estimate bytes and hours of the whole clone."""
        source = self.record.write.source_type
        found = calibrate(self.plan, self._renderer(), source)
        return replace(found, warnings=self.record.doubts)

    def draw(self, progress: Progress = no_progress) -> CloneResult:
        """Draw what is missing of the clone.

        Args:
            progress: called from this thread, at most twice a second while images are drawn.

        Returns:
            The clone.

        Raises:
            RunError: the folder holds something else, or a clone of other options.
            RldfError: all images were rejected, or the disk is full.
        """
        check_place(self.out, self.record)
        progress("loading the models", 0, 0)
        renderer = self._renderer()
        progress("writing the plan", 0, 0)
        folder = enter_folder(self.out, self.record)
        agree_on_generator(folder, renderer.generator.identity)
        report = _ImageProgress(folder, len(self.plan), progress)
        built = make_clone(folder, self.plan, renderer, self.part, report)
        report.last()
        counts = built.counts or {}
        if counts and not counts["images"]:
            reasons = ", ".join(f"{n} {reason}" for reason, n in counts["rejected"].items())
            raise RldfError(
                f"{folder.root}: no image is left, all were rejected ({reasons}): name other "
                "classes or models, and another --out"
            )
        return CloneResult(
            out=folder.root,
            classes=tuple(label.name for label in folder.record.classes),
            counts=counts,
            shards_left=built.shards_left,
            written=built.images,
            seconds=built.seconds,
            warnings=folder.record.doubts,
            folder=folder,
        )

    def _renderer(self) -> Renderer:
        return make_renderer(
            self.models,
            self.plan,
            self.record.write,
            batch_size=self.batch_size,
            device=self.worker.device,
        )


class _ImageProgress:
    """Reports the images of all processes, with a pause between two counts of them."""

    def __init__(self, folder: CloneFolder, total: int, progress: Progress) -> None:
        self._count = CloneProgress(folder).count
        self._total, self._progress = total, progress
        self._next = 0.0
        self()

    def __call__(self, *_: object) -> None:
        if self._progress is not no_progress and time.monotonic() >= self._next:
            self.last()
            self._next = time.monotonic() + _PAUSE

    def last(self) -> None:
        """Report now."""
        if self._progress is not no_progress:
            self._progress("images", self._count(), self._total)


def prepare_clone(
    inputs: Sequence[str | Path],
    options: CloneOptions,
    *,
    class_nouns: Mapping[str, str] | None = None,
    stdin: IO[str] | None = None,
    warn: Callable[[str], None] = lambda message: None,
    progress: Progress = no_progress,
    worker: Worker | None = None,
) -> CloneJob:
    """Plan a clone with a class for each input; "-" reads a search's document from `stdin`."""
    given = sort_inputs([str(path) for path in inputs], stdin or io.StringIO())
    for note in (*(note for run in given.runs for note in run.notes), *given.notes):
        warn(note)
    doubts: list[str] = []

    def configure(models: ModelSet, splits: Mapping[str, int]) -> PlanConfig:
        words = input_grammar(
            given, _text(options.grammar), models.file.vocabulary_grammar, models.file.grammar
        )
        found = find_classes(given, Encoder(words, models, models.file), class_nouns, doubts.append)
        for doubt in doubts:
            warn(doubt)
        return user_config(
            models, found=found, grammar=words, splits=splits, preset=options.preset,
            seed=options.seed,
            image_format=one_of("--image-format", options.image_format, get_args(ImageFormat)),
        )  # fmt: skip

    source = _Source(given.name, configure, given.searches, doubts)
    return _prepare(source, options, progress, worker)


def prepare_imagenet(
    classes: int | str | Path | None,
    options: CloneOptions,
    *,
    progress: Progress = no_progress,
    worker: Worker | None = None,
) -> CloneJob:
    """Plan a clone of ImageNet's classes."""

    def configure(models: ModelSet, splits: Mapping[str, int]) -> PlanConfig:
        return imagenet_config(
            models, classes=_text(classes), splits=splits, preset=options.preset,
            grammar=_text(options.grammar), seed=options.seed,
            image_format=one_of("--image-format", options.image_format, get_args(ImageFormat)),
        )  # fmt: skip

    return _prepare(_Source("imagenet", configure), options, progress, worker)


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the classes of a clone come from."""

    name: str
    configure: Callable[[ModelSet, Mapping[str, int]], PlanConfig]
    searches: tuple[Searched, ...] = ()
    doubts: Sequence[str] = field(default_factory=list)


def _prepare(
    source: _Source, options: CloneOptions, progress: Progress, worker: Worker | None
) -> CloneJob:
    splits = splits_of(options.splits, options.per_class)
    format = one_of("--format", options.format, FORMATS)
    one_of("--image-format", options.image_format, get_args(ImageFormat))
    verify = options.verify_labels
    by = None if verify is None else one_of("--verify-labels", verify, get_args(VerifyBy))
    part = parse_slice(options.shard)
    if options.out is not None:
        refuse_foreign(Path(options.out))  # before models are loaded
    worker = worker or this_worker()
    base = options.models
    if not isinstance(base, ModelSet):
        base = load_model_set(str(base), worker.device)
    models = with_preset(base, load_preset(options.preset))
    drawing = compiling(models) if options.compile else models
    progress("planning", 0, 0)
    plan = make_plan(source.configure(base, splits))
    write = write_config(
        models, len(plan), format=format, verify_labels=by, safety_checker=options.safety_checker
    )
    size = f"{len(plan.classes)}x{plan.config.per_class}"
    return CloneJob(
        plan=plan,
        record=new_record(plan.config, write, source.searches, tuple(source.doubts)),
        # named so that the same call finds it again
        out=Path(options.out or Path("clones", f"{source.name}-{models.file.name}-{size}")),
        models=drawing,
        part=part,
        batch_size=options.batch_size,
        worker=worker,
    )


def repair_clone(
    folder: CloneFolder,
    problems: Sequence[Problem],
    *,
    models: str | ModelSet | None = None,
    batch_size: int | None = None,
) -> int:
    """Draw the wrong images of a clone again; models None is the shipped set that drew it.

    Returns:
        How many images were written again.

    Raises:
        UsageError: the model set has to be named.
        RunError: it is not the one that drew the clone.
    """
    name = models or str(folder.record.plan.models.get("name"))
    if models is None and name not in model_set_names():
        raise UsageError(
            f"{folder.root} was drawn by model set {name}, which does not ship with rldf: type "
            "--models with its file, or --models openai:MODEL and --base-url for an images API"
        )
    worker, plan = this_worker(), make_plan(folder.record.plan)
    base = name if isinstance(name, ModelSet) else load_model_set(name, worker.device)
    drew = with_preset(base, folder.record.plan.preset)
    check_models(folder, drawn_by(drew))
    renderer = make_renderer(
        drew, plan, folder.record.write, batch_size=batch_size, device=worker.device
    )
    agree_on_generator(folder, renderer.generator.identity)
    return repair(folder, plan, renderer, problems)


def splits_of(splits: str | Mapping[str, int] | None, per_class: int | None) -> dict[str, int]:
    """Return the images of a class by split, from what was asked for."""
    if splits is None:
        return usual_splits(PER_CLASS if per_class is None else per_class)
    if not isinstance(splits, str):
        splits = ",".join(f"{name}={number}" for name, number in splits.items())
    return parse_splits(splits, per_class)


def one_of(option: str, given: str, allowed: Iterable[str]) -> Any:
    """Return a word if it is allowed; UsageError otherwise."""
    words = list(allowed)
    if given not in words:
        raise UsageError(f"{option} {given}: type one of {', '.join(words)}")
    return given


def _text(value: object | None) -> str | None:
    return None if value is None else str(value)
