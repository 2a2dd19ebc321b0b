"""The scene classifier refuses folders that carry code."""

import json

import pytest

from rldf.errors import ConfigError
from rldf.perception.scene import TransformersScene


def test_code_of_a_folder_is_neither_run_nor_asked_for(tmp_path, monkeypatch):
    marker = tmp_path / "code-ran"
    config = {
        "model_type": "mystery",
        "auto_map": {
            "AutoConfig": "evil.Config",
            "AutoImageProcessor": "evil.Processor",
            "AutoModelForImageClassification": "evil.Model",
        },
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(config))
    (tmp_path / "evil.py").write_text(f"open({str(marker)!r}, 'w')\n")

    asked = []
    monkeypatch.setattr("builtins.input", lambda *words: asked.append(words) or "n")
    with pytest.raises(ConfigError, match="no image classifier") as caught:
        TransformersScene(path=tmp_path)
    assert "\n" not in str(caught.value)
    assert not asked
    assert not marker.exists()
