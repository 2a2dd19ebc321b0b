"""Where rldf keeps what it may lose: the cache of rendered images."""

import os
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
    """Find the cache: $RLDF_CACHE, or the user's cache folder of this system.

    Returns:
        The folder, whether it exists or not.
    """
    named = os.environ.get("RLDF_CACHE")
    return Path(named) if named else user_cache_path("rldf")
