"""What the tests share: the pocket models are loaded once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from rldf.models.model_sets import ModelSet, load_model_set

settings.register_profile("rldf", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("rldf")


@pytest.fixture(scope="session")
def pocket() -> ModelSet:
    """Give the shipped model set."""
    return load_model_set("pocket")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep every test away from the user's cache of images and lock files of models."""
    monkeypatch.setenv("RLDF_CACHE", str(tmp_path / "own-cache"))
    monkeypatch.setenv("RLDF_DATA", str(tmp_path / "own-data"))
    yield
