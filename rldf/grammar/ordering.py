"""The orders that the values of an axis may stand in: as declared, by taxonomy, by likeness."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from rldf.errors import ConfigError, UsageError
from rldf.grammar.axes import Axis
from rldf.grammar.grammar import Grammar
from rldf.grammar.locality import Floats, Order, seriate

By = Literal["declared", "taxonomy", "clip"]
_MOST = 1e100  # of a number in a table; its square must be one too
MOST_VALUES = 2_000  # a seriation weighs all pairs of values


def taxonomy_order(axis: Axis) -> Order:
    """Order objects by their wnids, and scenes indoors before outdoors, each kind together.

    Values that the taxonomy does not know keep their places, as all of an axis of another kind do.
    """
    return sorted_in_place(axis.kind.taxonomy_keys(axis))


def sorted_in_place(keys: Sequence[str | None]) -> Order:
    """Sort what has a key among the places that such things hold.

    Args:
        keys: (n,) a key, or None for what stays where it is.

    Returns:
        (n,) the numbers in their new order; of equal keys the first comes first.
    """
    holders = [i for i, key in enumerate(keys) if key is not None]
    order = np.arange(len(keys), dtype=np.int64)
    order[holders] = sorted(holders, key=lambda i: keys[i] or "")
    return order


def clip_order(axis: Axis, distances: Floats) -> Order:
    """Order values by the likeness of their embeddings.

    Args:
        axis: any.
        distances: (n, n) how far apart its values are in meaning.

    Returns:
        (n,) numbers of the values.
    """
    if len(axis.values) > MOST_VALUES:
        raise UsageError(
            f"axis {axis.symbol} has {len(axis.values)} values, and --by clip orders at most "
            f"{MOST_VALUES}: type --by taxonomy, or name another --axis"
        )
    return seriate(distances, axis.kind.fixed_values(axis))


def sentences(grammar: Grammar, axis: Axis) -> list[str]:
    """Write the sentences that differ in one axis alone, the others at their first values."""
    place = grammar.axes.index(axis)
    first = (0,) * len(grammar.axes)
    return [
        grammar.derive((*first[:place], i, *first[place + 1 :])) for i in range(len(axis.values))
    ]


def embed(
    grammar: Grammar, axis: Axis, embed_texts: Callable[[Sequence[str]], np.ndarray]
) -> Floats:
    """Embed the values of an axis as a text model reads them in a sentence.

    Returns:
        (n, d) one vector a value.
    """
    texts = sentences(grammar, axis)
    parts = [embed_texts(texts[i : i + 256]) for i in range(0, len(texts), 256)]
    return np.concatenate(parts).astype(np.float64)


def read_vectors(path: Path, names: Path | None, axis: Axis) -> Floats:
    """Read the vectors of an axis's values from a file.

    Args:
        path: a .npy file, (m, d) numbers.
        names: a text file with one name a line, those of the rows; a row belongs to the value that
            is called so, or has it as a label. None if the rows are the values in their order.
        axis: the axis.

    Returns:
        (n, d) one vector a value.
    """
    rows = _rows(path)
    if names is None:
        if len(rows) != len(axis.values):
            raise UsageError(
                f"{path} has {len(rows)} rows and axis {axis.symbol} {len(axis.values)} values: "
                "name the rows by --names"
            )
        return rows
    row_of = _named(names, len(rows), path)
    found = [
        next((row_of[name] for name in (value.name, *value.labels) if name in row_of), None)
        for value in axis.values
    ]
    missing = [value.name for value, row in zip(axis.values, found, strict=True) if row is None]
    if missing:
        raise UsageError(f"{names} names no row for {', '.join(missing[:5])} of axis {axis.symbol}")
    return rows[[row for row in found if row is not None]]


def _rows(path: Path) -> Floats:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers in an odd form
            with path.open("rb") as file:
                rows = np.lib.format.read_array(file, allow_pickle=False)
    except OSError as error:
        raise ConfigError(f"vectors {path} cannot be read: {error.strerror or error}") from None
    except Exception:  # a stranger's file may raise anything
        raise ConfigError(f"vectors {path}: no .npy file of numbers") from None
    fits = rows.ndim == 2 and rows.dtype.kind == "f"
    with np.errstate(all="ignore"):
        numbers = np.asarray(rows, dtype=np.float64) if fits else np.zeros((1, 1))
    if not (np.abs(numbers) < _MOST).all() or not numbers.any(axis=1).all():
        raise ConfigError(f"vectors {path}: give a table of finite numbers, no row all zeros")
    return numbers


def _named(names: Path, rows: int, path: Path) -> Mapping[str, int]:
    try:
        lines = names.read_text("utf-8").splitlines()
    except OSError as error:
        raise ConfigError(f"names {names} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"names {names} is not a text file in UTF-8") from None
    if len(lines) != rows or len(set(lines)) != rows:
        raise UsageError(f"{names} needs {rows} different lines, one for each row of {path}")
    return {line.strip(): i for i, line in enumerate(lines)}
