"""How far a clone is: counted from the files of its folder, so it holds for all processes."""

from typing import Any

from rldf.dataset.finalize import read_finished
from rldf.dataset.layout import CloneFolder
from rldf.dataset.progress_log import count_kept
from rldf.dataset.stats import tally
from rldf.io.files import is_locked


class Progress:
    """Counts the images that are there; shards that are done are counted once."""

    def __init__(self, folder: CloneFolder) -> None:
        """Count nothing yet.

        Args:
            folder: the clone.
        """
        self._folder = folder
        self._left = list(range(len(folder.shards)))
        self._done = 0

    def count(self) -> int:
        """Count.

        Returns:
            Images that are there, or were given up.
        """
        undone = set(self._folder.undone())
        newly = [shard for shard in self._left if shard not in undone]
        self._done += sum(len(self._folder.shards.indices(shard)) for shard in newly)
        self._left = [shard for shard in self._left if shard in undone]
        begun = self._folder.begun("journal")
        journals = (self._folder.journal(shard) for shard in self._left)
        return self._done + sum(count_kept(path) for path in journals if path.name in begun)


def status(folder: CloneFolder) -> dict[str, Any]:
    """Tell how far a clone is.

    Args:
        folder: the clone.

    Returns:
        The document of `rldf clone status --json`.

    Raises:
        RunError: a manifest is damaged.
    """
    finished, undone = read_finished(folder), folder.undone()
    if finished is not None:
        counts = finished.counts
    else:
        counts = tally(rows for _, rows in folder.all_rows()).document()
    running = [shard for shard in undone if is_locked(folder.lock(shard))]
    return {
        "out": str(folder.root),
        "format": folder.record.write.format,
        "status": "done" if finished else "running" if running else "interrupted",
        "planned": folder.record.images,
        "drawn": Progress(folder).count() if undone else counts["images"],
        "classes": len(folder.record.classes),
        "shards": len(folder.shards),
        "shards_done": len(folder.shards) - len(undone),
        "shards_running": len(running),
        **{name: value for name, value in counts.items() if name != "images"},
    }
