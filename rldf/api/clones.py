"""`rldf.clone` and `rldf.clone_imagenet`: a labelled data set, drawn."""

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from rldf.api.inputs import ImageLike, image_file
from rldf.api.progress import Progress, told
from rldf.api.searches import SearchResult
from rldf.dataset.build import Progress as Counter
from rldf.dataset.build import make_clone
from rldf.dataset.config import PlanConfig, imagenet_config, user_config
from rldf.dataset.formats import Format
from rldf.dataset.image_file import ImageFormat
from rldf.dataset.layout import (
    CloneFolder,
    agree_on_generator,
    check_place,
    enter_folder,
    refuse_foreign,
)
from rldf.dataset.plan import make_plan
from rldf.dataset.presets import load_preset, with_preset
from rldf.dataset.record import Searched, VerifyBy, new_record
from rldf.dataset.render import compiling, make_artist, write_config
from rldf.dataset.sharding import parse_part, this_worker
from rldf.dataset.splits import parse_splits, usual_splits
from rldf.dataset.user_classes import find_classes, input_grammar, sort_inputs
from rldf.errors import RldfError, UsageError
from rldf.models.model_set import ModelSet
from rldf.models.model_sets import load_model_set
from rldf.perception.encoder import Encoder

_PER_CLASS = 100
CloneInput = ImageLike | SearchResult


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneResult:
    """A data set that was drawn.

    Attributes:
        out: its folder.
        images: how many there are.
        classes: names of the classes, in the order of their labels.
        splits: images by split.
        written: how many of the images this call drew.
        warnings: what was doubtful when classes were read in images, one line each.
    """

    out: Path
    images: int
    classes: tuple[str, ...]
    splits: Mapping[str, int]
    written: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """What both functions take, unchecked."""

    per_class: int | None
    splits: str | Mapping[str, int] | None
    preset: str
    models: str | Path | ModelSet
    format: str
    image_format: str
    out: str | Path | None
    batch_size: int | None
    compile: bool
    verify_labels: str | None
    safety_checker: bool
    progress: Progress | bool


def clone(
    inputs: CloneInput | Sequence[CloneInput],
    *,
    class_nouns: Mapping[str, str] | None = None,
    per_class: int | None = None,
    splits: str | Mapping[str, int] | None = None,
    preset: str = "train",
    grammar: str | Path | None = None,
    models: str | Path | ModelSet = "auto",
    seed: int = 0,
    format: str = "imagefolder",
    image_format: str = "jpg",
    out: str | Path | None = None,
    batch_size: int | None = None,
    compile: bool = False,
    verify_labels: str | None = None,
    safety_checker: bool = True,
    progress: Progress | bool = False,
) -> CloneResult:
    """Draw a data set with a class for each input; the same call continues an unfinished one.

    Args:
        inputs: results of `search`, run folders, images, or folders that hold a folder of
            photographs a class.
        class_nouns: what an input shows, by its name; read in it where it is left out.
        per_class: images of a class; 100, or what `splits` says, where it is left out.
        splits: images of a class by split, or text such as "train=0.9,val=0.05,test=0.05".
        preset: how images vary: "train" or "paper".
        grammar: whose sentences; what suits models and inputs where it is left out.
        models: a model set: name, path, or what `load_models` returned.
        seed: of the whole data set; image k of a class depends on it, the class and k alone.
        format: "imagefolder", "webdataset" or "parquet".
        image_format: "jpg" (quality 95) or "png".
        out: the folder; one in ./clones, named after inputs, models and size, where left out.
        batch_size: images drawn at once; 8, or 16 on an Nvidia GPU, where it is left out.
        compile: compile the generator first: for thousands of images.
        verify_labels: draw images again in which "detector" or "clip" does not see their class.
        safety_checker: use the safety checker that the models ship.
        progress: True for a bar, or a function called with ("images", done, planned).

    Returns:
        The data set.

    Raises:
        UsageError: an option or an input is not allowed; what is, is said in its message.
        NoGoalError: no noun of the grammar is seen in an input.
        RunError: `out` holds something else, or a data set of other options.
        RldfError: all images were rejected, or the disk is full.
        ModelMissingError: a model is not on this machine.
    """
    options = _Options(
        per_class=per_class, splits=splits, preset=preset, models=models, format=format,
        image_format=image_format, out=out, batch_size=batch_size, compile=compile,
        verify_labels=verify_labels, safety_checker=safety_checker, progress=progress,
    )  # fmt: skip
    warnings: list[str] = []
    with _input_paths(inputs) as paths:
        given = sort_inputs(paths, io.StringIO())
        warnings += given.notes

        def configure(models: ModelSet) -> PlanConfig:
            words = input_grammar(given, _text(grammar), models.file.vocabulary_grammar)
            encoder = Encoder(words, models, models.file)
            found = find_classes(given, encoder, class_nouns, warnings.append)
            return user_config(
                models, found=found, grammar=words, splits=_splits(options), preset=preset,
                seed=seed, image_format=_one_of("image_format", image_format, ImageFormat),
            )  # fmt: skip

        return _draw(options, given.name, configure, given.searches, warnings)


def clone_imagenet(
    classes: int | str | Path | None = None,
    *,
    per_class: int | None = None,
    splits: str | Mapping[str, int] | None = None,
    preset: str = "train",
    grammar: str | Path | None = None,
    models: str | Path | ModelSet = "auto",
    seed: int = 0,
    format: str = "imagefolder",
    image_format: str = "jpg",
    out: str | Path | None = None,
    batch_size: int | None = None,
    compile: bool = False,
    verify_labels: str | None = None,
    safety_checker: bool = True,
    progress: Progress | bool = False,
) -> CloneResult:
    """Draw a data set of ImageNet's classes; the same call continues an unfinished one.

    Args:
        classes: how many, or a file of wnids or names; all that can be drawn where it is left out.
        per_class: as for `clone`, like all that follow.
        splits: as for `clone`.
        preset: as for `clone`.
        grammar: as for `clone`.
        models: as for `clone`.
        seed: as for `clone`.
        format: as for `clone`.
        image_format: as for `clone`.
        out: as for `clone`.
        batch_size: as for `clone`.
        compile: as for `clone`.
        verify_labels: as for `clone`.
        safety_checker: as for `clone`.
        progress: as for `clone`.

    Returns:
        The data set.

    Raises:
        UsageError, RunError, RldfError, ModelMissingError: as for `clone`.
    """
    options = _Options(
        per_class=per_class, splits=splits, preset=preset, models=models, format=format,
        image_format=image_format, out=out, batch_size=batch_size, compile=compile,
        verify_labels=verify_labels, safety_checker=safety_checker, progress=progress,
    )  # fmt: skip

    def configure(models: ModelSet) -> PlanConfig:
        return imagenet_config(
            models, classes=_text(classes), splits=_splits(options), preset=preset,
            grammar=_text(grammar), seed=seed,
            image_format=_one_of("image_format", image_format, ImageFormat),
        )  # fmt: skip

    return _draw(options, "imagenet", configure)


def _draw(
    options: _Options,
    name: str,
    configure: Callable[[ModelSet], PlanConfig],
    searches: tuple[Searched, ...] = (),
    doubts: Sequence[str] = (),
) -> CloneResult:
    """Plan a data set, enter its folder, and draw what is missing."""
    _one_of("image_format", options.image_format, ImageFormat)
    format = _one_of("format", options.format, Format)
    verify = None
    if options.verify_labels is not None:
        verify = _one_of("verify_labels", options.verify_labels, VerifyBy)
    if options.out is not None:
        refuse_foreign(Path(options.out))  # before models are loaded
    worker = this_worker()
    base = options.models
    if not isinstance(base, ModelSet):
        base = load_model_set(str(base), worker.device)
    models = with_preset(base, load_preset(options.preset))
    plan = make_plan(configure(base))
    write = write_config(
        models, len(plan), format=format, verify_labels=verify,
        safety_checker=options.safety_checker,
    )  # fmt: skip
    record = new_record(plan.config, write, searches, tuple(doubts))
    size = f"{len(plan.classes)}x{plan.config.per_class}"
    out = Path(options.out or Path("clones", f"{name}-{models.file.name}-{size}"))
    check_place(out, record)
    drawn_by = compiling(models) if options.compile else models
    artist = make_artist(drawn_by, plan, write, batch_size=options.batch_size, device=worker.device)
    folder = enter_folder(out, record)
    agree_on_generator(folder, artist.generator.identity)
    done = Counter(folder).count()
    with told(options.progress) as show:

        def count(outcomes: Sequence[object]) -> None:
            nonlocal done
            done += len(outcomes)
            show("images", done, len(plan))

        made = make_clone(folder, plan, artist, parse_part(None), count)
    return _result(folder, made.counts or {}, made.images)


def _result(folder: CloneFolder, counts: Mapping[str, Any], written: int) -> CloneResult:
    if counts and not counts["images"]:
        reasons = ", ".join(f"{n} {reason}" for reason, n in counts["rejected"].items())
        raise RldfError(
            f"{folder.root}: all images were rejected ({reasons}): name other classes or models, "
            "and another out"
        )
    return CloneResult(
        out=folder.root,
        images=counts.get("images", 0),
        classes=tuple(label.name for label in folder.record.classes),
        splits=counts.get("splits", {}),
        written=written,
        warnings=tuple(folder.record.doubts),
    )


@contextlib.contextmanager
def _input_paths(inputs: CloneInput | Sequence[CloneInput]) -> Iterator[list[str]]:
    """Give a path to every input; images that are no files get temporary ones."""
    items: Sequence[Any] = inputs if isinstance(inputs, list | tuple) else [inputs]
    with contextlib.ExitStack() as files:
        paths = []
        for number, item in enumerate(items):
            if isinstance(item, SearchResult):
                paths.append(str(item.out))
            else:
                paths.append(str(files.enter_context(image_file(item, f"image{number}"))))
        yield paths


def _splits(options: _Options) -> dict[str, int]:
    if options.splits is None:
        return usual_splits(_PER_CLASS if options.per_class is None else options.per_class)
    text = options.splits
    if not isinstance(text, str):
        text = ",".join(f"{name}={number}" for name, number in text.items())
    return parse_splits(text, options.per_class)


def _one_of(name: str, given: str, allowed: Any) -> Any:
    if given not in get_args(allowed):
        raise UsageError(f"{name}={given!r}: give one of {', '.join(get_args(allowed))}")
    return given


def _text(value: object | None) -> str | None:
    return None if value is None else str(value)
