"""Makes a clone: claims shards, draws them, and finishes the folder when all are done.

Everything is decided by the files of the folder, so any number of processes may run this at once,
on one machine or on several that share a file system, and any of them may be killed at any moment:
whoever runs it again goes on.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL.Image import Image

from rldf.dataset.finalize import finish, read_finished
from rldf.dataset.image_file import ImageFormat, SourceType, encode_image, xmp_packet
from rldf.dataset.layout import CloneFolder, disk_errors_reported
from rldf.dataset.manifest import (
    ImageRow,
    Outcome,
    ProgressLog,
    count_images,
    count_kept,
    write_rows,
)
from rldf.dataset.plan import Plan, PlannedImage, estimate_bytes
from rldf.dataset.render import ImageWriter, Renderer, ShardRenderer, sentences_and_seeds
from rldf.dataset.sharding import ShardSlice, claimed
from rldf.generators.cached import is_seeded
from rldf.io.files import is_locked

Report = Callable[[Sequence[Outcome]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """What one call of `make_clone` did.

    Attributes:
        images: number of files written.
        seconds: time for drawing and writing.
        counts: of the whole clone, once it is finished; None before.
        shards_left: work shards that are not done, of other slices or processes.
    """

    images: int
    seconds: float
    counts: dict[str, Any] | None
    shards_left: int


def make_clone(
    folder: CloneFolder,
    plan: Plan,
    renderer: Renderer,
    part: ShardSlice,
    report: Report = lambda found: None,
) -> BuildResult:
    """Draw what is missing of a clone, beside other processes that may do the same."""
    written = 0

    def count(outcomes: Sequence[Outcome]) -> None:
        nonlocal written
        written += sum(outcome.sha256 is not None for outcome in outcomes)
        report(outcomes)

    begun = time.monotonic()
    with disk_errors_reported(folder.root):
        mine = [shard for shard in folder.undone() if shard in part]
        with make_image_writer(folder, plan) as writer:
            for shard in claimed(mine, folder.lock, folder.is_done, lambda: report(())):
                start = time.monotonic()
                rows = open_shard(folder, plan, renderer, writer, shard, count).rows()
                finish_shard(folder, shard, rows, start)
        left = len(folder.undone())
        counts = None if left else finish(folder).counts
    seconds = time.monotonic() - begun
    return BuildResult(images=written, seconds=seconds, counts=counts, shards_left=left)


def open_shard(
    folder: CloneFolder,
    plan: Plan,
    renderer: Renderer,
    writer: ImageWriter,
    shard: int,
    report: Report = lambda found: None,
) -> ShardRenderer:
    """Return what draws a shard whose lock this process holds, or goes on with it."""
    return ShardRenderer(
        plan=plan,
        indices=folder.shards.indices(shard),
        journal=ProgressLog(folder.journal(shard)),
        renderer=renderer,
        writer=writer,
        report=report,
    )


def finish_shard(folder: CloneFolder, shard: int, rows: list[ImageRow], begun: float) -> None:
    """Write the manifest of a shard whose images are written."""
    store = folder.store()
    store.seal(shard, rows)
    write_rows(folder.manifest(shard), rows)
    store.release(shard)
    folder.journal(shard).unlink(missing_ok=True)
    seconds = round(time.monotonic() - begun, 3)
    folder.log("shard", shard=shard, images=len(rows), seconds=seconds)


def make_image_writer(folder: CloneFolder, plan: Plan) -> ImageWriter:
    """Return what encodes and writes the images of a clone."""
    store, shards, write = folder.store(), folder.shards, folder.record.write

    def encode(image: Image, planned: PlannedImage) -> bytes:
        xmp = xmp_packet(planned.sentence, write.source_type)
        return encode_image(image, plan.config.image_format, xmp)

    def put(planned: PlannedImage, data: bytes) -> None:
        store.put(shards.of(planned.index), planned.name, data)

    return ImageWriter(encode, put)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a clone will take; figures are None where a server draws, which is asked for nothing.

    Attributes:
        images: number of images.
        classes: number of classes.
        splits: images by split.
        bytes: of the whole folder.
        seconds_per_image: time for drawing and checking one.
        hours: for all images on one device such as this.
        batch_size: images drawn at once.
        warnings: what was doubtful when classes were read in images.
    """

    images: int
    classes: int
    splits: Mapping[str, int]
    bytes: int | None
    seconds_per_image: float | None
    hours: float | None
    batch_size: int
    warnings: tuple[str, ...] = ()


_SECONDS = 5.0  # after one batch to warm up, batches are timed until this has passed
_BATCHES = 8


def calibrate(
    plan: Plan,
    renderer: Renderer,
    source: SourceType,
    clock: Callable[[], float] = time.perf_counter,
) -> Estimate:
    """Draw a few images and estimate bytes and hours of the whole; nothing where a server draws."""
    measured = _measured(plan, renderer, source, clock) if is_seeded(renderer.generator) else None
    size, each = measured or (None, None)
    return Estimate(
        images=len(plan),
        classes=len(plan.classes),
        splits=plan.counts,
        bytes=None if size is None else estimate_bytes(len(plan), size),
        seconds_per_image=None if each is None else round(each, 4),
        hours=None if each is None else round(each * len(plan) / 3600, 3),
        batch_size=renderer.batch_size,
    )


def _measured(
    plan: Plan, renderer: Renderer, source: SourceType, clock: Callable[[], float]
) -> tuple[float, float]:
    """Return the mean bytes and seconds of an image."""
    stride = max(1, len(plan) // (renderer.batch_size * (_BATCHES + 1)))
    sizes: list[int] = []
    seconds, drawn = 0.0, 0
    for number in range(_BATCHES + 1):
        first = number * renderer.batch_size * stride
        batch = [plan.image(i) for i in range(first, len(plan), stride)[: renderer.batch_size]]
        if not batch:
            break
        begun = clock()
        images = renderer.generator.generate(*sentences_and_seeds(batch, 0))
        renderer.filter(images, batch)
        spent = clock() - begun
        sizes += [_size(image, plan.config.image_format, source) for image in images]
        if number:
            seconds, drawn = seconds + spent, drawn + len(batch)
        elif len(plan) <= renderer.batch_size:
            seconds, drawn = spent, len(batch)
        if seconds > _SECONDS:
            break
    return sum(sizes) / len(sizes), seconds / drawn


def _size(image: Image, file_format: ImageFormat, source: SourceType) -> int:
    return len(encode_image(image, file_format, xmp_packet("", source)))


class CloneProgress:
    """Counts the images of a clone that all processes have written."""

    def __init__(self, folder: CloneFolder) -> None:
        """Count nothing yet."""
        self._folder = folder
        self._left = list(range(len(folder.shards)))
        self._done = 0

    def count(self) -> int:
        """Return the number of images that are written or given up."""
        undone = set(self._folder.undone())
        newly = [shard for shard in self._left if shard not in undone]
        self._done += sum(len(self._folder.shards.indices(shard)) for shard in newly)
        self._left = [shard for shard in self._left if shard in undone]
        begun = self._folder.begun("journal")
        journals = (self._folder.journal(shard) for shard in self._left)
        return self._done + sum(count_kept(path) for path in journals if path.name in begun)


def status(folder: CloneFolder) -> dict[str, Any]:
    """Return the document of `rldf clone status --json`."""
    finished, undone = read_finished(folder), folder.undone()
    if finished is not None:
        counts = finished.counts
    else:
        counts = count_images(rows for _, rows in folder.all_rows()).document()
    running = [shard for shard in undone if is_locked(folder.lock(shard))]
    return {
        "out": str(folder.root),
        "format": folder.record.write.format,
        "status": "done" if finished else "running" if running else "interrupted",
        "planned": folder.record.images,
        "drawn": CloneProgress(folder).count() if undone else counts["images"],
        "classes": len(folder.record.classes),
        "shards": len(folder.shards),
        "shards_done": len(folder.shards) - len(undone),
        "shards_running": len(running),
        **{name: value for name, value in counts.items() if name != "images"},
    }
