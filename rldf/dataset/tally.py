"""Counts over a clone: how many images, and what had to be drawn again, by class."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rldf.dataset.draw import UNSEEN
from rldf.dataset.rows import ImageRow


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
        classes: the same by class: "images", "attempts", "left_out" and the reasons.
    """

    images: int = 0
    bytes: int = 0
    splits: Counter[str] = field(default_factory=Counter)
    redrawn: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    unseen: int = 0
    classes: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, row: ImageRow) -> None:
        """Count an image.

        Args:
            row: what came of it.
        """
        there = row.sha256 is not None
        self.images += there
        self.bytes += row.bytes
        self.splits[row.split] += there
        self.redrawn += row.attempt
        self.rejected.update(row.rejected)
        self.left_out += not there
        self.unseen += there and len(row.rejected) > row.attempt
        own = self.classes.setdefault(row.key, Counter())
        own.update({"images": int(there), "attempts": row.attempt + 1, "left_out": int(not there)})
        own.update(row.rejected)

    def document(self) -> dict[str, Any]:
        """Say it in JSON.

        Returns:
            The counts; of the classes only those with something turned down.
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
            "troubled_classes": {
                key: dict(sorted(own.items()))
                for key, own in sorted(self.classes.items())
                if own["attempts"] > own["images"] or own[UNSEEN]
            },
        }

    def yields(self) -> dict[str, float]:
        """Tell how often the model drew each class so that it was seen.

        Returns:
            Share of the attempts, 0 to 1, by class.
        """
        return {
            key: 1 - own[UNSEEN] / own["attempts"]
            for key, own in sorted(self.classes.items())
            if own["attempts"]
        }


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
