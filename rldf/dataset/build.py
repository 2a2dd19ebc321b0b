"""Makes a clone: claims shards, draws them, and finishes the folder when all are done.

Everything is decided by the files of the folder, so any number of processes may run this at once,
on one machine or on several that share a file system, and any of them may be killed at any moment:
whoever runs it again goes on.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PIL.Image import Image

from rldf.dataset.finalize import finish, read_finished
from rldf.dataset.image_file import ImageFormat, SourceType, encode_image, xmp_packet
from rldf.dataset.layout import CloneFolder, telling_disk_errors
from rldf.dataset.manifest import Journal, Outcome, count_kept, tally, write_rows
from rldf.dataset.plan import Plan, PlannedImage, estimate_bytes
from rldf.dataset.render import Artist, Press, ShardDrawing
from rldf.dataset.sharding import Part, claimed
from rldf.generators.cached import is_seeded
from rldf.io.files import is_locked

Tell = Callable[[Sequence[Outcome]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What one process did.

    Attributes:
        images: how many it wrote.
        seconds: how long it drew and wrote.
        counts: of the whole clone, once it is finished; None before.
        shards_left: work shards of other parts that are not done.
    """

    images: int
    seconds: float
    counts: dict[str, Any] | None
    shards_left: int


def make_clone(
    folder: CloneFolder, plan: Plan, artist: Artist, part: Part, tell: Tell = lambda found: None
) -> Made:
    """Draw what is missing of a clone, beside other processes that may do the same.

    Args:
        folder: the clone, entered.
        plan: its plan.
        artist: who draws.
        part: which work shards are this process's.
        tell: called with the outcomes of every batch whose files are on the disk.

    Returns:
        What was done.

    Raises:
        RldfError: the disk is full, or the folder cannot be written any more.
    """
    written = 0

    def count(outcomes: Sequence[Outcome]) -> None:
        nonlocal written
        written += sum(outcome.sha256 is not None for outcome in outcomes)
        tell(outcomes)

    begun = time.monotonic()
    with telling_disk_errors(folder.root):
        mine = [shard for shard in folder.undone() if shard in part]
        with make_press(folder, plan) as press:
            for shard in claimed(mine, folder.lock, folder.is_done):
                draw_shard(folder, plan, artist, press, shard, count)
        left = len(folder.undone())
        counts = None if left else finish(folder).counts
    seconds = time.monotonic() - begun
    return Made(images=written, seconds=seconds, counts=counts, shards_left=left)


def draw_shard(
    folder: CloneFolder,
    plan: Plan,
    artist: Artist,
    press: Press,
    shard: int,
    tell: Tell = lambda found: None,
) -> None:
    """Draw a shard, and mark it as done.

    Args:
        folder: the clone.
        plan: its plan.
        artist: who draws.
        press: who writes.
        shard: its number; this process holds its lock.
        tell: called with the outcomes of every batch.
    """
    store, indices = folder.store(), folder.shards.indices(shard)
    journal = Journal(folder.journal(shard))
    begun = time.monotonic()
    drawing = ShardDrawing(
        plan=plan, indices=indices, journal=journal, artist=artist, press=press, tell=tell
    )
    rows = drawing.rows()
    store.seal(shard, rows)
    write_rows(folder.manifest(shard), rows)
    store.release(shard)
    folder.journal(shard).unlink(missing_ok=True)
    seconds = round(time.monotonic() - begun, 3)
    folder.log("shard", shard=shard, images=len(rows), seconds=seconds)


def make_press(folder: CloneFolder, plan: Plan) -> Press:
    """Make what writes a clone's images.

    Args:
        folder: the clone.
        plan: its plan.

    Returns:
        The press.
    """
    store, shards, write = folder.store(), folder.shards, folder.record.write

    def encode(image: Image, planned: PlannedImage) -> bytes:
        xmp = xmp_packet(planned.sentence, write.source_type)
        return encode_image(image, plan.config.image_format, xmp)

    def put(planned: PlannedImage, data: bytes) -> None:
        store.put(shards.of(planned.index), planned.name, data)

    return Press(encode, put)


_SECONDS = 5.0  # after one batch to warm up, batches are timed until this has passed
_BATCHES = 8


def calibrate(
    plan: Plan,
    artist: Artist,
    source: SourceType,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Draw a few images and estimate the whole.

    Args:
        plan: what is to be drawn.
        artist: who draws.
        source: IPTC's word for the images' origin.
        clock: gives seconds.

    Returns:
        The document of `--dry-run --json`: images, splits, classes, bytes, seconds an image and
        hours on one device such as this. Bytes, seconds and hours are None where a server draws.
    """
    measured = _measured(plan, artist, source, clock) if is_seeded(artist.generator) else None
    size, each = measured or (None, None)
    return {
        "images": len(plan),
        "classes": len(plan.classes),
        "splits": plan.counts,
        "bytes": None if size is None else estimate_bytes(len(plan), size),
        "seconds_per_image": None if each is None else round(each, 4),
        "hours": None if each is None else round(each * len(plan) / 3600, 3),
        "batch_size": artist.batch_size,
    }


def _measured(
    plan: Plan, artist: Artist, source: SourceType, clock: Callable[[], float]
) -> tuple[float, float]:
    """Bytes and seconds of an image."""
    stride = max(1, len(plan) // (artist.batch_size * (_BATCHES + 1)))
    sizes: list[int] = []
    seconds, drawn = 0.0, 0
    for number in range(_BATCHES + 1):
        first = number * artist.batch_size * stride
        batch = [plan.image(i) for i in range(first, len(plan), stride)[: artist.batch_size]]
        if not batch:
            break
        begun = clock()
        images = artist.draw(batch, 0)
        artist.inspect(images, batch)
        spent = clock() - begun
        sizes += [_size(image, plan.config.image_format, source) for image in images]
        if number:
            seconds, drawn = seconds + spent, drawn + len(batch)
        elif len(plan) <= artist.batch_size:
            seconds, drawn = spent, len(batch)
        if seconds > _SECONDS:
            break
    return sum(sizes) / len(sizes), seconds / drawn


def _size(image: Image, file_format: ImageFormat, source: SourceType) -> int:
    return len(encode_image(image, file_format, xmp_packet("", source)))


class Progress:
    """Counts the images that are there; shards that are done are counted once."""

    def __init__(self, folder: CloneFolder) -> None:
        """Count nothing yet.

        Args:
            folder: the clone.
        """
        self._folder = folder
        self._left = list(range(len(folder.shards)))
        self._done = 0

    def count(self) -> int:
        """Count.

        Returns:
            Images that are there, or were given up.
        """
        undone = set(self._folder.undone())
        newly = [shard for shard in self._left if shard not in undone]
        self._done += sum(len(self._folder.shards.indices(shard)) for shard in newly)
        self._left = [shard for shard in self._left if shard in undone]
        begun = self._folder.begun("journal")
        journals = (self._folder.journal(shard) for shard in self._left)
        return self._done + sum(count_kept(path) for path in journals if path.name in begun)


def status(folder: CloneFolder) -> dict[str, Any]:
    """Tell how far a clone is.

    Args:
        folder: the clone.

    Returns:
        The document of `rldf clone status --json`.

    Raises:
        RunError: a manifest is damaged.
    """
    finished, undone = read_finished(folder), folder.undone()
    if finished is not None:
        counts = finished.counts
    else:
        counts = tally(rows for _, rows in folder.all_rows()).document()
    running = [shard for shard in undone if is_locked(folder.lock(shard))]
    return {
        "out": str(folder.root),
        "format": folder.record.write.format,
        "status": "done" if finished else "running" if running else "interrupted",
        "planned": folder.record.images,
        "drawn": Progress(folder).count() if undone else counts["images"],
        "classes": len(folder.record.classes),
        "shards": len(folder.shards),
        "shards_done": len(folder.shards) - len(undone),
        "shards_running": len(running),
        **{name: value for name, value in counts.items() if name != "images"},
    }
