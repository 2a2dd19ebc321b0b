"""Who draws what: work shards are claimed one by one, by locks that die with their holder.

A shard is done once its manifest is there. A process takes the first shard that is neither done
nor locked; where all that is left is locked, it waits, for a holder may die. So a slow process
leaves no hole, and nothing is to be cleaned up after a kill, by whatever signal or power cut.
"""

import contextlib
import errno
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rldf.errors import RldfError, RunError
from rldf.io.files import locked

_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}
_PAUSE = 0.2  # s between two looks at what others hold


def claim(path: Path) -> contextlib.ExitStack | None:
    """Take a lock if it is free.

    Args:
        path: the lock file.

    Returns:
        What gives the lock back when it is closed; None if another process holds it.

    Raises:
        RldfError: the file system has no locks.
    """
    held = contextlib.ExitStack()
    try:
        held.enter_context(locked(path))
    except RunError:
        return None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        raise RldfError(
            f"{path.parent} cannot lock files ({error.strerror}): write to a file system with "
            "locks, and copy the clone afterwards"
        ) from None
    return held


@contextlib.contextmanager
def waiting(path: Path) -> Iterator[None]:
    """Hold a lock, however long others hold it before.

    Args:
        path: the lock file.

    Yields:
        Nothing; the lock is held for the length of the block.
    """
    while (held := claim(path)) is None:
        time.sleep(_PAUSE)
    with held:
        yield


def claimed(
    shards: list[int], lock: Callable[[int], Path], done: Callable[[int], bool]
) -> Iterator[int]:
    """Claim shards until all are done, by this process or by others.

    Args:
        shards: what is to be done, in order.
        lock: gives the lock file of a shard.
        done: tells whether a shard is done.

    Yields:
        Shards that are not done, each held by this process until the next is asked for.
    """
    left = list(shards)
    while left := [shard for shard in left if not done(shard)]:
        taken = False
        for shard in left:
            if done(shard) or (held := claim(lock(shard))) is None:
                continue
            with held:
                if not done(shard):  # another may have done it just before the lock came
                    taken = True
                    yield shard
        if not taken:
            time.sleep(_PAUSE)
