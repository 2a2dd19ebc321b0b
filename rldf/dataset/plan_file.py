"""The plan as a Parquet file, computed column by column, one row group at a time."""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rldf.grammar.axes import Axis, Slot
from rldf.io.files import replacing
from rldf.seeding import derive

if TYPE_CHECKING:
    from rldf.dataset.plan import Plan
    from rldf.grammar.grammar import Grammar

ROWS = 32_768
"""Images of a row group, about."""


def write_plan(plan: "Plan", path: Path) -> None:
    """Write a plan; the file's metadata hold its configuration under the key "rldf".

    Args:
        plan: what to write.
        path: the file to make or to replace; its folder must exist.
    """
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


def _row_groups(plan: "Plan") -> Iterator[dict[str, Any]]:
    turns = max(1, ROWS // len(plan.classes))
    for split, start, stop in plan.spans():
        for first in range(start, stop, turns):
            yield _columns(plan, split, first, min(first + turns, stop))


def _columns(plan: "Plan", split: str, start: int, stop: int) -> dict[str, Any]:
    """Compute the rows of images start to stop of every class, the classes taking turns."""
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


def sentences(grammar: "Grammar", encodings: NDArray[np.int64]) -> Any:
    """Derive many sentences at once.

    Args:
        grammar: whose sentences.
        encodings: (n, n_axes), inside the grid.

    Returns:
        A pyarrow array of n strings, each what `Grammar.derive` gives.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = []
    for slot in grammar.slots:
        table = [[surface or None for surface in row] for row in _surfaces(grammar.axes, slot)]
        flat = pa.array([surface for row in table for surface in row], pa.string())
        value = 0 if slot.axis is None else encodings[:, slot.axis]
        asked = 0 if slot.agrees is None else encodings[:, slot.agrees]
        place = np.broadcast_to(value * len(table[0]) + asked, len(encodings))
        parts.append(flat.take(pa.array(place)))
    return pc.binary_join_element_wise(*parts, " ", null_handling="skip")


def _surfaces(axes: tuple[Axis, ...], slot: Slot) -> list[list[str]]:
    """Tabulate what a slot reads as: by its own value, then by the value that it agrees with."""
    owners = [slot.forms] if slot.axis is None else [v.forms for v in axes[slot.axis].values]
    asking = [None] if slot.agrees is None else [v.form for v in axes[slot.agrees].values]
    return [[forms.get(form or "", forms.get("", "")) for form in asking] for forms in owners]
