"""Measure the code's structure: modules, docstrings, functions, imports, and depth of calls.

    python tools/structure.py            # a table
    python tools/structure.py --json     # one JSON document
    python tools/structure.py --root ../other-checkout

Own frames are the functions of rldf below main() that lead to the costly call of a library. They
are counted by running each command in a process of its own on the pocket models, offline, with that
call replaced by one that writes down who called it.
"""

import argparse
import ast
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]

_PIPELINE = "diffusers:StableDiffusionPipeline.__call__"

# What each command runs, and the call that costs: "module:attribute".
COMMANDS = {
    "search": ("search {input} --models pocket --reward clip --out {out} -q", _PIPELINE),
    "clone": ("clone-imagenet --models pocket --classes 1 --out {out} -q", _PIPELINE),
    "FID, features": (
        "evaluate {images} --real {images} --fid -q",
        "open_clip:CLIP.encode_image",
    ),
    "FID, distance": (
        "evaluate {images} --real {images} --fid -q",
        "torch_fidelity.metric_fid:fid_statistics_to_metric",
    ),
}

RECORDER = """
import functools, importlib, json, os, sys
command, target, package, found, stop = json.loads(sys.argv[1])
module, _, path = target.partition(":")
owner = importlib.import_module(module)
*owners, name = path.split(".")
for part in owners:
    owner = getattr(owner, part)
true = getattr(owner, name)

@functools.wraps(true)
def recording(*args, **kwargs):
    frame, own = sys._getframe(1), []
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(package):
            own.append(code.co_filename[len(package):] + ":" + code.co_qualname)
        frame = frame.f_back
    if any(line.endswith(":main") for line in own):
        with open(found, "a") as file:
            file.write(json.dumps(own[::-1]) + "\\n")
        if stop:
            os._exit(0)
    return true(*args, **kwargs)

setattr(owner, name, recording)
sys.argv = ["rldf", *command]
from rldf.cli.main import main
main()
"""


class Module:
    """One file of the package, parsed."""

    def __init__(self, path: Path, package: Path) -> None:
        """Read a file of the package."""
        parts = path.relative_to(package.parent).with_suffix("").parts
        self.name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        self.is_package = parts[-1] == "__init__"
        self.text = path.read_text(encoding="utf-8")
        self.tree = ast.parse(self.text)
        self.lines = len(self.text.splitlines())

    def docstrings(self) -> Iterator[ast.Constant]:
        """Yield the docstring nodes, those of classes and functions too."""
        kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        for node in ast.walk(self.tree):
            first = node.body[0] if isinstance(node, kinds) and node.body else None
            value = first.value if isinstance(first, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value

    def docstring_lines(self) -> set[int]:
        """Return the numbers of the lines that docstrings take."""
        return {n for node in self.docstrings() for n in _span(node)}

    def code_lines(self) -> int:
        """Count the lines that are neither blank, nor a comment, nor a docstring."""
        docs = self.docstring_lines()
        return sum(
            n not in docs and bool(line.strip()) and not line.lstrip().startswith("#")
            for n, line in enumerate(self.text.splitlines(), start=1)
        )

    def function_lengths(self) -> Iterator[int]:
        """Yield the lines of each function's body, without signature and docstring."""
        docs = self.docstring_lines()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)
                if lines := sum(n not in docs for n in body):
                    yield lines

    def imports(self) -> set[str]:
        """Return the dotted names of rldf that are imported, but for types alone."""
        typing_only = {
            inner
            for node in ast.walk(self.tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for inner in ast.walk(node)
        }
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if node in typing_only:
                continue
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
        return {name for name in found if name.split(".")[0] == "rldf"}


def _span(node: ast.expr) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def read_modules(root: Path) -> list[Module]:
    """Parse every file of the package below a checkout's root."""
    package = root / "rldf"
    return [Module(path, package) for path in sorted(package.rglob("*.py"))]


def importers(modules: Iterable[Module]) -> dict[str, set[str]]:
    """Return for each module those that import it, itself and its package's __init__ excluded."""
    modules = list(modules)
    names = {module.name for module in modules}
    found: dict[str, set[str]] = {name: set() for name in names}
    for module in modules:
        for imported in module.imports():
            target = imported if imported in names else imported.rpartition(".")[0]
            if target in names and target != module.name:
                found[target].add(module.name)
    return found


def package_of(name: str) -> str:
    """Return the package directly below rldf that a module is in, or the root module itself."""
    return name.split(".")[1] if "." in name else "rldf"


def package_imports(imported_by: dict[str, set[str]]) -> dict[tuple[str, str], list[str]]:
    """Return by pair of packages the imports from the first to the second, "module > module"."""
    found: dict[tuple[str, str], list[str]] = {}
    for target, sources in imported_by.items():
        for source in sources:
            pair = package_of(source), package_of(target)
            if "rldf" not in pair and pair[0] != pair[1]:
                found.setdefault(pair, []).append(f"{source} > {target}")
    return {pair: sorted(lines) for pair, lines in sorted(found.items())}


def package_cycles(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Return the groups of packages that import one another in a circle."""
    edges: dict[str, set[str]] = {}
    for source, target in pairs:
        edges.setdefault(source, set()).add(target)
    reached = {package: _reachable(package, edges) for package in edges}
    groups = {
        tuple(sorted(b for b in reached[a] if a in reached.get(b, ())))
        for a in edges
        if a in reached[a]
    }
    return [list(group) for group in sorted(groups)]


def _reachable(start: str, edges: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    due = list(edges.get(start, ()))
    while due:
        package = due.pop()
        if package not in found:
            found.add(package)
            due += edges.get(package, ())
    return found


def own_frames(root: Path, command: str) -> list[str]:
    """Run a command and return the deepest chain of own functions from main() to its costly call.

    Raises:
        RuntimeError: the command failed, or never came to the call.
    """
    line, target = COMMANDS[command]
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "frames"
        places = {
            "input": str(root / "examples" / "zebra-in-snow.png"),
            "out": str(Path(folder) / "out"),
            "images": str(Path(folder) / "images"),
        }
        if "{images}" in line:
            _write_images(Path(places["images"]))
        words = [word.format(**places) for word in line.split()]
        stop = target != COMMANDS["FID, distance"][1]  # which is called from two depths
        asked = json.dumps([words, target, f"{root / 'rldf'}{os.sep}", str(found), stop])
        done = subprocess.run(
            [sys.executable, "-c", RECORDER, asked],
            cwd=folder,
            env=os.environ
            | {"PYTHONPATH": str(root), "RLDF_CACHE": f"{folder}/cache", "RLDF_DATA": folder},
            capture_output=True,
            text=True,
        )
        if not found.exists():
            raise RuntimeError(f"{command} never came to {target}: {done.stderr.strip()[-500:]}")
        chains = [json.loads(line) for line in found.read_text().splitlines()]
    return max(chains, key=len)


def _write_images(folder: Path) -> None:
    """Write a few images of noise, one shade each."""
    from PIL import Image

    folder.mkdir()
    for n in range(16):
        Image.effect_noise((64, 64), 8.0 * (n + 1)).convert("RGB").save(folder / f"{n:02d}.png")


def measure(root: Path, *, frames: bool = True) -> dict[str, Any]:
    """Measure a checkout; the order is that of the table."""
    modules = read_modules(root)
    lines = [module.lines for module in modules]
    functions = sorted(n for module in modules for n in module.function_lengths())
    docs = sum(len(module.docstring_lines()) for module in modules)
    code = sum(module.code_lines() for module in modules)
    imported_by = importers(modules)
    between = package_imports(imported_by)
    cycles = package_cycles(between)
    single = sorted(name for name, sources in imported_by.items() if len(sources) == 1)
    roots = sorted(m.name for m in modules if m.name.count(".") == 1 and not m.is_package)
    document: dict[str, Any] = {
        "modules": len(modules),
        "root modules": len(roots) + 1,  # with rldf/__init__.py
        "module lines, median": statistics.median(lines),
        "module lines, maximum": max(lines),
        "docstring lines": docs,
        "code lines": code,
        "docstring / code": round(docs / code, 2),
        "functions": len(functions),
        "function lines, median": statistics.median(functions),
        "function lines, 90 %": functions[int(0.9 * len(functions))],
        "function lines, maximum": functions[-1],
        "modules with one importer": len(single),
        "package cycles": cycles,
        "imports in cycles": {
            f"{a} > {b}": lines
            for (a, b), lines in between.items()
            if any(a in group and b in group for group in cycles)
        },
        "packages": dict(sorted(Counter(package_of(m.name) for m in modules).items())),
        "one importer": single,
    }
    if frames:
        chains = {command: own_frames(root, command) for command in COMMANDS}
        document["own frames"] = {command: len(chain) - 1 for command, chain in chains.items()}
        document["frames"] = chains
    return document


def table(document: dict[str, Any]) -> str:
    """Lay the figures out for people."""
    rows = {name: value for name, value in document.items() if not isinstance(value, list | dict)}
    cycles = ["-".join(group) for group in document["package cycles"]]
    rows["package cycles"] = f"{len(cycles)} {', '.join(cycles)}".strip()
    for command, number in document.get("own frames", {}).items():
        rows[f"own frames, {command}"] = number
    width = max(map(len, rows))
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in rows.items())


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="Measure the code's structure.")
    parser.add_argument("--root", type=Path, default=HERE, help="checkout; this one by default")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--no-frames", action="store_true", help="run no command")
    options = parser.parse_args()
    document = measure(options.root.resolve(), frames=not options.no_frames)
    print(json.dumps(document, indent=2) if options.json else table(document))


if __name__ == "__main__":
    main()
