"""What a case of the corpus is, and how files are spoilt: the same every time.

A case writes its files into a folder of its own and says what is typed. Every mutation follows from
the case's name alone, so that a case that failed can be run again by its name.
"""

import copy
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from rldf import seeding as seeds
from tests.fuzz.cost import Cost

DRAWN = Path(__file__).parents[1] / "drawn.yaml"
SMALL = Path(__file__).parents[1] / "experiments" / "bench" / "small.yaml"
EXAMPLE = Path(__file__).parents[2] / "examples" / "dog-in-park.png"
Words = Sequence[object]
USUAL = Cost(seconds=10, memory=600_000_000)
"""The most that a case may take; a sound input takes a tenth of it."""
LARGE = Cost(seconds=20, memory=1_500_000_000)
"""The same for an image of some 60 million pixels."""


class Bases(Protocol):
    """Sound folders that cases copy and spoil."""

    @property
    def run(self) -> Path:
        """Of `rldf search`, with a checkpoint, interrupted."""

    @property
    def clone(self) -> Path:
        """Of `rldf clone-imagenet`."""

    @property
    def bench(self) -> Path:
        """Of `rldf bench table3`."""

    @property
    def webdataset(self) -> Path:
        """The clone in tar files."""

    @property
    def parquet(self) -> Path:
        """The clone in Parquet files."""

    @property
    def compared(self) -> Path:
        """Of `rldf compare`."""

    @property
    def ablated(self) -> Path:
        """Of `rldf ablate`."""

    @property
    def controlled(self) -> Path:
        """Of `rldf control`."""

    @property
    def generated(self) -> Path:
        """Of `rldf generate`."""


@dataclass(frozen=True, slots=True)
class Case:
    """One spoilt input.

    Attributes:
        command: what is typed first, such as "clone verify"; cases are counted by it.
        name: of the case, unlike any other of the command.
        build: writes the files into an empty folder and gives the words to type.
        changes: names in that folder which the command may write to.
        full: whether it belongs to the long corpus alone.
        bound: the most that it may take.
    """

    command: str
    name: str
    build: Callable[[Bases, Path], Words]
    changes: tuple[str, ...] = ()
    full: bool = False
    bound: Cost = USUAL

    def __str__(self) -> str:
        return f"{self.command}: {self.name}"


def spoilt(data: bytes, name: str) -> bytes:
    """Spoil bytes in one of seven ways; the name decides which, and where."""
    rng = seeds.rng(0, "fuzz", name)
    at, length = int(rng.integers(0, len(data))), int(rng.integers(1, 64))
    rest = data[at + length :]
    ways = [
        lambda: data[:at],
        lambda: _flipped(data, rng, 1),
        lambda: _flipped(data, rng, 40),
        lambda: data[:at] + bytes(length) + rest,
        lambda: data[:at] + rng.bytes(length) + data[at:],
        lambda: data[:at] + rest,
        lambda: data[:at] + data[max(at - 4 * length, 0) : at] * 3 + data[at:],
    ]
    return ways[int(rng.integers(len(ways)))]()


def spoilt_head(data: bytes, name: str, head: int) -> bytes:
    """Spoil the beginning of a file, where its sizes stand."""
    return spoilt(data[:head], name) + data[head:]


def _flipped(data: bytes, rng: np.random.Generator, n: int) -> bytes:
    array = bytearray(data)
    for at in rng.integers(0, len(data), n):
        array[at] ^= 1 << int(rng.integers(8))
    return bytes(array)


NASTY: tuple[Any, ...] = (
    None, True, -1, 0, 1.5, 1e308, 10**30, -(2**63), "", "../../../etc/passwd", "\x1b[31mred\x07",
    "a\nb", "\u202eabc", "[red]x[/red]", "x" * 20_000, [], {}, [[]], {"": None}, [1, "a", None],
    "\x00", "/", ".", "NaN", float("nan"), float("inf"), "/dev/zero", "\ud800",
)  # fmt: skip


def spoilt_json(record: Any, name: str) -> Any:
    """Put a nasty value in some place of a record, take a key away, or add one."""
    rng = seeds.rng(0, "fuzz", name)
    record = copy.deepcopy(record)
    places = list(_places(record))
    holder, key = places[int(rng.integers(len(places)))]
    way = int(rng.integers(8))
    if way == 0:
        del holder[key]
    elif way == 1 and isinstance(holder, dict):
        holder[f"{key}-more"] = copy.deepcopy(holder[key])
    else:
        holder[key] = NASTY[int(rng.integers(len(NASTY)))]
    return record


def _places(record: Any) -> Iterator[tuple[Any, Any]]:
    items = record.items() if isinstance(record, dict) else enumerate(record)
    for key, value in list(items):
        yield record, key
        if isinstance(value, dict | list):
            yield from _places(value)


def spoilt_json_text(text: str, name: str) -> bytes:
    """Spoil a JSON document's values, or every fourth time its bytes."""
    if seeds.derive(0, "fuzz", name, "way") % 4 == 0:
        return spoilt(text.encode(), name)
    return json.dumps(spoilt_json(json.loads(text), name)).encode()


def spoilt_lines(text: str, name: str) -> bytes:
    """Spoil a YAML text: lines lost, doubled, moved, indented; or a value, or bytes."""
    rng = seeds.rng(0, "fuzz", name)
    lines = text.splitlines()
    i, j = (int(n) for n in rng.integers(0, len(lines), 2))
    way = int(rng.integers(8))
    if way == 0:
        del lines[i]
    elif way == 1:
        lines.insert(j, lines[i])
    elif way == 2:
        lines[i], lines[j] = lines[j], lines[i]
    elif way == 3:
        lines[i] = "  " + lines[i]
    elif way == 4:
        return spoilt(text.encode(), name)
    else:
        key, colon, _ = lines[i].partition(":")
        value = json.dumps(NASTY[int(rng.integers(len(NASTY)))])
        lines[i] = f"{key}: {value}" if colon else value
    return "\n".join(lines).encode(errors="surrogatepass")


def copied(base: Path, folder: Path, name: str) -> Path:
    """Copy a sound folder, to spoil the copy."""
    return Path(shutil.copytree(base, folder / name))
