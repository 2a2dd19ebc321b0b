"""What the system refuses to write, as one line for the user."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from rldf.errors import RldfError

_FULL = {errno.ENOSPC, errno.EDQUOT}


def is_full(error: OSError) -> bool:
    """Tell whether the disk, or the user's share of it, is full.

    Args:
        error: the system's refusal.

    Returns:
        True if only space is missing.
    """
    return error.errno in _FULL


@contextlib.contextmanager
def telling_disk_errors(root: Path) -> Iterator[None]:
    """Turn the system's refusals into one line for the user.

    Args:
        root: the folder that is written to.

    Yields:
        Nothing.

    Raises:
        RldfError: the disk is full, or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        if is_full(error):
            advice = "free some space and type the same command again, it goes on where it stopped"
        else:
            advice = "nothing that was written is lost; type the same command again to go on"
        raise RldfError(f"cannot write to {root}: {error.strerror or error}: {advice}") from error
