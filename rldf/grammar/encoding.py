"""An encoding υ is a point of the grid: the tuple of label indices, one per axis (paper §3).

Axis i of a grammar with `shape` (s_0, ..., s_n) takes the whole numbers 0 to s_i - 1.
"""

from rldf.errors import UsageError

Encoding = tuple[int, ...]


def parse_encoding(text: str, shape: tuple[int, ...]) -> Encoding:
    """Parse an encoding that a user typed, and check it against the shape of the grid."""
    ranges = ",".join(f"0-{size - 1}" for size in shape)
    try:
        encoding = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"'{text}' is not a vector: type whole numbers {ranges}") from None
    if not fits(encoding, shape):
        raise UsageError(f"vector {text} is outside this grammar's grid: it takes {ranges}")
    return encoding


def format_encoding(encoding: Encoding) -> str:
    """Format an encoding as `parse_encoding` accepts it."""
    return ",".join(str(index) for index in encoding)


def fits(encoding: Encoding, shape: tuple[int, ...]) -> bool:
    """Return whether an encoding is a point of a grid of this shape."""
    return len(encoding) == len(shape) and all(
        0 <= i < size for i, size in zip(encoding, shape, strict=True)
    )
