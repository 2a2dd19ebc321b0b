"""What the commands that draw data sets have in common: prepare, draw, show, tell."""

import contextlib
import shlex
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, get_args

from rldf.cli import output
from rldf.cli.clone_live import CloneBar
from rldf.cli.clone_words import estimate_lines, made_document, made_lines
from rldf.cli.endpoint import models_at
from rldf.cli.model_choice import tell
from rldf.dataset.build import Progress, calibrate, make_clone
from rldf.dataset.config import PlanConfig, drawn_by
from rldf.dataset.formats import Format
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
from rldf.dataset.record import Searched, VerifyBy, WriteConfig, new_record
from rldf.dataset.render import Artist, compiling, make_artist, write_config
from rldf.dataset.sharding import Part, Worker, parse_part, this_worker
from rldf.dataset.verify import Problem, repair
from rldf.errors import RldfError, UsageError
from rldf.models.auto import Choice
from rldf.models.model_set import ModelSet
from rldf.models.model_sets import load_model_set, model_set_names

_CLONES = Path("clones")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a person asked for, but for the classes.

    Attributes:
        models: model set, name or path.
        choice: how that one was chosen.
        preset: its name.
        splits: images of a class by split.
        format: what the images are kept in.
        image_format: of the files.
        out: the folder; None for one in ./clones that is named after the rest.
        dry_run: whether to estimate only.
        part: which work shards are this command's.
        batch_size: how many images are drawn at once, None for what is usual.
        compile: whether the generator compiles its models; not a part of what is drawn.
        verify_labels: who must see an image's class in it.
        safety_checker: whether the models' safety checker is used.
        as_json: whether to print one JSON document.
        quiet: whether to show no progress.
    """

    models: str
    choice: Choice
    preset: str
    splits: dict[str, int]
    format: Format
    image_format: ImageFormat
    out: Path | None
    dry_run: bool
    part: Part
    batch_size: int | None
    compile: bool
    verify_labels: VerifyBy | None
    safety_checker: bool
    as_json: bool
    quiet: bool


def make_job(
    *, format: str, image_format: str, verify_labels: str | None, shard: str | None, **rest: Any
) -> Job:
    """Check what a person typed.

    Args:
        format: of the data set.
        image_format: of the files.
        verify_labels: "detector", "clip" or None.
        shard: "i/N" or None.
        rest: the other attributes of a job.

    Returns:
        The job.

    Raises:
        UsageError: one of them is not allowed.
    """
    return Job(
        format=one_of("--format", format, Format),
        image_format=one_of("--image-format", image_format, ImageFormat),
        verify_labels=(
            None if verify_labels is None else one_of("--verify-labels", verify_labels, VerifyBy)
        ),
        part=parse_part(shard),
        **rest,
    )


def one_of(option: str, given: str, allowed: Any) -> Any:
    """Check a word that a person typed.

    Args:
        option: what it was typed for.
        given: the word.
        allowed: a Literal type.

    Returns:
        The word.

    Raises:
        UsageError: it is not one of the type's.
    """
    words = get_args(allowed)
    if given not in words:
        raise UsageError(f"{option} {given}: type one of {', '.join(words)}")
    return given


def run_job(
    job: Job,
    name: str,
    configure: Callable[[ModelSet], PlanConfig],
    searches: tuple[Searched, ...] = (),
    doubts: Sequence[str] = (),
) -> None:
    """Make a data set, or go on with it, and tell what came of it.

    Args:
        job: what was asked for.
        name: what the folder is named after where none was given.
        configure: gives the plan's configuration for a model set.
        searches: what found the classes, if searches did.
        doubts: filled by `configure`: what was doubtful when classes were read in images.
    """
    if job.out is not None and not job.dry_run:
        refuse_foreign(job.out)  # before models are loaded
    worker = this_worker()
    quiet = job.quiet or not worker.is_main
    base = load_model_set(job.models, worker.device)
    models = with_preset(base, load_preset(job.preset))
    drawing = compiling(models) if job.compile else models
    with output.busy("planning", quiet=quiet):
        plan = make_plan(configure(base))
    write = write_config(
        models,
        len(plan),
        format=job.format,
        verify_labels=job.verify_labels,
        safety_checker=job.safety_checker,
    )
    record = new_record(plan.config, write, searches, tuple(doubts))
    if job.dry_run:
        if worker.is_main:
            tell(job.choice)
        with output.busy("drawing a few images", quiet=quiet):
            document = calibrate(
                plan, _artist(job, drawing, plan, write, worker), write.source_type
            ) | {"warnings": list(record.doubts)}
        _tell(worker, job, document, estimate_lines(document))
        return
    out = job.out or _usual_out(name, models, plan)
    check_place(out, record)
    with output.busy("loading the models", quiet=quiet):
        artist = _artist(job, drawing, plan, write, worker)
    with output.busy("writing the plan", quiet=quiet):
        folder = enter_folder(out, record)
    agree_on_generator(folder, artist.generator.identity)
    if worker.is_main:
        tell(job.choice)
    bar = CloneBar(Progress(folder), len(plan), quiet=quiet)
    with ending_cleanly(folder.root, tell=worker.is_main), bar:
        made = make_clone(folder, plan, artist, job.part)
    if made.counts and not made.counts["images"]:
        reasons = ", ".join(f"{n} {reason}" for reason, n in made.counts["rejected"].items())
        raise RldfError(
            f"{folder.root}: no image came out, all drawings were turned down ({reasons}): name "
            "other classes or models, and another --out"
        )
    document = made_document(folder, made)
    _tell(worker, job, document, made_lines(document, folder))


def repair_folder(
    folder: CloneFolder,
    problems: Iterable[Problem],
    models: str | None,
    base_url: str | None,
    batch_size: int | None,
) -> int:
    """Draw the wrong images of a data set again.

    Args:
        folder: the data set.
        problems: what is wrong with it.
        models: the model set that drew it; None for the shipped one of the name that it gives.
        base_url: where its images API is, if it has one.
        batch_size: how many images are drawn at once, None for what is usual.

    Returns:
        How many images were written again.

    Raises:
        UsageError: which model set it was has to be said, or it was another.
    """
    name = models or str(folder.record.plan.models.get("name"))
    if models is None and name not in model_set_names():
        raise UsageError(
            f"{folder.root} was drawn by model set {name}, which does not ship with rldf: type "
            "--models with its file, or --models openai:MODEL and --base-url for an images API"
        )
    worker, plan = this_worker(), make_plan(folder.record.plan)
    drew = with_preset(
        load_model_set(models_at(name, base_url), worker.device), folder.record.plan.preset
    )
    check_models(folder, drawn_by(drew))
    artist = make_artist(
        drew, plan, folder.record.write, batch_size=batch_size, device=worker.device
    )
    agree_on_generator(folder, artist.generator.identity)
    with ending_cleanly(folder.root, tell=worker.is_main):
        return repair(folder, plan, artist, problems)


@contextlib.contextmanager
def ending_cleanly(root: Path, *, tell: bool) -> Iterator[None]:
    """End on Ctrl-C and SIGTERM with what is finished kept, and say how to go on.

    A batch that is being drawn is given up; whatever has its final name is whole.

    Args:
        root: the folder that is being written.
        tell: whether this process talks.

    Yields:
        Nothing.
    """

    def terminate(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # launchers send it more than once
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        if tell:
            command = shlex.join(["rldf", *sys.argv[1:]])
            output.note(f"stopped; {root} keeps what is done; go on with: {command}")
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell(worker: Worker, job: Job, document: dict[str, Any], lines: list[str]) -> None:
    if worker.is_main:
        output.result(document, lines, as_json=job.as_json)


def _artist(job: Job, models: ModelSet, plan: Plan, write: WriteConfig, worker: Worker) -> Artist:
    return make_artist(models, plan, write, batch_size=job.batch_size, device=worker.device)


def _usual_out(name: str, models: ModelSet, plan: Plan) -> Path:
    """Name a folder so that the same command finds it again."""
    size = f"{len(plan.classes)}x{plan.config.per_class}"
    return _CLONES / f"{name}-{models.file.name}-{size}"
