"""Files of the remaining commands: pickles, lock files, label maps, archives, results, pipes."""

import io
import json
import os
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import torch

from rldf.pocket import WEIGHTS
from tests.fuzz.corpus import (
    DRAWN,
    EXAMPLE,
    Bases,
    Case,
    Words,
    copied,
    spoilt,
    spoilt_head,
    spoilt_json_text,
    spoilt_lines,
)  # fmt: skip
from tests.fuzz.folders import DOCUMENTS, GENERATE
from tests.models.hostile import PARTS, SET, model_set, squeezed, swelling

COMPARE = (
    "compare", EXAMPLE, "--models", DRAWN, "--agent", "random", "--renders", 2, "--rivals",
    "random", "--quiet",
)  # fmt: skip
_CAPTION = "a photo of one banana and no people in a vegetable garden"
ABLATE = (
    "ablate", "watercolour", EXAMPLE, "--caption", _CAPTION, "--models", DRAWN, "--agent", "random",
    "--renders", 2, "--quiet",
)  # fmt: skip
CONTROL = ("--axis", "Scene", "-n", 1, "--models", DRAWN, "--quiet")
_HUB = {"class": "image-classification", "id": "them/scene"}
_COMMIT, _SUM = "0123456789" * 4, "0123456789abcdef" * 4
_LOCK = {"id": "them/scene", "revision": _COMMIT, "file": None, "files": {}}
_LOCKED = {"sources": {"scene": {**_LOCK, "files": {"config.json": {"size": 1, "sha256": _SUM}}}}}
Data = Callable[[], bytes]


@cache
def _checkpoint() -> bytes:
    """A small checkpoint of torch."""
    data = io.BytesIO()
    weights = {f"module.layer{i}.weight": torch.zeros(8, 8) for i in range(4)}
    torch.save({"arch": "resnet18", "state_dict": weights}, data)
    return data.getvalue()


def _import(data: bytes | Callable[[Path], object]):
    def build(bases: Bases, folder: Path) -> Words:
        file = folder / "resnet18_places365.pth.tar"
        if callable(data):
            data(file)
        else:
            file.write_bytes(data)
        return ["models", "import-places365", file, "--out", "out"]

    return build


def _imported(data: bytes):
    """A folder that is there already, and says what it was made of."""

    def build(bases: Bases, folder: Path) -> Words:
        (folder / "made").mkdir()
        (folder / "made" / "places365.json").write_bytes(data)
        (folder / "a.pth.tar").write_bytes(_checkpoint())
        return ["models", "import-places365", folder / "a.pth.tar", "--out", folder / "made"]

    return build


def _set(command: str, data: bytes):
    def build(bases: Bases, folder: Path) -> Words:
        (folder / "mine.yaml").write_bytes(data)
        return ["models", command, folder / "mine.yaml"]

    return build


def _locked(command: str, data: bytes):
    """A model set with a lock file beside it."""

    def build(bases: Bases, folder: Path) -> Words:
        parts = {name: json.dumps(part) for name, part in (PARTS | {"scene": _HUB}).items()}
        (folder / "mine.yaml").write_text(SET.format(**parts))
        (folder / "mine.lock.json").write_bytes(data)
        return ["models", command, folder / "mine.yaml"]

    return build


def _labels(data: bytes):
    def build(bases: Bases, folder: Path) -> Words:
        copied(WEIGHTS / "scene", folder, "scene")
        (folder / "scene" / "names.json").write_bytes(data)
        models = model_set(folder, "scene", folder / "scene")
        named = '"options": {"label_map": "names.json"}, "path"'
        text = models.read_text().replace(
            f'"path": "{folder / "scene"}"', f'{named}: "{folder / "scene"}"'
        )
        assert "label_map" in text
        models.write_text(text)
        return ["encode", EXAMPLE, "--models", models]

    return build


def _captioner(file: str, data: Data, command: str):
    def build(bases: Bases, folder: Path) -> Words:
        copied(WEIGHTS / "scene", folder, "captioner")
        (folder / "captioner" / file).write_bytes(data())
        words = ["compare", EXAMPLE, "--models", DRAWN, "--rivals", "caption"]
        if command == "ablate --captioner":
            words = ["ablate", "watercolour", EXAMPLE, "--models", DRAWN]
        return [*words, "--captioner", folder / "captioner", "--out", "out", "--quiet"]

    return build


def _features(name: str, data: bytes | Callable[[Path], object]):
    def build(bases: Bases, folder: Path) -> Words:
        if callable(data):
            data(folder / name)
        else:
            (folder / name).write_bytes(data)
        return [
            "evaluate", bases.clone, "--real", bases.clone, "--features", folder / name, "--models",
            "pocket", "--quiet",
        ]  # fmt: skip

    return build


def _archive(command: str, kind: str, data: Callable[[bytes], bytes]):
    """A clone in archives, one of them spoilt."""

    def build(bases: Bases, folder: Path) -> Words:
        clone = copied(getattr(bases, kind), folder, "clone")
        path = next(iter(sorted((clone / "data").iterdir())))
        path.write_bytes(data(path.read_bytes()))
        return {
            "clone verify": ["clone", "verify", clone, "--quiet"],
            "clone convert": ["clone", "convert", clone, "--to", "imagefolder", "--out", "out",
                              "--quiet"],
            "evaluate": ["evaluate", clone, "--real", bases.clone, "--duplicates", "--models",
                         "pocket", "--quiet"],
        }[command]  # fmt: skip

    return build


def _result(command: str, file: str, data: Callable[[bytes], bytes]):
    """The folder of a command that was finished, one of its files spoilt."""
    base = {"compare": "compared", "ablate": "ablated", "control": "controlled"}[command]

    def build(bases: Bases, folder: Path) -> Words:
        out = copied(getattr(bases, base), folder, "out")
        path = next(iter(sorted(out.glob(file))))
        path.write_bytes(data(path.read_bytes()))
        words = {"compare": COMPARE, "ablate": ABLATE, "control": ("control", bases.run, *CONTROL)}
        return [*words[command], "--out", out]

    return Case(command, "", build, ("out",))


def _of_run(data: Callable[[bytes], bytes]):
    def build(bases: Bases, folder: Path) -> Words:
        run = copied(bases.run, folder, "run")
        (run / "run.json").write_bytes(data((run / "run.json").read_bytes()))
        return ["control", run, *CONTROL, "--out", "out"]

    return build


def _odd(base: str, file: str, words: tuple[object, ...], *, pipe: bool):
    """A pipe, or a link to a device without end, in the place of a file."""

    def build(bases: Bases, folder: Path) -> Words:
        root = copied(getattr(bases, base), folder, base)
        path = next(iter(sorted(root.glob(file))))
        path.unlink()
        if pipe:
            os.mkfifo(path)
        else:
            path.symlink_to("/dev/zero")
        return [root if word == "ROOT" else word for word in words]

    return build


_ODD = (
    ("run", "run.json", ("run", "show", "ROOT")),
    ("run", "steps.jsonl", ("run", "show", "ROOT")),
    ("run", "run.json", ("generate", "ROOT", *GENERATE)),
    ("clone", "clone.json", ("clone", "status", "ROOT")),
    ("clone", "train/*/*.jpg", ("clone", "verify", "ROOT", "--quiet")),
    ("clone", ".rldf/shards/00000.jsonl", ("clone", "verify", "ROOT", "--quiet")),
    ("clone", "train/*/*.jpg", ("evaluate", "ROOT", "--real", "ROOT", "--duplicates", "--models",
                                "pocket", "--quiet")),
    ("webdataset", "data/*", ("clone", "verify", "ROOT", "--quiet")),
    ("parquet", "data/*", ("clone", "verify", "ROOT", "--quiet")),
)  # fmt: skip


def _json(name: str) -> Callable[[bytes], bytes]:
    return lambda data: spoilt_json_text(data.decode(), name)


def _bytes(name: str) -> Callable[[bytes], bytes]:
    return lambda data: spoilt(data, name)


def _always(data: bytes) -> Callable[[bytes], bytes]:
    return lambda _: data


_PICKLES: dict[str, bytes | Callable[[Path], object]] = {
    "nothing": b"",
    "noise": bytes(range(256)) * 9,
    "a number": b"\x80\x02K\x01.",
    "an archive": b"PK\x05\x06" + bytes(18),
    "no end": b"\x80\x02" + b"]" * 20_000,
    "swelling": partial(swelling, size=10**11),
    "swelling, old": partial(swelling, size=10**11, old=True),
    "squeezed": partial(squeezed, size=3 * 10**7),
}
_BRIEF = ("nothing", "deep", "null", "large number")
_SETS = {
    "nothing": b"",
    "list": b"- 1\n",
    "code": b"name: a\ngenerator: {class: 'os:system'}\ndetector: {class: x}\nscene: {class: x}\n"
    b"clip: {class: x}\n",
    "bell": b'name: "\\a\\e[31m"\n',
    "surrogate": b'name: "\\ud800"\n',
}


def _brief() -> Iterator[tuple[str, bytes]]:
    yield from ((name, data) for name, data in DOCUMENTS.items() if name in _BRIEF)


def _models() -> Iterator[Case]:
    """List model sets, their lock files and label maps, for the commands that show models."""
    sound = DRAWN.read_text("utf-8").replace("../rldf", str(DRAWN.parents[1] / "rldf"))
    lock = json.dumps(_LOCKED)
    for command in ("check", "show", "path", "pull"):
        for name, data in _SETS.items():
            yield Case(f"models {command}", name, _set(command, data))
        for i in range(20):
            data = spoilt_lines(sound, f"{command} {i}")
            yield Case(f"models {command}", f"spoilt {i}", _set(command, data), full=i >= 2)
    for name, data in _brief():
        yield Case("models show", f"lock: {name}", _locked("show", data))
        yield Case("encode --models", f"label map: {name}", _labels(data))
    for command in ("show", "path"):
        for i in range(40):
            name = f"lock: spoilt {i}"
            build = _locked(command, spoilt_json_text(lock, f"{command} {name}"))
            yield Case(f"models {command}", name, build, full=i >= 5)


def _pickles() -> Iterator[Case]:
    for name, data in _PICKLES.items():
        yield Case("models import-places365", name, _import(data))
        if name != "an archive":  # which may be a script
            yield Case("evaluate --features", name, _features("m.pth", data))
    for name, data in _brief():
        yield Case("models import-places365", f"made: {name}", _imported(data))
    for i in range(40):
        name, whole = f"spoilt {i}", _checkpoint()
        data = spoilt_head(whole, name, 300) if i % 2 else spoilt(whole, name)
        yield Case("models import-places365", name, _import(data), full=i >= 6)
    for command in ("compare --captioner", "ablate --captioner"):
        for name, data in _brief():
            build = _captioner("config.json", partial(bytes, data), command)
            yield Case(command, name, build, full=name == "null")


def _results() -> Iterator[Case]:
    files = (("compare", "manifest.json"), ("compare", "*/result.json"),
             ("ablate", "manifest.json"), ("control", "manifest.json"))  # fmt: skip
    for command, file in files:
        for name, spoil in [(name, _always(data)) for name, data in _brief()] + [
            (f"spoilt {i}", _json(f"{command} {file} {i}")) for i in range(20)
        ]:
            case = _result(command, file, spoil)
            full = name.startswith("spoilt") and int(name.split()[1]) >= 2
            yield Case(command, f"{file}: {name}", case.build, case.changes, full=full)
    for i in range(16):
        yield Case("control", f"run.json: {i}", _of_run(_json(f"control {i}")), full=i >= 2)


def cases() -> Iterator[Case]:
    """List the cases."""
    yield from _models()
    yield from _pickles()
    yield from _results()
    for command in ("clone verify", "clone convert", "evaluate"):
        for kind in ("webdataset", "parquet"):
            for i in range(12):
                name = f"{kind}: spoilt {i}"
                build = _archive(command, kind, _bytes(f"{command} {name}"))
                yield Case(command, name, build, full=i >= (1 if command == "evaluate" else 2))
            yield Case(command, f"{kind}: nothing", _archive(command, kind, _always(b"")))
    for base, file, words in _ODD:
        for pipe in (True, False):
            command = str(words[0]) if words[1] == "ROOT" else f"{words[0]} {words[1]}"
            name = f"{base}/{file} is a {'pipe' if pipe else 'device'}"
            yield Case(command, name, _odd(base, file, words, pipe=pipe))
