"""The plan of a data set: every image's class, split, encoding, sentence, seed and file name.

A plan is a pure function of its configuration, and image i of it needs no other image. Images are
numbered split by split; within a split the classes take turns, so that any run of images holds all
classes alike. Image k of a class, counted over its splits, has the seed
`derive(plan seed, class key, k)`; value k of an axis comes from that axis's own shuffled blocks
(`rldf.dataset.sampling`), keyed by `derive(plan seed, class key, axis symbol)`. So a class's images
do not depend on what other classes the plan has, and more images of a class begin with the same.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rldf.dataset.class_axis import object_axis
from rldf.dataset.plan_config import PlanConfig, read_config
from rldf.dataset.sampling import balanced
from rldf.dataset.splits import SPLITS
from rldf.grammar.encoding import Encoding
from rldf.seeding import derive

__all__ = [
    "Plan",
    "PlanConfig",
    "PlannedImage",
    "estimate_bytes",
    "make_plan",
    "read_config",
    "retry_seed",
]

MANIFEST_BYTES = 600
"""What an image adds to a clone beside its pixels: its rows in plan, manifest and metadata."""

_Blocks = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """One image, before it is drawn.

    Attributes:
        index: its number in the plan, from 0.
        key: its class's key.
        label: its class's number in `Plan.classes`.
        split: "train", "val" or "test".
        encoding: label indices, one per axis of the plan's grammar.
        sentence: the prompt.
        seed: the image seed, first of the chain of `retry_seed`.
        name: its file under the clone's folder, parted by "/".
    """

    index: int
    key: str
    label: int
    split: str
    encoding: Encoding
    sentence: str
    seed: int
    name: str


class Plan:
    """The images of a data set; see the module's words on their order."""

    def __init__(self, config: PlanConfig) -> None:
        """Prepare a plan: nothing is computed for single images yet.

        Args:
            config: what decides it.
        """
        self.config = config
        self.classes = config.classes
        self.grammar = config.grammar
        self._object = object_axis(config.grammar)
        self._groups = self._grouped()
        nouns = self.grammar.axes[self._object]
        number = {value.name: i for i, value in enumerate(nouns.values)}
        self._nouns = np.array([number[label.noun] for label in self.classes], np.int64)
        self._seeds: dict[int, NDArray[np.uint64]] = {}

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.classes) * self.config.per_class

    @property
    def counts(self) -> dict[str, int]:
        """Images by split, in the plan's order."""
        return {
            split: self.config.splits[split] * len(self.classes)
            for split in SPLITS
            if split in self.config.splits
        }

    def image(self, index: int) -> PlannedImage:
        """Compute one image of the plan.

        Args:
            index: 0 to `len(plan) - 1`.

        Returns:
            The image.

        Raises:
            IndexError: there is none of that number.
        """
        split, k, label = self._place(index)
        encoding = tuple(self.encodings(np.array([label]), k, k + 1)[0, 0].tolist())
        key = self.classes[label].key
        return PlannedImage(
            index=index,
            key=key,
            label=label,
            split=split,
            encoding=encoding,
            sentence=self.grammar.derive(encoding),
            seed=derive(self.config.seed, key, k),
            name=f"{split}/{key}/{key}_{k:08d}.{self.config.image_format}",
        )

    def spans(self) -> list[tuple[str, int, int]]:
        """List the splits with the images of each class that they hold.

        Returns:
            Split, number of its first image of a class, and the number after its last one.
        """
        spans, start = [], 0
        for split, n in self.counts.items():
            stop = start + n // len(self.classes)
            spans.append((split, start, stop))
            start = stop
        return spans

    def encodings(self, labels: NDArray[np.int64], start: int, stop: int) -> NDArray[np.int64]:
        """Compute the encodings of a run of images of several classes.

        Args:
            labels: (n,) numbers of the classes.
            start: number of the first image of each class, counted over all splits.
            stop: the number after the last one.

        Returns:
            (stop - start, n, n_axes) label indices.
        """
        found = np.empty((stop - start, len(labels), len(self.grammar.axes)), np.int64)
        for blocks, members in self._groups.items():
            columns = np.flatnonzero(np.isin(labels, members))
            if len(columns):
                seeds = np.stack([self._axis_seeds(label) for label in labels[columns].tolist()])
                for axis, block in enumerate(blocks):
                    found[:, columns, axis] = balanced(block, seeds[:, axis], start, stop)
        found[:, :, self._object] = self._nouns[labels]
        return found

    def write(self, path: Path) -> None:
        """Write the plan as a Parquet file, one row an image.

        Args:
            path: the file to make or to replace; its folder must exist.
        """
        from rldf.dataset.plan_file import write_plan

        write_plan(self, path)

    def _place(self, index: int) -> tuple[str, int, int]:
        if not 0 <= index < len(self):
            raise IndexError(f"image {index} of a plan of {len(self)}")
        turn, label = divmod(index, len(self.classes))
        split = next(split for split, _, stop in self.spans() if turn < stop)
        return split, turn, label

    def _grouped(self) -> dict[_Blocks, list[int]]:
        """Gather the classes whose axes are sampled in the same blocks."""
        by_kind = {label.kind: self._blocks(label.kind) for label in self.classes}
        groups: dict[_Blocks, list[int]] = {}
        for number, label in enumerate(self.classes):
            groups.setdefault(by_kind[label.kind], []).append(number)
        return groups

    def _blocks(self, kind: str) -> _Blocks:
        return tuple(
            (0,) if place == self._object else self.config.preset.block(axis, kind)
            for place, axis in enumerate(self.grammar.axes)
        )

    def _axis_seeds(self, label: int) -> NDArray[np.uint64]:
        """Give the seeds of a class's axes, (n_axes,), computed once."""
        if label not in self._seeds:
            key, axes = self.classes[label].key, self.grammar.axes
            seeds = [derive(self.config.seed, key, axis.symbol) for axis in axes]
            self._seeds[label] = np.array(seeds, np.uint64)
        return self._seeds[label]


def make_plan(config: PlanConfig) -> Plan:
    """Make a plan.

    Args:
        config: what decides it.

    Returns:
        The plan; equal configurations give equal plans.
    """
    return Plan(config)


def retry_seed(seed: int, attempt: int) -> int:
    """Give the seed of an attempt to draw an image.

    Args:
        seed: of the planned image.
        attempt: 0 for the first attempt, which has the planned seed.

    Returns:
        The seed; attempts of one image and of others have different ones.
    """
    return derive(seed, "retry", attempt) if attempt else seed


def estimate_bytes(images: int, bytes_per_image: float) -> int:
    """Estimate what a clone takes on disk.

    Args:
        images: how many there are.
        bytes_per_image: mean size of an encoded image, bytes.

    Returns:
        Bytes of the images and of what is written about them.
    """
    return round(images * (bytes_per_image + MANIFEST_BYTES))
