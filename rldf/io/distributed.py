"""What a process knows of its fellows from the launcher's environment, without loading torch."""

import os


def rank() -> int:
    """Tell which of the processes this is.

    Returns:
        0 for the first, or the only one.
    """
    return int(os.environ.get("RANK", "0"))


def world() -> int:
    """Count the processes.

    Returns:
        1 or more.
    """
    return int(os.environ.get("WORLD_SIZE", "1"))


def cpu_share(most: int) -> int:
    """Share the machine's cores among the processes on it.

    Args:
        most: no more than that.

    Returns:
        Cores for this process, 1 or more.
    """
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(1, min(most, (os.cpu_count() or 1) // here))
