"""Work shards: fixed, contiguous ranges of a plan, each drawn by one process at a time.

The ranges follow from the number of images alone, so every process, today or next week, cuts the
work alike. With archives, a shard is a tar or Parquet file for each split that it touches.
"""

from collections.abc import Iterator
from dataclasses import dataclass

_SMALLEST, _LARGEST = 64, 1024
_WANTED = 32


@dataclass(frozen=True, slots=True)
class Shards:
    """How a plan is cut.

    Attributes:
        images: how many images the plan has, 1 or more.
        size: how many a shard has; the last may have fewer.
    """

    images: int
    size: int

    def __len__(self) -> int:
        """Count the shards."""
        return -(-self.images // self.size)

    def indices(self, shard: int) -> range:
        """Give the images of a shard.

        Args:
            shard: its number, from 0.

        Returns:
            Their places in the plan.
        """
        return range(shard * self.size, min((shard + 1) * self.size, self.images))

    def of(self, index: int) -> int:
        """Find the shard of an image.

        Args:
            index: the image's place in the plan.

        Returns:
            The shard's number.
        """
        return index // self.size


def shards_of(images: int) -> Shards:
    """Cut a plan into shards that are few enough to list and many enough to share out.

    Args:
        images: how many images the plan has, 1 or more.

    Returns:
        About 32 shards of 64 images or more; of large plans, shards of 1024 images.
    """
    wanted = images // _WANTED // _SMALLEST * _SMALLEST
    return Shards(images, max(_SMALLEST, min(_LARGEST, wanted)))


def batches(indices: list[int], size: int) -> Iterator[list[int]]:
    """Cut a list.

    Args:
        indices: what to cut.
        size: how many at most.

    Yields:
        Its parts, in order.
    """
    for start in range(0, len(indices), size):
        yield indices[start : start + size]
