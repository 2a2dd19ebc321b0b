"""What a clone would take: measured on a few of its own images, nothing is written.

A server that draws another image each time may want to be paid for each: it is asked for none.
"""

import time
from collections.abc import Callable
from typing import Any

from PIL.Image import Image

from rldf.dataset.image_file import ImageFormat, SourceType, encode_image, xmp_packet
from rldf.dataset.plan import Plan, estimate_bytes
from rldf.dataset.render import Artist
from rldf.generators.cached import is_seeded

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
