"""YAML that people write: grammars, rewards, model sets; and lists of classes."""

from collections.abc import Callable, Iterator
from pathlib import Path

from rldf.io.resources import find
from tests.fuzz.corpus import DRAWN, EXAMPLE, Bases, Case, Words, spoilt_lines

_LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)
HANDMADE: dict[str, bytes] = {
    "empty": b"",
    "comment": b"# nothing\n",
    "word": b"hello",
    "number": b"7",
    "list": b"- 1\n- 2\n",
    "null": b"~",
    "two documents": b"name: a\n---\nname: b\n",
    "deep list": b"[" * 2_000,
    "deep and whole": b"[" * 1_200 + b"]" * 1_200,
    "deep record": b"{a: " * 2_000,
    "deep indent": b"".join(b" " * i + b"a:\n" for i in range(600)),
    "laughs": _LAUGHS.encode(),
    "laughs as name": f"name: *a11\n{_LAUGHS}".encode(),
    "laughs in axes": (_LAUGHS + "name: x\naxes: *a11\n").encode(),
    "itself": b"&a [*a]",
    "itself in a record": b"name: x\naxes: &a {Noun: *a}\n",
    "merge": b"name: x\n<<: {name: y}\n<<: [1]\n",
    "merge itself": b"a: &a {<<: *a}\n",
    "alias of nothing": b"name: *nobody\n",
    "python": b"name: !!python/object/apply:os.system ['touch marker']\n",
    "python name": b"name: !!python/name:os.system\n",
    "binary": b"name: !!binary aGVsbG8=\n",
    "set": b"name: !!set {a, b}\n",
    "time": b"name: 2024-02-31\n",
    "time 2": b"name: 2024-01-01T99:99:99Z\n",
    "large number": b"name: " + b"9" * 6_000 + b"\n",
    "large float": b"name: 1e999999\n",
    "sixty": b"name: 190:20:30:59:59:59:59\n",
    "nan": b"name: .nan\n",
    "control": b"name: \x01\x02\n",
    "bell": b'name: "\\a\\e[31m\\x9b"\n',
    "surrogate": b'name: "\\ud800"\n',
    "line end": b'name: "a\\nb"\n',
    "tab": b"name:\tx\n\tb: 1\n",
    "utf-16": "name: x\n".encode("utf-16"),
    "latin-1": "name: é\n".encode("latin-1"),
    "bom": b"\xef\xbb\xbfname: x\n",
    "zeros": bytes(1_000),
    "noise": bytes(range(256)) * 8,
    "large": b"#" * 4_000_001,
    "long key": b"a" * 100_000 + b": 1\n",
    "question": b"? [a, b]\n: 1\n",
    "record as key": b"{a: 1}: 2\n",
    "twice": b"name: a\nname: b\n",
    "percent": b"%YAML 9.9\n---\nname: x\n",
    "tag": b"%TAG ! tag:x,2000:\n---\n!foo bar\n",
}


def _axis(name: str, values: int, text: str = "") -> str:
    row = "      v{i}: {{text: '{text}{name}{i}', labels: [l{i}]}}\n"
    rows = "".join(row.format(i=i, text=text, name=name) for i in range(values))
    return f"  {name}:\n    reads: attribute\n    values:\n{rows}"


def _grammar(rule: str, *axes: str) -> bytes:
    head = f"name: mine\nstart: S\nproductions:\n  S: {rule}\naxes:\n"
    return (head + "".join(axes)).encode()


_NAMES = [f"A{i}" for i in range(100)]
_ALIKE = "  {}:\n    reads: attribute\n    values:\n      x: {{text: a a}}\n      y: {{text: a}}\n"
_GRAMMARS: dict[str, bytes] = {
    "goes round": _grammar("S A", _axis("A", 2)),
    "thirty axes": _grammar(" ".join(_NAMES[:30]), *(_axis(name, 9) for name in _NAMES[:30])),
    "hundred axes": _grammar(" ".join(_NAMES), *(_axis(name, 3) for name in _NAMES)),
    "many values": _grammar("A B", _axis("A", 2_000), _axis("B", 2_000)),
    "ambiguous": _grammar(
        " ".join(_NAMES[:12]), *(_axis(n, 6).replace(f"{n}0", "a") for n in _NAMES[:12])
    ),
    "all alike": _grammar("A B C", *(_ALIKE.format(name) for name in "ABC")),
    "long text": _grammar("A", _axis("A", 3, "word " * 50_000)),
    "long rule": _grammar("A " * 50_000, _axis("A", 2)),
    "long chain": (
        "name: mine\nstart: S\nproductions:\n  S: R0\n"
        + "".join(f"  R{i}: R{i + 1}\n" for i in range(3_000))
        + "  R3000: A\naxes:\n"
        + _axis("A", 2)
    ).encode(),
    "bins": b"name: m\nstart: S\nproductions: {S: A}\naxes:\n  A:\n    reads: object_count\n"
    b"    values:\n      a: {count: [0, 999999999999999999999999]}\n      b: {count: [-5, null]}\n",
}  # fmt: skip
_REWARDS: dict[str, bytes] = {
    "parts of itself": b"name: a\ndescription: x\nclass: combined\nparts: [{reward: ./a.yaml}]\n",
    "weights": b"name: a\nclass: combined\nparts: [{reward: clip, weight: .inf}]\n",
    "many parts": b"name: a\nclass: combined\nparts: [" + b"{reward: clip}," * 20_000 + b"]\n",
    "code": b"name: a\nclass: os:system\n",
    "module": b"name: a\nclass: rldf.rewards.clip:ClipSimilarity\n",
}
_BRIEF = ("empty", "list", "laughs", "itself", "python", "surrogate", "bell", "nan", "latin-1")
_SLOW = ("many values", "many parts", "deep and whole", "long text")  # seconds each
_CODE = (
    "name: a\ngenerator: {class: %s}\ndetector: {class: %s}\nscene: {class: x}\nclip: {class: y}"
)
_MODELS: dict[str, bytes] = {
    name: (_CODE % (name, name)).encode() for name in ("os:system", "builtins:eval", "../x", "''")
}
_CLASSES: dict[str, bytes] = {
    "nothing": b"",
    "noise": bytes(range(256)),
    "paths": b"../../etc/passwd\n/dev/zero\n",
    "long": b"x" * 1_000_000,
    "twice": b"dog\ndog\n",
    "markup": b"<b>dog</b>\n[red]zebra\n\x1b[31m\n",
}


def _typed(*words: object) -> Callable[[str, bytes], Callable[[Bases, Path], Words]]:
    """Make a builder: FILE among the words becomes the file's path."""

    def builder(name: str, data: bytes) -> Callable[[Bases, Path], Words]:
        def build(bases: Bases, folder: Path) -> Words:
            file = folder / "mine.yaml"
            file.write_bytes(data)
            return [file if word == "FILE" else word for word in words]

        return build

    return builder


_COMMANDS = {
    "grammar check": _typed("grammar", "check", "FILE"),
    "grammar show": _typed("grammar", "show", "FILE", "--json"),
    "grammar sentence": _typed("grammar", "sentence", "FILE", "a photo of one dog"),
    # the image is not there: the search ends once everything before it was read
    "search --grammar": _typed("search", "none.png", "--grammar", "FILE", "--models", DRAWN),
    "search --reward": _typed("search", "none.png", "--reward", "FILE", "--models", DRAWN),
    "search --models": _typed("search", "none.png", "--models", "FILE"),
    "encode --models": _typed("encode", EXAMPLE, "--models", "FILE"),
    "clone-imagenet --classes": _typed(
        "clone-imagenet", "--classes", "FILE", "--models", DRAWN, "--per-class", 1, "--dry-run",
        "--quiet",
    ),
}  # fmt: skip


def _sound(kind: str, name: str) -> str:
    path = find(kind, name)
    assert path is not None
    return path.read_text("utf-8")


def _listed(command: str, inputs: dict[str, bytes], *, brief: bool = False) -> Iterator[Case]:
    """List inputs; those of a parser that other commands share are mostly of the long corpus."""
    for name, data in inputs.items():
        build = _COMMANDS[command](name, data)
        full = name in _SLOW or (brief and name not in _BRIEF)
        yield Case(command, name, build, full=full)


def _spoilt(command: str, text: str, fast: int, full: int) -> Iterator[Case]:
    for i in range(full):
        name = f"spoilt {i}"
        build = _COMMANDS[command](name, spoilt_lines(text, f"{command} {i}"))
        yield Case(command, name, build, full=i >= fast)


def cases() -> Iterator[Case]:
    """List the texts, for every command that takes some."""
    models = DRAWN.read_text("utf-8").replace("../rldf", str(DRAWN.parents[1] / "rldf"))
    yield from _listed("grammar check", HANDMADE | _GRAMMARS)
    yield from _listed("grammar show", _GRAMMARS)
    yield from _listed("search --reward", HANDMADE, brief=True)
    yield from _listed("search --models", HANDMADE, brief=True)
    yield from _listed("search --reward", _REWARDS)
    yield from _listed("encode --models", _MODELS)
    yield from _listed("clone-imagenet --classes", _CLASSES)
    yield from _spoilt("grammar check", _sound("grammars", "base"), 20, 300)
    yield from _spoilt("grammar sentence", _sound("grammars", "base"), 5, 50)
    yield from _spoilt("search --grammar", _sound("grammars", "base"), 5, 50)
    yield from _spoilt("search --reward", _sound("rewards", "combined"), 10, 60)
    yield from _spoilt("search --models", models, 10, 60)
    yield from _spoilt("encode --models", models, 4, 40)
