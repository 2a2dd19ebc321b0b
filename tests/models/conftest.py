"""The program as a user types it, and a hub on loopback for it."""

import huggingface_hub.constants
import pytest

from tests.cli.conftest import call
from tests.hub import running_hub

__all__ = ["call"]


@pytest.fixture
def loopback(tmp_path, monkeypatch):
    """A hub without repositories, as HF_ENDPOINT and HF_HOME of this process would have it."""
    with running_hub() as hub:
        for name, value in {
            "ENDPOINT": hub.hub,
            "HUGGINGFACE_CO_URL_TEMPLATE": hub.hub + "/{repo_id}/resolve/{revision}/{filename}",
            "HF_HUB_CACHE": str(tmp_path / "hf" / "hub"),
            "HF_HUB_OFFLINE": False,
            "HF_HUB_DISABLE_XET": True,
            "HF_TOKEN_PATH": str(tmp_path / "no-token"),
            "DOWNLOAD_CHUNK_SIZE": 100,
        }.items():
            monkeypatch.setattr(huggingface_hub.constants, name, value)
        monkeypatch.setattr("time.sleep", lambda seconds: None)  # before it asks again
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield hub
