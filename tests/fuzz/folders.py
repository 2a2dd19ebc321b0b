"""Folders that the program wrote and somebody spoilt: runs, clones, benches, pictures."""

import io
import json
import os
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.fuzz.corpus import (
    DRAWN,
    EXAMPLE,
    SMALL,
    Bases,
    Case,
    Words,
    copied,
    spoilt,
    spoilt_json_text,
)  # fmt: skip

SEARCH = (
    "search", EXAMPLE, "--models", DRAWN, "--agent", "q", "--renders", 6, "--steps", 8,
    "--episodes", 2, "--quiet",
)  # fmt: skip
BENCH = (
    "bench", "table3", "--grammar", SMALL, "--models", DRAWN, "-n", 1, "--seeds", 1, "--renders", 4,
    "--steps", 4, "--agents", "random", "--rewards", "clip", "--processes", 1, "--quiet",
)  # fmt: skip
GENERATE = ("--models", DRAWN, "-n", 2, "--quiet")
Spoil = Callable[[bytes, str], bytes]


def _json(data: bytes, name: str) -> bytes:
    return spoilt_json_text(data.decode(), name)


def _jsonl(data: bytes, name: str) -> bytes:
    """Spoil one line."""
    lines = data.split(b"\n")
    i = sum(name.encode()) % max(len(lines) - 1, 1)
    lines[i] = _json(lines[i], name)
    return b"\n".join(lines)


def _npz(**arrays: np.ndarray) -> bytes:
    data = io.BytesIO()
    np.savez_compressed(data, **arrays)
    return data.getvalue()


def _objects() -> bytes:
    data = io.BytesIO()
    np.savez(data, agent=np.array([{"a": 1}], dtype=object), rng=np.array(["x"]))
    return data.getvalue()


def _lying_array() -> bytes:
    """An array that says it has a million million numbers."""
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
    header += b" " * (117 - len(header)) + b"\n"
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr(zipfile.ZipInfo("agent.npy"), array)  # without the time
    return data.getvalue()


def _locked() -> bytes:
    """An archive that says it is encrypted."""
    return _objects().replace(b"PK\x03\x04\x14\x00\x00\x00", b"PK\x03\x04\x14\x00\x01\x00")


_ARRAYS = {
    "nothing": b"",
    "a bomb": _npz(agent=np.zeros(300_000_000, np.uint8)),
    "objects": _objects(),
    "one that lies": _lying_array(),
    "encrypted": _locked(),
    "one array": _npz(agent=np.zeros(3)),
    "names": _npz(**{"../../agent": np.zeros(3), "/rng": np.zeros(3)}),
}
DOCUMENTS = {
    "nothing": b"",
    "a list": b"[]",
    "null": b"null",
    "deep": b"[" * 100_000,
    "deep records": b'{"a":' * 100_000,
    "not finite": b'{"status": NaN, "seed": Infinity}',
    "large number": b'{"seed": ' + b"9" * 5_000 + b"}",
    "large": b'{"a": "' + b"x" * 5_000_000 + b'"}',
    "utf-16": '{"a": 1}'.encode("utf-16"),
    "zeros": bytes(100),
}


def _run(command: str, file: str, name: str, spoil: Spoil) -> Case:
    """A run folder with one spoilt file."""

    def build(bases: Bases, folder: Path) -> Words:
        path = _the(copied(bases.run, folder, "run"), file)
        path.write_bytes(spoil(path.read_bytes(), name))
        return {
            "run show": ["run", "show", folder / "run", "--json"],
            "run list": ["run", "list", folder],
            "search --resume": [*SEARCH, "--out", folder / "run", "--resume"],
            "generate": ["generate", folder / "run", *GENERATE],
            "clone make": ["clone", folder / "run", "--models", DRAWN, "--per-class", 2,
                           "--dry-run", "--quiet"],
        }[command]  # fmt: skip

    changes = ("run",) if command == "search --resume" else ()
    return Case(command, f"{file}: {name}", build, changes)


def _the(root: Path, pattern: str) -> Path:
    """Find a file by its pattern; one that is made anew where there is none."""
    return next(iter(sorted(root.glob(pattern))), root / pattern)


def _clone(command: str, file: str, name: str, spoil: Spoil) -> Case:
    """A clone with one spoilt file."""

    def build(bases: Bases, folder: Path) -> Words:
        path = _the(copied(bases.clone, folder, "clone"), file)
        path.write_bytes(spoil(path.read_bytes(), name))
        return {
            "clone verify": ["clone", "verify", folder / "clone", "--quiet"],
            "pocket reference": ["pocket", "reference", "--like", folder / "clone", "--out", "out",
                                 "--train", 1, "--val", 0],
            "clone status": ["clone", "status", folder / "clone", "--json"],
            "clone convert": ["clone", "convert", folder / "clone", "--to", "webdataset",
                              "--out", "out", "--quiet"],
            "evaluate": ["evaluate", folder / "clone", "--real", folder / "clone",
                         "--duplicates", "--models", "pocket", "--quiet"],
        }[command]  # fmt: skip

    return Case(command, f"{file}: {name}", build)


def _bench(name: str, spoil: Spoil, file: str = "runs.jsonl") -> Case:
    def build(bases: Bases, folder: Path) -> Words:
        path = copied(bases.bench, folder, "bench") / file
        path.write_bytes(spoil(path.read_bytes(), name))
        return [*BENCH, "--out", folder / "bench"]

    return Case("bench table3", f"{file}: {name}", build, ("bench",))


def _generated(name: str, spoil: Spoil) -> Case:
    def build(bases: Bases, folder: Path) -> Words:
        path = copied(bases.generated, folder, "out") / "manifest.json"
        path.write_bytes(spoil(path.read_bytes(), name))
        return ["generate", bases.run, *GENERATE, "--out", folder / "out"]

    return Case("generate", f"manifest.json: {name}", build, ("out",))


def _link(bases: Bases, folder: Path) -> Words:
    """A run whose steps are a link to somewhere else."""
    run = copied(bases.run, folder, "run")
    (folder / "elsewhere").write_text("not yours\n")
    (run / "steps.jsonl").unlink()
    os.symlink(folder / "elsewhere", run / "steps.jsonl")
    return [*SEARCH, "--out", run, "--resume"]


def _away(bases: Bases, folder: Path) -> Words:
    """A checkpoint that names a file outside the run."""
    run = copied(bases.run, folder, "run")
    record = json.loads((run / "checkpoint.json").read_text())
    names = {key: "../../../etc/passwd" for key, value in record.items() if isinstance(value, str)}
    (run / "checkpoint.json").write_text(json.dumps(record | names))
    return [*SEARCH, "--out", run, "--resume"]


def _fixed(data: bytes) -> Spoil:
    return lambda _, __: data


def _of(
    make: Callable[[str, str, str, Spoil], Case], command: str, file: str, spoil: Spoil, n: int
) -> Iterator[Case]:
    """Make the cases of a spoilt file: n in the short corpus, eight times as many in the long."""
    for i in range(8 * n):
        case = make(command, file, f"{spoil.__name__.strip('_')} {i}", spoil)
        yield Case(case.command, case.name, case.build, case.changes, full=i >= n)


def cases() -> Iterator[Case]:
    """List the folders, for every command that takes some."""
    for name, data in DOCUMENTS.items():
        yield _run("run show", "run.json", name, _fixed(data))
        yield _run("run show", "steps.jsonl", name, _fixed(data + b"\n"))
        yield _clone("clone status", "clone.json", name, _fixed(data))
    for name in ("nothing", "deep", "large number"):
        yield _run("search --resume", "checkpoint.json", name, _fixed(DOCUMENTS[name]))
        yield _clone("clone verify", ".rldf/shards/00000.jsonl", name, _fixed(DOCUMENTS[name]))
        yield _clone("clone status", ".rldf/finished.json", name, _fixed(DOCUMENTS[name]))
        yield _bench(name, _fixed(DOCUMENTS[name] + b"\n"))
        yield _generated(name, _fixed(DOCUMENTS[name]))
    for name, data in _ARRAYS.items():
        yield _run("search --resume", "agent-*.npz", name, _fixed(data))
    yield Case("search --resume", "steps.jsonl is a link", _link, ("run",))
    yield Case("search --resume", "a checkpoint elsewhere", _away, ("run",))
    yield from _of(_run, "run show", "run.json", _json, 6)
    yield from _of(_run, "run show", "steps.jsonl", _jsonl, 6)
    yield from _of(_run, "run list", "run.json", _json, 3)
    yield from _of(_run, "generate", "run.json", _json, 4)
    yield from _of(_run, "generate", "steps.jsonl", _jsonl, 4)
    yield from _of(_run, "clone make", "run.json", _json, 2)
    yield from _of(_run, "search --resume", "run.json", _json, 2)
    yield from _of(_run, "search --resume", "steps.jsonl", _jsonl, 4)
    yield from _of(_run, "search --resume", "checkpoint.json", _json, 4)
    yield from _of(_run, "search --resume", "agent-*.npz", spoilt, 6)
    yield from _of(_run, "search --resume", "images/*.png", spoilt, 1)
    yield from _of(_clone, "clone verify", "clone.json", _json, 4)
    yield from _of(_clone, "clone verify", "plan.parquet", spoilt, 2)
    yield from _of(_clone, "clone verify", ".rldf/shards/00000.jsonl", _jsonl, 3)
    yield from _of(_clone, "clone verify", ".rldf/finished.json", _json, 2)
    yield from _of(_clone, "clone verify", "train/metadata.parquet", spoilt, 2)
    yield from _of(_clone, "clone verify", "train/*/*.jpg", spoilt, 1)
    yield from _of(_clone, "clone status", "clone.json", _json, 4)
    yield from _of(_clone, "clone status", ".rldf/shards/00000.jsonl", _jsonl, 2)
    yield from _of(_clone, "clone convert", "clone.json", _json, 3)
    yield from _of(_clone, "clone convert", ".rldf/shards/00000.jsonl", _jsonl, 3)
    yield from _of(_clone, "pocket reference", "clone.json", _json, 2)
    yield from _of(_clone, "evaluate", "clone.json", _json, 1)
    for i in range(16):
        case = _bench(f"lines {i}", _jsonl)
        yield Case(case.command, case.name, case.build, case.changes, full=i >= 2)
        case = _generated(f"values {i}", _json)
        yield Case(case.command, case.name, case.build, case.changes, full=i >= 3)
