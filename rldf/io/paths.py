"""Where rldf keeps files of its own: the cache of rendered images, and lock files of models."""

import os
from pathlib import Path

from platformdirs import user_cache_path, user_data_path


def cache_folder() -> Path:
    """Find the cache: $RLDF_CACHE, or the user's cache folder of this system."""
    named = os.environ.get("RLDF_CACHE")
    return Path(named) if named else user_cache_path("rldf")


def data_folder() -> Path:
    """Find what must not be lost: $RLDF_DATA, or the user's data folder of this system."""
    named = os.environ.get("RLDF_DATA")
    return Path(named) if named else user_data_path("rldf")
