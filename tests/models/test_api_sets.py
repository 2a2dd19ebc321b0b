"""`openai:MODEL@URL`: an images API with the default set's readers."""

import os

import pytest

from rldf.cli.endpoint import models_at
from rldf.errors import ConfigError
from rldf.models.model_sets import load_model_set

URL = "http://localhost:8000/v1"
SET = """
name: mine
generator: {class: images-api, options: {%s}}
detector: {class: yolo, path: weights}
scene: {class: image-classification, path: weights}
clip: {class: open-clip, path: weights}
"""


@pytest.fixture(autouse=True)
def _no_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "")
    monkeypatch.setenv("OPENAI_BASE_URL", "")


def test_the_name_says_all():
    models = load_model_set(f"openai:Owner/Some_Model-2@{URL}", device="cpu")
    assert models.file.name == "openai-owner-some-model-2"
    assert models.named == f"openai:Owner/Some_Model-2@{URL}"
    assert models.file.vocabulary_grammar is None  # it draws more than the readers know
    assert models.file.license == ""
    identity = models.generator.identity
    assert (identity["model"], identity["base_url"]) == ("Owner/Some_Model-2", URL)
    assert identity["weights"] is None


def test_the_readers_are_the_default_sets():
    named, usual = load_model_set(f"openai:m@{URL}"), load_model_set("auto")
    for role in ("detector", "scene", "clip"):
        assert named.checksum(role) == usual.checksum(role)
        assert named.path(role) == usual.path(role)
    assert named.file.min_clip_similarity == usual.file.min_clip_similarity


def test_the_address_is_put_into_the_name_and_may_have_the_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    there = "https://mine.example/v1"
    unnamed = load_model_set(f"openai:m@{there}", "cpu", send_key=False).generator
    assert "Authorization" not in unnamed._client._headers
    name = models_at("openai:m", there)
    assert name == f"openai:m@{there}"
    typed = load_model_set(name, device="cpu").generator
    assert os.environ["OPENAI_BASE_URL"] == ""
    assert typed._client._headers["Authorization"] == "Bearer sk-secret"


def test_without_an_address_nothing_changes():
    assert models_at("pocket", None) == "pocket"
    assert os.environ["OPENAI_BASE_URL"] == ""


@pytest.mark.parametrize("name", ["openai:", "openai:a b", "openai:m@", "openai:m@x y"])
def test_another_form_is_told(name):
    with pytest.raises(ConfigError, match="type --models openai:MODEL"):
        load_model_set(name)


def test_openai_itself_wants_a_key():
    with pytest.raises(ConfigError, match="set OPENAI_API_KEY"):
        _ = load_model_set("openai:m", device="cpu").generator


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("size: 512x512", "option model"),
        ("model: m, size: big", "size: big"),
        ("model: m, size: 512", "size: 512"),
        ("model: m, parallel: 0", "parallel: 0"),
        ("model: m, timeout: 0", "timeout: 0"),
        ("model: m, key: sk-secret", "no key"),
        ("model: m, base_url: nowhere", "base_url nowhere"),
    ],
)
def test_wrong_options_are_told_in_one_line(tmp_path, options, told):
    (tmp_path / "weights").mkdir()
    path = tmp_path / "mine.yaml"
    path.write_text(SET % options)
    with pytest.raises(ConfigError) as caught:
        _ = load_model_set(str(path), device="cpu").generator
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_readers_keep_their_licence():
    file = load_model_set("openai:some-model").file
    assert file.generator.license == file.license == ""
    assert file.detector.license == file.clip.license == "AGPL-3.0-or-later"
