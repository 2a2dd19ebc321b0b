"""Draws exactly those images of a clone again that `verify` found wrong."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace

from rldf.dataset.build import draw_shard, make_press
from rldf.dataset.claims import claim
from rldf.dataset.disk import telling_disk_errors
from rldf.dataset.finalize import write_finish
from rldf.dataset.layout import PLAN, CloneFolder
from rldf.dataset.manifest import ImageRow, Outcome, write_rows
from rldf.dataset.open_or_create import refuse_detours
from rldf.dataset.plan import Plan
from rldf.dataset.progress_log import Journal
from rldf.dataset.render import Artist, Press, ShardDrawing
from rldf.dataset.verify import Problem
from rldf.errors import RunError

_ANEW = ("black", "constant", "duplicate")  # the file is what was drawn, so another seed is due


def repair(folder: CloneFolder, plan: Plan, artist: Artist, problems: Iterable[Problem]) -> int:
    """Mend a clone; stray files are left alone, and so are shards that are not done.

    Args:
        folder: the clone.
        plan: its plan.
        artist: who draws.
        problems: what is wrong.

    Returns:
        How many images were written again.

    Raises:
        RunError: another process works on the clone, or a folder in it leads elsewhere.
    """
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
    refuse_detours(folder.root)
    with telling_disk_errors(folder.root), make_press(folder, plan) as press:
        for shard in sorted(lost | images.keys()):
            with _lock(folder, shard):
                if shard in lost:
                    folder.journal(shard).unlink(missing_ok=True)
                    draw_shard(folder, plan, artist, press, shard)
                    mended += len(folder.shards.indices(shard))
                else:
                    mended += _mend(folder, plan, artist, press, shard, images[shard])
        if plan_lost:
            plan.write(folder.root / PLAN)
        if not folder.undone():
            with _lock(folder, None):
                write_finish(folder)
    return mended


def _by_name(folder: CloneFolder) -> dict[str, int]:
    """Find the work shard that writes each archive."""
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
    artist: Artist,
    press: Press,
    shard: int,
    wrong: dict[int, Problem],
) -> int:
    """Draw some images of a shard again, and seal it."""
    rows, store = folder.rows(shard), folder.store()
    good = [row for row in rows if row.index not in wrong]
    if store.packs:
        for row, data in store.read(shard, good):
            store.put(shard, row.name, data or b"")
    journal = Journal(None)
    for row in rows:
        if row.index in wrong:
            journal.take(_before(row, wrong[row.index]))
    used = [row.attempt + 1 for row in rows if _is_anew(wrong.get(row.index))]
    most = max(used, default=0) + artist.attempts
    drawing = ShardDrawing(
        plan=plan,
        indices=sorted(wrong),
        journal=journal,
        artist=replace(artist, attempts=most),
        press=press,
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
    """Tell of the attempts that came before the one that is due."""
    reasons = list(row.rejected[: row.attempt])
    if _is_anew(problem):
        reasons.append(problem.kind)
    return [
        Outcome(index=row.index, attempt=attempt, reason=reason, sha256=None, bytes=0)
        for attempt, reason in enumerate(reasons)
    ]
