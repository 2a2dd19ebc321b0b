"""The plan of a data set: every image's class, split, encoding, sentence, seed and file name.

A plan is a pure function of its configuration, and image i of it needs no other image. Images are
numbered split by split; within a split the classes take turns, so that any run of images holds all
classes alike. Image k of a class, counted over its splits, has the seed
`derive(plan seed, class key, k)`; value k of an axis comes from that axis's own shuffled blocks
(`rldf.dataset.sampling`), keyed by `derive(plan seed, class key, axis symbol)`. So a class's images
do not depend on what other classes the plan has, and more images of a class begin with the same.
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
    """The images of a data set, in the order that the module describes."""

    def __init__(self, config: PlanConfig) -> None:
        """Prepare a plan; single images are computed when asked for."""
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
        """Compute one image of the plan."""
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
        """Return split, first and stop number of its images of a class."""
        spans, start = [], 0
        for split, n in self.counts.items():
            stop = start + n // len(self.classes)
            spans.append((split, start, stop))
            start = stop
        return spans

    def encodings(self, labels: NDArray[np.int64], start: int, stop: int) -> NDArray[np.int64]:
        """Compute images start to stop of classes (n,): label indices (stop - start, n, n_axes)."""
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
        """Write the plan as a Parquet file, one row an image."""
        write_plan(self, path)

    def _place(self, index: int) -> tuple[str, int, int]:
        if not 0 <= index < len(self):
            raise IndexError(f"image {index} of a plan of {len(self)}")
        turn, label = divmod(index, len(self.classes))
        split = next(split for split, _, stop in self.spans() if turn < stop)
        return split, turn, label

    def _grouped(self) -> dict[_Blocks, list[int]]:
        """Group the classes whose axes are sampled in the same blocks."""
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
    """Make a plan; equal configurations give equal plans."""
    return Plan(config)


def retry_seed(seed: int, attempt: int) -> int:
    """Return the seed of an attempt, which is the planned one for attempt 0."""
    return derive(seed, "retry", attempt) if attempt else seed


def estimate_bytes(images: int, bytes_per_image: float) -> int:
    """Return the bytes of a clone on disk, from the mean bytes of an image file."""
    return round(images * (bytes_per_image + MANIFEST_BYTES))


ROWS = 32_768
"""Images of a row group, about."""


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan; the file's metadata hold its configuration under the key "rldf"."""
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
    """Compute the rows of images start to stop of every class."""
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
    """Derive the sentences of encodings (n, n_axes) as a pyarrow array."""
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
    """Tell of encodings (n, n_axes) which speak of an axis."""
    met = np.ones(len(encodings), bool)
    while axis in grammar.conditions:
        met &= _met(grammar.conditions[axis], encodings)
        axis = grammar.conditions[axis][0]
    return met


def _met(condition: tuple[int, frozenset[int]], encodings: NDArray[np.int64]) -> Any:
    """Tell of encodings (..., n_axes) which meet a condition."""
    control, needed = condition
    return np.isin(encodings[..., control], list(needed))


def _is_one_of(
    grammar: Grammar, axis: int, names: Sequence[str], encodings: NDArray[np.int64]
) -> NDArray[np.bool_]:
    values = [i for i, value in enumerate(grammar.axes[axis].values) if value.name in names]
    return np.isin(encodings[:, axis], values)


def _surfaces(axes: tuple[Axis, ...], slot: Slot) -> list[list[str]]:
    """Return the words of a slot by its own value and by the value that it agrees with."""
    owners = [slot.forms] if slot.axis is None else [v.forms for v in axes[slot.axis].values]
    asking = [None] if slot.agrees is None else [v.form for v in axes[slot.agrees].values]
    return [[forms.get(form or "", forms.get("", "")) for form in asking] for forms in owners]
