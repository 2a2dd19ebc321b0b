"""The folders in which rldf keeps files: the cache, and the data folder."""

import os
from pathlib import Path

from platformdirs import user_cache_path, user_data_path


def cache_folder() -> Path:
    """Return the folder of the cache: $RLDF_CACHE, or rldf's folder in the user's cache."""
    named = os.environ.get("RLDF_CACHE")
    return Path(named) if named else user_cache_path("rldf")


def data_folder() -> Path:
    """Return the folder of files that must be kept: $RLDF_DATA, or rldf's user data folder."""
    named = os.environ.get("RLDF_DATA")
    return Path(named) if named else user_data_path("rldf")
