"""The order of an axis's values: as declared, by taxonomy or by likeness, and how good it is.

Values are vectors here, one a row; two values are as far apart as 1 - cosine. An order is good
where values that stand near each other mean alike. Its score is the rank correlation of two
distances over all pairs of values: |i - j| on the axis, and 1 - cosine. It is 1 where far on the
axis always means far in meaning, and about 0 in an order drawn at random.

That score has one weakness: values that are like nothing else earn most at the two ends, wherever
the rest stands, and neighbours hardly count among all pairs. But an agent moves to neighbours. So
`seriate` maximises the score plus half as much for likeness of the nearest, which costs little of
the score.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rldf.errors import ConfigError, UsageError
from rldf.grammar.axes import Axis
from rldf.grammar.grammar import Grammar

Floats = NDArray[np.float64]
Order = NDArray[np.int64]
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
    """Write the sentences that differ in one axis alone, the others at their first values.

    An axis that another one depends on has the first value with which the sentence speaks of that.
    """
    place = grammar.axes.index(axis)
    first = grammar.using(place, (0,) * len(grammar.axes))
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


def cosine_distances(vectors: Floats) -> Floats:
    """Measure how far apart values are in meaning.

    Args:
        vectors: (n, d) one a value, none of them 0.

    Returns:
        (n, n) 1 - cosine, from 0 to 2.
    """
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.clip(1.0 - unit @ unit.T, 0.0, 2.0), dtype=np.float64)


def axis_distances(n: int) -> Floats:
    """Measure how far apart the places of an axis are.

    Returns:
        (n, n) |i - j|.
    """
    places = np.arange(n, dtype=np.float64)
    return np.abs(places[:, None] - places)


def spearman(x: Floats, y: Floats) -> float:
    """Correlate the ranks of two lists of numbers (C. Spearman, 1904, doi:10.2307/1412159).

    Args:
        x: (n,) numbers.
        y: (n,) numbers.

    Returns:
        From -1 to 1; 0 where one list holds one number only.
    """
    from scipy.stats import spearmanr  # takes half a second to import

    if len(set(x.tolist())) < 2 or len(set(y.tolist())) < 2:
        return 0.0
    return float(spearmanr(x, y).statistic)


def locality(distances: Floats) -> float:
    """Score the order of an axis.

    Args:
        distances: (n, n) how far apart the values are in meaning, in the order of the axis.

    Returns:
        Spearman's rank correlation of |i - j| and the distances over all pairs, -1 to 1.
    """
    pairs = np.triu_indices(len(distances), k=1)
    return spearman(axis_distances(len(distances))[pairs], distances[pairs])


def fiedler_order(distances: Floats) -> Order:
    """Put values in a line by the spectrum of their likeness.

    The entries of the Laplacian's second eigenvector place like values near each other: J. Atkins,
    E. Boman and B. Hendrickson, "A spectral algorithm for seriation and the consecutive ones
    problem", 1998, doi:10.1137/S0097539795285771.

    Args:
        distances: (n, n) how far apart the values are in meaning.

    Returns:
        (n,) the numbers of the values in their order.
    """
    alike = distances.max() - distances
    np.fill_diagonal(alike, 0.0)
    laplacian = np.diag(alike.sum(axis=1)) - alike
    second = np.linalg.eigh(laplacian)[1][:, min(1, len(distances) - 1)]
    return np.argsort(second, kind="stable").astype(np.int64)


def neighbours(distances: Floats) -> float:
    """Tell how unlike the neighbours of an axis are, for what its values are.

    Args:
        distances: (n, n) how far apart the values are in meaning, in the order of the axis.
    """
    pairs = np.triu_indices(len(distances), k=1)
    mean = float(distances[pairs].mean()) if len(pairs[0]) else 0.0
    return float(np.diag(distances, 1).mean()) / mean if mean > 0 else 1.0


def worth(distances: Floats) -> float:
    """Give what `seriate` maximises.

    Args:
        distances: (n, n) how far apart the values are in meaning, in the order of the axis.
    """
    return float((_wanted(len(distances)) * _ranked(distances)).sum())


def climb(distances: Floats, order: Order, fixed: int = 0) -> Order:
    """Improve an order by exchanging two values as long as that makes it worth more (2-opt).

    All exchanges are weighed at once, and the best one is made: its gain is that of a quadratic
    assignment problem.

    Args:
        distances: (n, n) how far apart the values are in meaning.
        order: (n,) where to start.
        fixed: how many values at the beginning stay.

    Returns:
        (n,) an order that no exchange improves, or the one that 20 n exchanges led to.
    """
    n = len(order)
    line, meant = _wanted(n), _ranked(distances)[np.ix_(order, order)]
    both = line @ meant
    for _ in range(20 * n):
        own = np.diag(both)
        gain = both + both.T - own[:, None] - own + 2.0 * line * meant
        gain[:fixed], gain[:, :fixed] = -np.inf, -np.inf
        i, j = map(int, np.unravel_index(int(gain.argmax()), gain.shape))
        if gain[i, j] <= 1e-6:  # less is rounding
            break
        both += np.outer(line[:, i] - line[:, j], meant[j] - meant[i])
        swap = np.arange(n)
        swap[[i, j]] = j, i
        order, both, meant = order[swap], both[:, swap], meant[np.ix_(swap, swap)]
    return order


def seriate(distances: Floats, fixed: int = 0) -> Order:
    """Find an order that is worth much: the better of two climbs, from here and from the spectrum.

    Args:
        distances: (n, n) how far apart the values are in meaning, in the order of the axis.
        fixed: how many values at the beginning stay where they are.

    Returns:
        (n,) the numbers of the values in their new order, which is worth no less than the order
        given; of an order and its reverse, the one that is nearer to the order given.
    """
    here = np.arange(len(distances), dtype=np.int64)
    if len(here) - fixed < 2:
        return here
    spectral = fixed + fiedler_order(distances[fixed:, fixed:])
    starts = (here, np.concatenate([here[:fixed], _turned(spectral)]))
    found = [climb(distances, start, fixed) for start in starts]
    best = max(found, key=lambda order: worth(distances[np.ix_(order, order)]))
    return best if fixed else _turned(best)


def _turned(order: Order) -> Order:
    """Reverse an order where it runs against the order given."""
    rising = spearman(np.arange(len(order), dtype=np.float64), order.astype(np.float64))
    return order if rising >= 0 else order[::-1].copy()


def _wanted(n: int) -> Floats:
    """Weigh the pairs of an axis: near ones are to be alike, far ones are to differ.

    With ranks for distances, Spearman's correlation is a sum over pairs of a rank on the axis times
    a rank in meaning; all else in it is the same for every order.
    """
    apart = axis_distances(n)
    return _standard(_ranked(apart)) - 0.5 * _standard(np.exp(-apart / 2.0))


def _ranked(distances: Floats) -> Floats:
    """Rank all pairs; the (n, n) ranks are standardised, with 0 on the diagonal."""
    from scipy.stats import rankdata

    pairs = np.triu_indices(len(distances), k=1)
    full = np.zeros_like(distances)
    full[pairs] = rankdata(distances[pairs])
    return _standard(full + full.T)


def _standard(weights: Floats) -> Floats:
    """Give the pairs of a symmetric matrix mean 0 and variance 1, and its diagonal 0."""
    pairs = weights[np.triu_indices(len(weights), k=1)]
    spread = float(pairs.std()) if len(pairs) else 0.0
    full = (weights - pairs.mean()) / spread if spread > 0 else np.zeros_like(weights)
    np.fill_diagonal(full, 0.0)
    return np.asarray(full, dtype=np.float64)
