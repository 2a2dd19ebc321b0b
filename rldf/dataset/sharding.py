"""Work shards: fixed, contiguous ranges of a plan, each drawn by one process at a time.

The ranges follow from the number of images alone, so every process, today or next week, cuts the
work alike. With archives, a shard is a tar or Parquet file for each split that it touches.
"""

import contextlib
import errno
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rldf.errors import RldfError, RunError, UsageError
from rldf.io.distributed import is_cuda
from rldf.io.files import locked

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
        """Return the places in the plan of a shard's images."""
        return range(shard * self.size, min((shard + 1) * self.size, self.images))

    def of(self, index: int) -> int:
        """Return the shard of an image."""
        return index // self.size


def shards_of(images: int) -> Shards:
    """Divide a plan into about 32 shards of 64 to 1024 images."""
    wanted = images // _WANTED // _SMALLEST * _SMALLEST
    return Shards(images, max(_SMALLEST, min(_LARGEST, wanted)))


def batches(indices: list[int], size: int) -> Iterator[list[int]]:
    """Divide a list into batches."""
    for start in range(0, len(indices), size):
        yield indices[start : start + size]


Numbering = Literal["clone", "split"]
WORKERS = 8
"""Loader workers that a split feeds, each with a file of its own, if it has so many images."""


@dataclass(frozen=True, slots=True)
class Archive:
    """One file of archives.

    Attributes:
        split: whose images it holds.
        number: among the files, from 0.
        total: how many files there are.
        images: places in the plan of the images that it holds.
    """

    split: str
    number: int
    total: int
    images: range

    def name(self, ending: str) -> str:
        """Return the file's path relative to the clone's folder."""
        return f"data/{self.split}-{self.number:05d}-of-{self.total:05d}.{ending}"


@dataclass(frozen=True, slots=True)
class Archives:
    """The archives of a clone; they follow from its plan, whatever becomes of single images.

    Attributes:
        shards: how the plan is cut into work.
        splits: images by split, in the plan's order.
        numbering: "split"; or "clone" for clones of earlier versions, whose files bear the number
            of their work shard.
    """

    shards: Shards
    splits: Mapping[str, int]
    numbering: Numbering

    def of_shard(self, shard: int) -> list[Archive]:
        """Return the archives that a work shard writes."""
        return [archive for split in self.splits for archive in self._files(split, shard)]

    def total(self, split: str) -> int:
        """Return the number of archives of a split."""
        if self.numbering == "clone":
            return len(self.shards)
        images = self._images(split)
        touched = self._touched(images)
        if len(touched) >= WORKERS:
            return len(touched)
        return sum(len(self._parts(images, shard)) for shard in touched)

    def pattern(self, split: str, ending: str) -> str:
        """Return a brace pattern for all archives of a split."""
        if self.numbering == "clone":
            return f"data/{split}-*.{ending}"
        total = self.total(split)
        numbers = "00000" if total == 1 else f"{{00000..{total - 1:05d}}}"
        return f"data/{split}-{numbers}-of-{total:05d}.{ending}"

    def _files(self, split: str, shard: int) -> list[Archive]:
        images = self._images(split)
        touched = self._touched(images)
        if shard not in touched:
            return []
        parts = self._parts(images, shard)
        if self.numbering == "clone":
            return [Archive(split, shard, len(self.shards), part) for part in parts]
        first = shard - touched.start
        if len(touched) < WORKERS:
            first = sum(len(self._parts(images, s)) for s in touched if s < shard)
        total = self.total(split)
        return [Archive(split, first + k, total, part) for k, part in enumerate(parts)]

    def _images(self, split: str) -> range:
        names = list(self.splits)
        start = sum(self.splits[name] for name in names[: names.index(split)])
        return range(start, start + self.splits[split])

    def _touched(self, images: range) -> range:
        return range(self.shards.of(images.start), self.shards.of(images.stop - 1) + 1)

    def _parts(self, images: range, shard: int) -> list[range]:
        """Divide the images that a shard has of a split over the archives that it writes."""
        own = self.shards.indices(shard)
        part = range(max(own.start, images.start), min(own.stop, images.stop))
        if self.numbering == "clone" or len(self._touched(images)) >= WORKERS:
            return [part]
        wanted = min(WORKERS, len(images))
        n = -(-wanted * len(part) // len(images))
        return [part[k * len(part) // n : (k + 1) * len(part) // n] for k in range(n)]


_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}
_PAUSE = 0.2  # s between two looks at what others hold


def claim(path: Path) -> contextlib.ExitStack | None:
    """Take a lock if it is free; None if another process holds it."""
    held = contextlib.ExitStack()
    try:
        held.enter_context(locked(path))
    except RunError:
        return None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        raise RldfError(
            f"{path.parent} cannot lock files ({error.strerror}): write to a file system with "
            "locks, and copy the clone afterwards"
        ) from None
    return held


@contextlib.contextmanager
def waiting(path: Path) -> Iterator[None]:
    """Hold a lock for the length of the block, after waiting for it."""
    while (held := claim(path)) is None:
        time.sleep(_PAUSE)
    with held:
        yield


def claimed(
    shards: list[int],
    lock: Callable[[int], Path],
    done: Callable[[int], bool],
    idle: Callable[[], None] = lambda: None,
) -> Iterator[int]:
    """Yield undone shards, each locked by this process, until all are done by any process."""
    left = list(shards)
    while left := [shard for shard in left if not done(shard)]:
        taken = False
        for shard in left:
            if done(shard) or (held := claim(lock(shard))) is None:
                continue
            with held:
                if not done(shard):  # another may have done it just before the lock came
                    taken = True
                    yield shard
        if not taken:
            idle()
            time.sleep(_PAUSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One process.

    Attributes:
        rank: its number among those that were started together, from 0.
        world: how many were started together.
        device: where its models run; "auto" is the GPU if there is one.
    """

    rank: int = 0
    world: int = 1
    device: str = "auto"

    @property
    def is_main(self) -> bool:
        """Whether this one shows progress and prints the result."""
        return self.rank == 0


@dataclass(frozen=True, slots=True)
class ShardSlice:
    """A fixed part of the work shards: those whose number is `number` modulo `of`."""

    number: int = 0
    of: int = 1

    def __contains__(self, shard: int) -> bool:
        """Tell whether a work shard belongs to the part."""
        return shard % self.of == self.number


def parse_slice(text: str | None) -> ShardSlice:
    """Parse "i/N"; None is all work."""
    if text is None:
        return ShardSlice()
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if match is None or not int(match[1]) < int(match[2]):
        raise UsageError(f"--shard {text}: give i/N, from 0/N to N-1/N, such as 0/8 up to 7/8")
    return ShardSlice(int(match[1]), int(match[2]))


def this_worker() -> Worker:
    """Return which process this is, from what torchrun or accelerate launch set."""
    told = os.environ.get("WORLD_SIZE")
    if told is None:
        return Worker()
    from accelerate import PartialState

    # Without cpu=True every process under torchrun on CPUs takes itself for the only one.
    state = PartialState(cpu=not is_cuda("auto"))
    worker = Worker(rank=state.process_index, world=state.num_processes, device=str(state.device))
    state.destroy_process_group()  # nothing below waits for another process
    if worker.world != int(told):
        raise RldfError(
            f"the launcher started {told} processes, Accelerate sees {worker.world}: "
            "start them with torchrun, or with 'accelerate launch --multi_gpu'"
        )
    return worker
