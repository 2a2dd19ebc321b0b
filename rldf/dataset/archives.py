"""How a clone's images are laid out in archives: which files there are, and what each holds.

The files of a split are numbered on their own, without a gap, so that one brace pattern names them
all. A work shard writes a file for each split that it touches; where that gives a split fewer files
than training programs usually have loader workers, its parts are cut further.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rldf.dataset.shards import Shards

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
        """Name the file.

        Args:
            ending: without a point.

        Returns:
            Its path, relative to the clone's folder.
        """
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
        """List the files that a work shard writes.

        Args:
            shard: its number.

        Returns:
            Files in the order of the plan.
        """
        return [archive for split in self.splits for archive in self._files(split, shard)]

    def total(self, split: str) -> int:
        """Count the files of a split.

        Args:
            split: its name.

        Returns:
            How many there are; of a clone of an earlier version, in all splits.
        """
        if self.numbering == "clone":
            return len(self.shards)
        images = self._images(split)
        touched = self._touched(images)
        if len(touched) >= WORKERS:
            return len(touched)
        return sum(len(self._parts(images, shard)) for shard in touched)

    def pattern(self, split: str, ending: str) -> str:
        """Name all files of a split.

        Args:
            split: its name.
            ending: of the files, without a point.

        Returns:
            A pattern with braces; with a star for a clone of an earlier version, whose numbers may
            have gaps.
        """
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
        """Cut what a shard holds of a split, in proportion to how many files the split needs."""
        own = self.shards.indices(shard)
        part = range(max(own.start, images.start), min(own.stop, images.stop))
        if self.numbering == "clone" or len(self._touched(images)) >= WORKERS:
            return [part]
        wanted = min(WORKERS, len(images))
        n = -(-wanted * len(part) // len(images))
        return [part[k * len(part) // n : (k + 1) * len(part) // n] for k in range(n)]
