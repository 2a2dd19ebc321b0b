"""Writes a finished clone in another format; the image files keep their bytes."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rldf.dataset.finalize import finish
from rldf.dataset.formats import Format
from rldf.dataset.layout import CloneFolder, disk_errors_reported, enter_folder
from rldf.dataset.manifest import write_rows
from rldf.dataset.sharding import claimed
from rldf.errors import RunError
from rldf.io.files import read_file, write_bytes


def convert(
    source: CloneFolder, to: Format, out: Path, tell: Callable[[int], None] = lambda images: None
) -> dict[str, Any]:
    """Write a finished clone into the folder `out` in another format, or continue to do so.

    Returns:
        The counts of the new clone, as `Counts.document` gives them.

    Raises:
        RunError: the clone is unfinished or damaged, or `out` holds something else.
    """
    if source.undone():
        raise RunError(
            f"{source.root} is not finished: type the command that began it again first; "
            f"'rldf clone status {source.root}' shows how much is done"
        )
    for _ in source.all_rows():  # raises for a damaged manifest before anything is written
        pass
    write = source.record.write.model_copy(update={"format": to, "numbering": "split"})
    target = enter_folder(out, source.record.model_copy(update={"write": write}))
    with disk_errors_reported(out):
        if source.generator.exists():  # for later repairs
            write_bytes(target.generator, read_file(source.generator))
        for shard in claimed(target.undone(), target.lock, target.is_done):
            tell(_copy_shard(source, target, shard))
        return finish(target).counts


def _copy_shard(source: CloneFolder, target: CloneFolder, shard: int) -> int:
    rows, store = source.rows(shard), target.store()
    for row, data in source.store().read(shard, rows):
        if data is None or hashlib.sha256(data).hexdigest() != row.sha256:
            raise RunError(
                f"{source.root}: {row.name} is damaged: type 'rldf clone verify {source.root} "
                "--repair' first"
            )
        store.put(shard, row.name, data)
    store.seal(shard, rows)
    write_rows(target.manifest(shard), rows)
    store.release(shard)
    return len(rows)
