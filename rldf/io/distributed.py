"""What a process knows of its fellows from the launcher's environment, without loading torch."""

import os


def rank() -> int:
    """Tell which of the processes this is."""
    return int(os.environ.get("RANK", "0"))


def world() -> int:
    """Count the processes."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def cpu_share(most: int) -> int:
    """Share the machine's cores among the processes on it."""
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(1, min(most, (os.cpu_count() or 1) // here))
