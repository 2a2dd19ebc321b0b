"""The plan of a data set: every image's class, split, encoding, sentence, seed and file name.

A plan is a function of its configuration alone, and each image is computed without the others.
Images are numbered split by split. Within a split, image i has class i % n_classes, so consecutive
images have the classes in turn. Image k of a class, counted over all splits, has the seed
`derive(plan seed, class key, k)`. Its values are sampled axis by axis in shuffled blocks
(`rldf.dataset.sampling`) with the seed `derive(plan seed, class key, axis symbol)`. So the images
of a class do not depend on the other classes, and a plan with more images per class begins each
class with the same images.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rldf.dataset.class_axis import object_axis
from rldf.dataset.config import PlanConfig
from rldf.dataset.sampling import balanced
from rldf.dataset.splits import SPLITS
from rldf.grammar.axes import Axis, Slot
from rldf.grammar.encoding import Encoding
from rldf.grammar.grammar import Grammar
from rldf.gridworld import controls_first
from rldf.io.files import replacing
from rldf.seeding import derive

MANIFEST_BYTES = 600
"""Bytes per image beside its file, about: its rows in plan, manifest and metadata."""

_Blocks = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """One image of a plan.

    Attributes:
        index: the image's number in the plan, from 0.
        key: key of its class.
        label: number of its class in `Plan.classes`.
        split: "train", "val" or "test".
        encoding: value indices, one per axis of the plan's grammar.
        sentence: the generator's prompt.
        seed: image seed of the first attempt; see `retry_seed` for further ones.
        name: path of its file relative to the clone's folder, with "/" between the parts.
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
    """The planned images of a data set, in the order that the module's docstring describes."""

    def __init__(self, config: PlanConfig) -> None:
        """Prepare the plan of a configuration; images are computed when a method needs them."""
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
        """Return the number of images."""
        return len(self.classes) * self.config.per_class

    @property
    def counts(self) -> dict[str, int]:
        """The number of images by split, in the order of the plan."""
        return {
            split: self.config.splits[split] * len(self.classes)
            for split in SPLITS
            if split in self.config.splits
        }

    def image(self, index: int) -> PlannedImage:
        """Return image `index` of the plan."""
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
        """Return each split with first and stop: images first to stop - 1 of every class."""
        spans, start = [], 0
        for split, n in self.counts.items():
            stop = start + n // len(self.classes)
            spans.append((split, start, stop))
            start = stop
        return spans

    def encodings(self, labels: NDArray[np.int64], start: int, stop: int) -> NDArray[np.int64]:
        """Compute the encodings of images start to stop - 1 of classes.

        Args:
            labels: numbers of the classes, (n,).
            start: number of the first image of each class.
            stop: number after the last image of each class.

        Returns:
            Value indices, (stop - start, n, n_axes).
        """
        found = np.empty((stop - start, len(labels), len(self.grammar.axes)), np.int64)
        for blocks, members in self._groups.items():
            columns = np.flatnonzero(np.isin(labels, members))
            if len(columns):
                seeds = np.stack([self._axis_seeds(label) for label in labels[columns].tolist()])
                for axis, block in enumerate(blocks):
                    found[:, columns, axis] = balanced(block, seeds[:, axis], start, stop)
        found[:, :, self._object] = self._nouns[labels]
        conditions = self.grammar.conditions
        for axis in controls_first(found.shape[2], conditions):
            if axis in conditions:
                found[~_met(conditions[axis], found), axis] = 0
        return found

    def write(self, path: Path) -> None:
        """Write the plan as a Parquet file with one row per image."""
        write_plan(self, path)

    def _place(self, index: int) -> tuple[str, int, int]:
        if not 0 <= index < len(self):
            raise IndexError(f"image {index}: the plan has images 0 to {len(self) - 1}")
        turn, label = divmod(index, len(self.classes))
        split = next(split for split, _, stop in self.spans() if turn < stop)
        return split, turn, label

    def _grouped(self) -> dict[_Blocks, list[int]]:
        """Return the numbers of the classes by the blocks in which their axes are sampled."""
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
        """Return the seeds of a class's axes, (n_axes,)."""
        if label not in self._seeds:
            key, axes = self.classes[label].key, self.grammar.axes
            seeds = [derive(self.config.seed, key, axis.symbol) for axis in axes]
            self._seeds[label] = np.array(seeds, np.uint64)
        return self._seeds[label]


def make_plan(config: PlanConfig) -> Plan:
    """Return the plan of a configuration; equal configurations give equal plans."""
    return Plan(config)


def retry_seed(seed: int, attempt: int) -> int:
    """Return the image seed of an attempt; attempt 0 has the planned seed."""
    return derive(seed, "retry", attempt) if attempt else seed


def estimate_bytes(images: int, bytes_per_image: float) -> int:
    """Return images * (bytes_per_image + MANIFEST_BYTES), rounded: the size of a clone."""
    return round(images * (bytes_per_image + MANIFEST_BYTES))


ROWS = 32_768
"""Number of images of a row group in `plan.parquet`, about."""


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan as Parquet; the metadata key "rldf" has its configuration as JSON."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    config = json.dumps(plan.config.model_dump(mode="json"))
    names = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema(
        {
            "index": pa.int64(),
            "split": names,
            "key": names,
            "label": pa.int32(),
            "encoding": pa.list_(pa.int32(), len(plan.grammar.axes)),
            "sentence": pa.string(),
            "seed": pa.int64(),
            "name": pa.string(),
        },
        metadata={"rldf": config},
    )
    with replacing(path) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for columns in _row_groups(plan):
            writer.write_batch(pa.record_batch(columns, schema=schema), row_group_size=2 * ROWS)


def _row_groups(plan: Plan) -> Iterator[dict[str, Any]]:
    turns = max(1, ROWS // len(plan.classes))
    for split, start, stop in plan.spans():
        for first in range(start, stop, turns):
            yield _columns(plan, split, first, min(first + turns, stop))


def _columns(plan: Plan, split: str, start: int, stop: int) -> dict[str, Any]:
    """Return the columns for images start to stop - 1 of every class, which are in `split`."""
    import pyarrow as pa

    n_classes = len(plan.classes)
    encodings = plan.encodings(np.arange(n_classes), start, stop).reshape(
        -1, len(plan.grammar.axes)
    )
    keys = [label.key for label in plan.classes]
    extension, seed = plan.config.image_format, plan.config.seed
    rows = list(product(range(start, stop), keys))
    number = np.tile(np.arange(n_classes, dtype=np.int32), stop - start)
    return {
        "index": np.arange(start * n_classes, stop * n_classes),
        "split": pa.DictionaryArray.from_arrays(np.zeros(len(rows), np.int32), [split]),
        "key": pa.DictionaryArray.from_arrays(number, keys),
        "label": number,
        "encoding": pa.FixedSizeListArray.from_arrays(
            encodings.astype(np.int32).reshape(-1), encodings.shape[1]
        ),
        "sentence": sentences(plan.grammar, encodings),
        "seed": np.array([derive(seed, key, k) for k, key in rows], np.int64),
        "name": [f"{split}/{key}/{key}_{k:08d}.{extension}" for k, key in rows],
    }


def sentences(grammar: Grammar, encodings: NDArray[np.int64]) -> Any:
    """Return the sentences of encodings (n, n_axes) as a pyarrow array of n strings."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = []
    symbols = [axis.symbol for axis in grammar.axes]
    for slot in grammar.slots:
        table = [[surface or None for surface in row] for row in _surfaces(grammar.axes, slot)]
        flat = pa.array([surface for row in table for surface in row], pa.string())
        value = 0 if slot.axis is None else encodings[:, slot.axis]
        asked = 0 if slot.agrees is None else encodings[:, slot.agrees]
        place = np.broadcast_to(value * len(table[0]) + asked, len(encodings))
        words = flat.take(pa.array(place))
        left_out = np.zeros(len(encodings), bool)
        if slot.axis is not None:
            left_out = ~_uses(grammar, slot.axis, encodings)
        for case in slot.omit:
            left_out |= np.all(
                [_is_one_of(grammar, symbols.index(s), names, encodings) for s, names in case], 0
            )
        parts.append(pc.if_else(pa.array(left_out), pa.scalar(None, pa.string()), words))
    return pc.binary_join_element_wise(*parts, " ", null_handling="skip")


def _uses(grammar: Grammar, axis: int, encodings: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which encodings (n, n_axes) meet all conditions of an axis, (n,)."""
    met = np.ones(len(encodings), bool)
    while axis in grammar.conditions:
        met &= _met(grammar.conditions[axis], encodings)
        axis = grammar.conditions[axis][0]
    return met


def _met(condition: tuple[int, frozenset[int]], encodings: NDArray[np.int64]) -> Any:
    """Return which encodings (..., n_axes) meet a condition, (...,)."""
    control, needed = condition
    return np.isin(encodings[..., control], list(needed))


def _is_one_of(
    grammar: Grammar, axis: int, names: Sequence[str], encodings: NDArray[np.int64]
) -> NDArray[np.bool_]:
    values = [i for i, value in enumerate(grammar.axes[axis].values) if value.name in names]
    return np.isin(encodings[:, axis], values)


def _surfaces(axes: tuple[Axis, ...], slot: Slot) -> list[list[str]]:
    """Return a slot's words by the index of its value and of the value that it agrees with."""
    owners = [slot.forms] if slot.axis is None else [v.forms for v in axes[slot.axis].values]
    asking = [None] if slot.agrees is None else [v.form for v in axes[slot.agrees].values]
    return [[forms.get(form or "", forms.get("", "")) for form in asking] for forms in owners]
