"""Counts over a clone: how many images, and what had to be drawn again, by class."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rldf.dataset.manifest import ImageRow


@dataclass(slots=True)
class Tally:
    """Counts of images.

    Attributes:
        images: files that are there.
        bytes: of these files.
        splits: files by split.
        redrawn: attempts after the first.
        rejected: attempts that were turned down, by reason.
        left_out: images that no attempt gave.
        unseen: images that were kept though their class is not seen in them.
        classes: the same by class: "images", "good" (nothing was wrong with them), "attempts",
            "left_out" and the reasons.
        parts: files by split and class's key; 0 where all were left out.
    """

    images: int = 0
    bytes: int = 0
    splits: Counter[str] = field(default_factory=Counter)
    redrawn: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    unseen: int = 0
    classes: dict[str, Counter[str]] = field(default_factory=dict)
    parts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, row: ImageRow) -> None:
        """Count an image.

        Args:
            row: what came of it.
        """
        there = row.sha256 is not None
        good = there and len(row.rejected) == row.attempt
        self.images += there
        self.bytes += row.bytes
        self.splits[row.split] += there
        self.parts[row.split, row.key] += there
        self.redrawn += row.attempt
        self.rejected.update(row.rejected)
        self.left_out += not there
        self.unseen += there and not good
        own = self.classes.setdefault(row.key, Counter())
        own.update(images=int(there), good=int(good), left_out=int(not there))
        own.update(attempts=row.attempt + 1)
        own.update(row.rejected)

    @property
    def empty(self) -> dict[str, list[str]]:
        """Keys of the classes of which a split has no image, by split."""
        found: dict[str, list[str]] = {}
        for (split, key), n in sorted(self.parts.items()):
            if not n:
                found.setdefault(split, []).append(key)
        return found

    def document(self) -> dict[str, Any]:
        """Say it in JSON.

        Returns:
            The counts; of the classes only those with something turned down, each with its yield.
        """
        return {
            "images": self.images,
            "bytes": self.bytes,
            "splits": dict(self.splits),
            "redrawn": self.redrawn,
            "flagged": self.rejected["flagged"],
            "rejected": dict(sorted(self.rejected.items())),
            "left_out": self.left_out,
            "unseen": self.unseen,
            "empty_classes": self.empty,
            "troubled_classes": {
                key: dict(sorted(own.items())) | {"yield": round(self.yield_of(key), 4)}
                for key, own in sorted(self.classes.items())
                if own["attempts"] > own["good"]
            },
        }

    def yield_of(self, key: str) -> float:
        """Tell how often a class was drawn well.

        Args:
            key: of a class that was counted.

        Returns:
            Share of its attempts with which nothing was wrong, 0 to 1.
        """
        own = self.classes[key]
        return own["good"] / own["attempts"]


def tally(parts: Iterable[Sequence[ImageRow]]) -> Tally:
    """Count images.

    Args:
        parts: rows, shard by shard.

    Returns:
        The counts.
    """
    found = Tally()
    for rows in parts:
        for row in rows:
            found.add(row)
    return found
