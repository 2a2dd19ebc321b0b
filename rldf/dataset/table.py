"""Writes rows and images of a clone as Parquet files with column types for `datasets`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from rldf.dataset.manifest import ImageRow
from rldf.grammar.encoding import format_encoding

if TYPE_CHECKING:
    import pyarrow

_GROUP = 100  # rows of a Parquet row group, which a reader loads whole for one image


def row_document(row: ImageRow) -> dict[str, Any]:
    """Return the metadata of a row by column name."""
    return {
        "label": row.label,
        "key": row.key,
        "split": row.split,
        "index": row.index,
        "sentence": row.sentence,
        "encoding": format_encoding(row.encoding),
        "seed": row.seed,
        "attempt": row.attempt,
        "rejected": ",".join(row.rejected),
        "sha256": row.sha256,
        "bytes": row.bytes,
    }


_INTEGERS = ("index", "seed", "attempt", "bytes")
_TEXTS = ("key", "split", "sentence", "encoding", "rejected", "sha256")


def write_metadata(
    file: BinaryIO,
    parts: Iterable[Sequence[ImageRow]],
    classes: Sequence[str],
    extra_metadata: Mapping[str, str],
) -> None:
    """Write `metadata.parquet` of one split of an image folder.

    Args:
        file: the open file.
        parts: the rows of the split's images, shard by shard.
        classes: keys of the classes, in the order of their labels.
        extra_metadata: further columns with one value for all images.
    """
    import pyarrow.parquet

    named = ("file_name", pyarrow.string(), {"_type": "Value", "dtype": "string"})
    schema = _schema(named, classes, extra_metadata)
    with pyarrow.parquet.ParquetWriter(file, schema) as writer:
        for rows in parts:
            if rows:
                # relative to the folder of the split, which contains the file
                names = [row.name.partition("/")[2] for row in rows]
                writer.write_table(_table(schema, "file_name", names, rows, extra_metadata))


def write_images(
    file: BinaryIO,
    rows: Sequence[ImageRow],
    images: Sequence[bytes],
    classes: Sequence[str],
    extra_metadata: Mapping[str, str],
) -> None:
    """Write a Parquet file with a row for each image, its encoded bytes included."""
    import pyarrow.parquet

    image = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    schema = _schema(("image", image, {"_type": "Image"}), classes, extra_metadata)
    held = [
        {"bytes": data, "path": row.name.rpartition("/")[2]}
        for row, data in zip(rows, images, strict=True)
    ]
    table = _table(schema, "image", held, rows, extra_metadata)
    pyarrow.parquet.write_table(table, file, row_group_size=_GROUP)


def _schema(
    first: tuple[str, "pyarrow.DataType", dict[str, str]],
    classes: Sequence[str],
    extra_metadata: Mapping[str, str],
) -> "pyarrow.Schema":
    import pyarrow

    name, kind, feature = first
    texts, integers = (*_TEXTS, *extra_metadata), _INTEGERS
    fields = [
        (name, kind),
        ("label", pyarrow.int64()),
        *((column, pyarrow.int64()) for column in integers),
        *((column, pyarrow.string()) for column in texts),
    ]
    features = {
        name: feature,
        "label": {"_type": "ClassLabel", "names": list(classes)},
        **{column: {"_type": "Value", "dtype": "int64"} for column in integers},
        **{column: {"_type": "Value", "dtype": "string"} for column in texts},
    }
    described = json.dumps({"info": {"features": features}})
    return pyarrow.schema(fields, metadata={"huggingface": described})


def _table(
    schema: "pyarrow.Schema",
    first: str,
    values: Sequence[object],
    rows: Sequence[ImageRow],
    extra_metadata: Mapping[str, str],
) -> "pyarrow.Table":
    import pyarrow

    documents = [
        {first: value, **row_document(row), **extra_metadata}
        for value, row in zip(values, rows, strict=True)
    ]
    return pyarrow.Table.from_pylist(documents, schema=schema)
