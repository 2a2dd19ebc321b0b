"""Checks every file of a clone, and repairs images that are wrong.

Kinds of problems:

    manifest    a shard's manifest is damaged: what its images should be is not known
    hole        an image, or another file, is not there
    changed     a file is not the one that was written (a truncated one is not, either)
    black, constant    an image shows nothing
    duplicate   two images are the same file
    stray       a file that is not of this clone

Images whose attempts were all rejected are no problem: they are counted as left out.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from rldf.dataset.build import finish_shard, make_image_writer, open_shard
from rldf.dataset.finalize import CARD, read_finished, write_finish
from rldf.dataset.image_file import blank
from rldf.dataset.layout import PLAN, RECORD, CloneFolder, disk_errors_reported, refuse_links_in
from rldf.dataset.manifest import ImageRow, Outcome, ProgressLog, write_rows
from rldf.dataset.plan import Plan, make_plan
from rldf.dataset.render import ImageWriter, Renderer, ShardRenderer
from rldf.dataset.sharding import claim
from rldf.errors import ImageError, RunError
from rldf.io.files import TEMPORARY, sha256_file
from rldf.io.images import decode_image

Kind = Literal["manifest", "hole", "changed", "black", "constant", "duplicate", "stray"]
_THREADS = 4


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of a clone.

    Attributes:
        kind: what is wrong.
        name: the file, relative to the clone's folder.
        of: of a duplicate, the file that it equals, else "".
        index: of an image, its place in the plan.
    """

    kind: Kind
    name: str
    of: str = ""
    index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of a check.

    Attributes:
        checked: images whose file was checked.
        left_out: images without a file, since all attempts were rejected; not a problem.
        problems: all problems.
        unfinished: work shards that are not done; not a problem.
    """

    checked: int
    left_out: int = 0
    problems: list[Problem] = field(default_factory=list)
    unfinished: int = 0

    def document(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "ok": not self.problems and not self.unfinished and self.checked > 0,
            "checked": self.checked,
            "left_out": self.left_out,
            "unfinished_shards": self.unfinished,
            "problems": [asdict(problem) for problem in self.problems],
        }


def verify(folder: CloneFolder, tell: Callable[[int], None] = lambda images: None) -> Report:
    """Check every file of a clone."""
    problems: list[Problem] = []
    known: set[str] = set()
    seen: dict[str, str] = {}
    checked = left_out = 0
    undone, store = set(folder.undone()), folder.store()
    for shard in range(len(folder.shards)):
        if shard in undone:
            known |= _planned_names(folder, shard)
            continue
        try:
            rows = folder.rows(shard)
        except RunError:
            name = folder.manifest(shard).relative_to(folder.root).as_posix()
            problems.append(Problem("manifest", name))
            known |= _planned_names(folder, shard)
            continue
        files = store.files(shard, [row.name for row in rows if row.sha256])
        known |= files
        found = list(_check_shard(folder, shard, rows, seen))
        problems += found or _lost(folder, files)
        checked += sum(row.sha256 is not None for row in rows)
        left_out += sum(row.sha256 is None for row in rows)
        tell(len(rows))
    if not undone:
        problems += _check_finish(folder, known)
    problems += [Problem("stray", name) for name in _strays(folder, known)]
    return Report(checked=checked, left_out=left_out, problems=problems, unfinished=len(undone))


def _check_shard(
    folder: CloneFolder, shard: int, rows: list[ImageRow], seen: dict[str, str]
) -> Iterator[Problem]:
    with ThreadPoolExecutor(_THREADS) as pool:
        pairs = list(folder.store().read(shard, rows))
        for (row, _), kind in zip(pairs, pool.map(_wrong, pairs), strict=True):
            if kind is not None:
                yield Problem(kind, row.name, index=row.index)
            elif (twin := seen.setdefault(row.sha256 or "", row.name)) != row.name:
                yield Problem("duplicate", row.name, twin, row.index)


def _lost(folder: CloneFolder, files: set[str]) -> list[Problem]:
    """Report missing archives that hold no images."""
    if folder.archives.numbering == "clone":  # of which there are none without images
        return []
    return [Problem("hole", name) for name in sorted(files) if not (folder.root / name).is_file()]


def _wrong(pair: tuple[ImageRow, bytes | None]) -> Kind | None:
    """Return what is wrong with an image's file."""
    row, data = pair
    if data is None:
        return "hole"
    if hashlib.sha256(data).hexdigest() != row.sha256:
        return "changed"
    try:
        return blank(decode_image(data, row.name)) or None
    except ImageError:
        return "changed"


def _check_finish(folder: CloneFolder, known: set[str]) -> Iterator[Problem]:
    """Check the files that are written once all images are there."""
    finished = read_finished(folder)
    if finished is None:
        yield Problem("hole", ".rldf/finished.json")
        return
    for name, sha256 in finished.files.items():
        known.add(name)
        path = folder.root / name
        if not path.is_file():
            yield Problem("hole", name)
        elif name != CARD and _sum(path) != sha256:  # people write into the card
            yield Problem("changed", name)


def _sum(path: Path) -> str | None:
    try:
        return sha256_file(path)
    except OSError:
        return None


def _planned_names(folder: CloneFolder, shard: int) -> set[str]:
    """Return the files that an unfinished shard may have written."""
    plan = make_plan(folder.record.plan)
    names = [plan.image(i).name for i in folder.shards.indices(shard)]
    return folder.store().files(shard, names)


def _strays(folder: CloneFolder, known: set[str]) -> Iterator[str]:
    own = {RECORD, PLAN, CARD, "croissant.json"}
    for path in sorted(folder.root.rglob("*")):
        name = path.relative_to(folder.root).as_posix()
        ours = name in known or name in own or name.startswith(".rldf/")
        if not ours and not path.match(TEMPORARY) and (path.is_symlink() or not path.is_dir()):
            yield name


_ANEW = ("black", "constant", "duplicate")  # the file is what was drawn, so another seed is due


def repair(folder: CloneFolder, plan: Plan, renderer: Renderer, problems: Iterable[Problem]) -> int:
    """Draw the wrong images again; stray files and unfinished shards are not touched."""
    images: dict[int, dict[int, Problem]] = {}
    lost: set[int] = set()
    plan_lost = False
    by_name = _by_name(folder) if folder.store().packs else {}
    for problem in problems:
        plan_lost |= problem.name == PLAN
        if problem.index is not None:
            images.setdefault(folder.shards.of(problem.index), {})[problem.index] = problem
        elif problem.kind == "manifest":
            lost.add(int(problem.name.rpartition("/")[2].partition(".")[0]))
        elif problem.kind == "hole" and problem.name in by_name:
            images.setdefault(by_name[problem.name], {})  # a file without images: sealed again
    mended = 0
    refuse_links_in(folder.root)
    with disk_errors_reported(folder.root), make_image_writer(folder, plan) as writer:
        for shard in sorted(lost | images.keys()):
            with _lock(folder, shard):
                if shard in lost:
                    folder.journal(shard).unlink(missing_ok=True)
                    start = time.monotonic()
                    rows = open_shard(folder, plan, renderer, writer, shard).rows()
                    finish_shard(folder, shard, rows, start)
                    mended += len(folder.shards.indices(shard))
                else:
                    mended += _mend(folder, plan, renderer, writer, shard, images[shard])
        if plan_lost:
            plan.write(folder.root / PLAN)
        if not folder.undone():
            with _lock(folder, None):
                write_finish(folder)
    return mended


def _by_name(folder: CloneFolder) -> dict[str, int]:
    """Return the work shard by the name of its archives."""
    store = folder.store()
    return {name: n for n in range(len(folder.shards)) for name in store.files(n, ())}


def _lock(folder: CloneFolder, shard: int | None) -> ExitStack:
    path = folder.work("locks") / "finish" if shard is None else folder.lock(shard)
    if (held := claim(path)) is None:
        raise RunError(f"{folder.root} is being written by another process: wait for its end")
    return held


def _mend(
    folder: CloneFolder,
    plan: Plan,
    renderer: Renderer,
    writer: ImageWriter,
    shard: int,
    wrong: dict[int, Problem],
) -> int:
    """Draw some images of a shard again, and seal it; return how many."""
    rows, store = folder.rows(shard), folder.store()
    good = [row for row in rows if row.index not in wrong]
    if store.packs:
        for row, data in store.read(shard, good):
            store.put(shard, row.name, data or b"")
    journal = ProgressLog(None)
    for row in rows:
        if row.index in wrong:
            journal.take(_before(row, wrong[row.index]))
    used = [row.attempt + 1 for row in rows if _is_anew(wrong.get(row.index))]
    most = max(used, default=0) + renderer.attempts
    drawing = ShardRenderer(
        plan=plan,
        indices=sorted(wrong),
        journal=journal,
        renderer=replace(renderer, attempts=most),
        writer=writer,
    )
    new = {row.index: row for row in drawing.rows()}
    rows = [new.get(row.index, row) for row in rows]
    store.seal(shard, rows)
    write_rows(folder.manifest(shard), rows)
    store.release(shard)
    return len(new)


def _is_anew(problem: Problem | None) -> bool:
    return problem is not None and problem.kind in _ANEW


def _before(row: ImageRow, problem: Problem) -> list[Outcome]:
    """Return the outcomes of the attempts that are used up."""
    reasons = list(row.rejected[: row.attempt])
    if _is_anew(problem):
        reasons.append(problem.kind)
    return [
        Outcome(index=row.index, attempt=attempt, reason=reason, sha256=None, bytes=0)
        for attempt, reason in enumerate(reasons)
    ]
