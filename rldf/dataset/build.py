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

from rldf.dataset.claims import claimed
from rldf.dataset.disk import telling_disk_errors
from rldf.dataset.finalize import finish
from rldf.dataset.image_file import encode_image, xmp_packet
from rldf.dataset.layout import CloneFolder
from rldf.dataset.manifest import Outcome, write_rows
from rldf.dataset.plan import Plan, PlannedImage
from rldf.dataset.progress_log import Journal
from rldf.dataset.render import Artist, Press, ShardDrawing
from rldf.dataset.workers import Part

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
