"""Tables of numbers: `grammar order --vectors`."""

import io
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from rldf import seeding as seeds
from rldf.grammar.grammar import load_grammar
from tests.fuzz.corpus import DRAWN, Bases, Case, Words, spoilt, spoilt_head


@cache
def _names() -> str:
    axis = next(axis for axis in load_grammar("base").axes if axis.symbol == "Noun")
    return "".join(f"{value.name}\n" for value in axis.values)


def _npy(array: np.ndarray) -> bytes:
    data = io.BytesIO()
    np.save(data, array, allow_pickle=True)
    return data.getvalue()


def _says(header: str) -> bytes:
    """Write an array whose header says anything."""
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(640)


def _order(data: bytes, names: bytes | None = None):
    def build(bases: Bases, folder: Path) -> Words:
        (folder / "rows.npy").write_bytes(data)
        (folder / "names.txt").write_bytes(_names().encode() if names is None else names)
        return [
            "grammar", "order", "base", "--axis", "Noun", "--by", "clip", "--models", DRAWN,
            "--vectors", folder / "rows.npy", "--names", folder / "names.txt",
        ]  # fmt: skip

    return build


def cases() -> Iterator[Case]:
    """List the arrays."""
    rows = seeds.rng(0, "fuzz", "rows").normal(size=(10, 8)).astype(np.float32)
    sound, shape = _npy(rows), "'descr': '<f8', 'fortran_order': False, 'shape'"
    handmade = {
        "sound": sound,
        "nothing": b"",
        "magic alone": sound[:6],
        "objects": _npy(np.array([{"a": 1}] * 10, dtype=object)),
        "words": _npy(np.array(["a"] * 10)),
        "cube": _npy(np.ones((10, 2, 2))),
        "not finite": _npy(np.full((10, 2), np.nan)),
        "zeros": _npy(np.zeros((10, 2))),
        "without columns": _npy(np.zeros((10, 0))),
        "huge numbers": _npy(np.full((10, 2), 1e308)),
        "a million million rows": _says(f"{{{shape}: (1000000000000, 8), }}"),
        "negative": _says(f"{{{shape}: (-10, 8), }}"),
        "too many for 64 bits": _says(f"{{{shape}: ({10**30}, {10**30}), }}"),
        "of Python 2": _says(f"{{{shape}: (10L, 8L), }}"),
        "code": _says("__import__('os').system('touch marker')"),
        "unfinished": _says("{'descr': ("),
        "odd type": _says("{'descr': '<f999', 'fortran_order': False, 'shape': (10, 8), }"),
        "an archive": b"PK\x03\x04" + bytes(100),
        "a pickle": b"\x80\x04\x95" + bytes(100),
    }
    for name, data in handmade.items():
        yield Case("grammar order", name, _order(data))
    for name, text in {"none": b"", "noise": bytes(range(256)), "long": b"x" * 10**6}.items():
        yield Case("grammar order", f"names: {name}", _order(sound, text))
    for i in range(48):
        name = f"spoilt {i}"
        data = spoilt_head(sound, name, 128) if i % 2 else spoilt(sound, name)
        yield Case("grammar order", name, _order(data), full=i >= 6)
