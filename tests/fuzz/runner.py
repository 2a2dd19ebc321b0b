"""Runs a case in this process, within limits, and tells what a user should never see."""

import contextlib
import hashlib
import io
import json
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property, wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

from rldf import registry as catalog
from rldf.cli.main import main
from rldf.models import model_sets
from rldf.pocket import WEIGHTS
from tests.dataset.clones import clone
from tests.fuzz import arrays, folders, images, models, others, texts
from tests.fuzz.corpus import DRAWN, Bases, Case
from tests.fuzz.cost import Cost, Meter

SECONDS = 30  # of computing, after which a case is stopped
WAITING = 600  # seconds on the clock, however busy the machine is
MEMORY = 2_000_000_000  # bytes that a case may add to the process
_OUTPUTS = {"runs", "clones", "generated", "evaluations", "bench", "out"}


_PARTS = (images, texts, arrays, folders, models, others)


class Hung(BaseException):
    """A case took too long."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case.

    Attributes:
        code: the exit code.
        err: what stood on stderr.
        cost: what it took.
        problems: what a user should never see, one line each.
    """

    code: int | None
    err: str
    cost: Cost
    problems: tuple[str, ...]


def corpus(*, full: bool = False) -> list[Case]:
    """List all cases; the long corpus holds the short one."""
    found = [case for part in _PARTS for case in part.cases()]
    assert len({str(case) for case in found}) == len(found), "two cases have one name"
    return [case for case in found if full or not case.full]


class MadeBases:
    """Sound folders, each made when it is first asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @cached_property
    def run(self) -> Path:
        path = self._made("run", [*folders.SEARCH, "--out", self._root / "run"])
        record = json.loads((path / "run.json").read_text())
        record |= {"status": "interrupted", "finished": None, "result": None}
        (path / "run.json").write_text(json.dumps(record))
        return path

    @cached_property
    def clone(self) -> Path:
        return clone(self._root / "clone").root

    @cached_property
    def bench(self) -> Path:
        return self._made("bench", [*folders.BENCH, "--out", self._root / "bench"])

    @cached_property
    def webdataset(self) -> Path:
        return self._converted("webdataset")

    @cached_property
    def parquet(self) -> Path:
        return self._converted("parquet")

    @cached_property
    def compared(self) -> Path:
        return self._made("compared", [*others.COMPARE, "--out", self._root / "compared"])

    @cached_property
    def ablated(self) -> Path:
        return self._made("ablated", [*others.ABLATE, "--out", self._root / "ablated"])

    @cached_property
    def controlled(self) -> Path:
        words = ["control", self.run, *others.CONTROL, "--out", self._root / "controlled"]
        return self._made("controlled", words)

    @cached_property
    def generated(self) -> Path:
        words = ["generate", self.run, *folders.GENERATE, "--out", self._root / "generated"]
        return self._made("generated", words)

    def _converted(self, kind: str) -> Path:
        words = ["clone", "convert", self.clone, "--to", kind, "--out", self._root / kind]
        return self._made(kind, [*words, "--quiet"])

    def _made(self, name: str, words: list[object]) -> Path:
        with _shared_models():
            code, err = _type(words, self._root)
        assert code == 0, f"{name}: {err}"
        return self._root / name


def run(case: Case, bases: Bases, root: Path) -> Outcome:
    """Run a case in a new folder."""
    for name in ("in", "here", "cache"):
        (root / name).mkdir(parents=True)
    words = case.build(bases, root / "in")
    before = _digests(root / "in", case.changes)
    meter = Meter()
    code, err, problems = None, "", []
    try:
        with _shared_models(), _limits():
            code, err = _type(words, root / "here")
    except Hung:
        problems.append(f"hangs: more than {SECONDS} s of computing, or {WAITING} s")
    except BaseException as error:
        problems.append(f"traceback: {type(error).__name__}: {str(error)[:200]}")
    cost = meter.read()
    problems += [] if problems else _unseemly(case, code, err)
    problems += cost.beyond(case.bound)
    if _digests(root / "in", case.changes) != before:
        problems.append("changes its input")
    left = {path.name for path in root.iterdir()} - {"in", "here", "cache"}
    problems += [f"writes {name}" for name in left]
    strays = {path.name for path in (root / "here").iterdir()} - _OUTPUTS
    problems += [f"writes {name}" for name in strays]
    return Outcome(code, err, cost, tuple(problems))


def _unseemly(case: Case, code: int | None, err: str) -> list[str]:
    """Tell what is wrong with an exit code and stderr."""
    problems = []
    failed = code != 0 and (case.command, code) != ("clone verify", 1)  # which lists all faults
    lines = err.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    if code not in (0, 1, 2, 3):
        problems.append(f"exit code {code}")
    if "internal:" in err or "Traceback" in err:
        problems.append(f"internal error: {err[:300]}")
    if len(errors) != failed or any(not _beside(line) for line in lines if line not in errors):
        problems.append(f"not one line: {lines[:4]}")
    if any(not c.isprintable() for c in err.replace("\n", "")):
        problems.append(f"raw characters: {err[:200]!r}")
    if any(len(line) > 4_000 for line in lines):
        problems.append(f"a line of {max(map(len, lines))} characters: {err[:200]}")
    return problems


def _beside(line: str) -> bool:
    return line.startswith("warning: ")


def _digests(folder: Path, changes: tuple[str, ...]) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] not in changes
        and path.name != ".lock"
    }  # fmt: skip


def _type(words: object, here: Path) -> tuple[int | None, str]:
    """Run the program on words; gives the exit code and all that came on stderr, of any library."""
    environment = {"RLDF_CACHE": str(here.parent / "cache"), "HF_HUB_OFFLINE": "1"}
    typed = ["rldf", *map(str, words)]  # type: ignore[call-overload]
    with (
        contextlib.chdir(here),
        patch.object(sys, "argv", typed),
        patch.dict(os.environ, environment),
        _caught() as told,
    ):
        code = None
        try:
            main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else None
    return code, told[0]


@contextlib.contextmanager
def _caught() -> Iterator[list[str]]:
    """Catch what is written to the process's own stdout and stderr."""
    told: list[str] = []
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        kept = os.dup(1), os.dup(2)
        streams = sys.stdout, sys.stderr
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        sys.stdout = io.TextIOWrapper(os.fdopen(os.dup(1), "wb"), "utf-8")
        sys.stderr = io.TextIOWrapper(os.fdopen(os.dup(2), "wb"), "utf-8", line_buffering=True)
        try:
            yield told
        finally:
            with contextlib.suppress(ValueError, OSError):
                sys.stdout.close()
                sys.stderr.close()
            sys.stdout, sys.stderr = streams
            for n, descriptor in enumerate(kept, start=1):
                os.dup2(descriptor, n)
                os.close(descriptor)
            err.seek(0)
            told.append(err.read().decode("utf-8", errors="replace"))


@contextlib.contextmanager
def _limits() -> Iterator[None]:
    """Stop what takes too long, and refuse memory beyond a bound."""

    def hung(*_: object) -> None:
        raise Hung

    usual = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    bound = pages * resource.getpagesize() + MEMORY
    timers = {
        signal.ITIMER_PROF: (signal.SIGPROF, SECONDS),
        signal.ITIMER_REAL: (signal.SIGALRM, WAITING),
    }
    handlers = {number: signal.signal(number, hung) for number, _ in timers.values()}
    for timer, (_, seconds) in timers.items():
        signal.setitimer(timer, seconds)
    resource.setrlimit(resource.RLIMIT_AS, (bound, usual[1]))
    try:
        yield
    finally:
        for timer in timers:
            signal.setitimer(timer, 0)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        resource.setrlimit(resource.RLIMIT_AS, usual)


_load, _find = model_sets.load_model_set, catalog.find


@cache
def _shared(name: str) -> model_sets.ModelSet:
    return _load(name, "cpu")


@cache
def _sharing(kind: str, name: str) -> Any:
    """Give what makes a model of the catalogue, but a sound pocket model once for all."""
    maker = _find(kind, name)
    made = cache(maker)

    @wraps(maker, updated=())
    def make(**options: Any) -> Any:
        sound = WEIGHTS in Path(options.get("path") or "").resolve().parents
        return made(**options) if sound else maker(**options)

    return make if kind in ("detectors", "scenes", "clips") else maker


@contextlib.contextmanager
def _shared_models() -> Iterator[None]:
    """Load the pocket models once for all cases; a case's own models are loaded anew."""

    def load(name: str, device: str = "auto", **rest: object) -> model_sets.ModelSet:
        if Path(name) == DRAWN or name == "pocket":
            return _shared(name)
        return _load(name, device, **rest)

    with contextlib.ExitStack() as stack:
        stack.enter_context(patch.object(catalog, "find", _sharing))
        for module in list(sys.modules.values()):
            if getattr(module, "load_model_set", None) is _load:
                stack.enter_context(patch.object(module, "load_model_set", load))
        yield
