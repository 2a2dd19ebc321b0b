"""Model sets: what their files may say, and what is summed up."""

import os
import re
from pathlib import Path

import pytest

from rldf.errors import ConfigError
from rldf.io import paths as places
from rldf.models import checksums
from rldf.models.build import problem_of
from rldf.models.model_sets import load_model_set

SET = """
name: mine
generator: {class: %s}
detector: {class: yolo, path: weights}
scene: {class: image-classification, path: weights}
clip: {class: open-clip, path: weights}
"""


@pytest.fixture
def make(tmp_path):
    (tmp_path / "weights").mkdir()

    def make(generator="drawn", text=SET):
        path = tmp_path / "mine.yaml"
        path.write_text(text % generator)
        return load_model_set(str(path), device="cpu")

    return make


def test_a_checksum_is_computed_once(make, tmp_path, monkeypatch):
    (tmp_path / "weights" / "model.safetensors").write_bytes(b"1")
    models = make()
    first = models.checksum("scene")
    monkeypatch.setattr(checksums, "sha256_file", None)
    assert models.checksum("scene") == first
    assert models.checksum("generator") is None


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A model whose files count as large, and whose times count as settled."""
    monkeypatch.setattr(checksums, "_LARGE", 1)
    monkeypatch.setattr(checksums, "_SETTLED", -10)
    hashed = []
    sha256_file = checksums.sha256_file
    monkeypatch.setattr(
        checksums, "sha256_file", lambda path: (hashed.append(path.name), sha256_file(path))[1]
    )
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"1")
    return file, hashed


def test_a_large_file_is_hashed_once_for_all_commands(large):
    file, hashed = large
    assert checksums.checksum_of(file) == checksums.checksum_of(file)
    assert hashed == ["model.safetensors"]


def test_a_large_file_that_changed_is_hashed_again_whatever_its_time_says(large):
    file, hashed = large
    before, times = checksums.checksum_of(file), file.stat()
    file.write_bytes(b"2")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert checksums.checksum_of(file) != before
    assert len(hashed) == 2


def test_what_changed_a_moment_ago_is_not_remembered(large, monkeypatch):
    file, hashed = large
    monkeypatch.setattr(checksums, "_SETTLED", 60)
    assert checksums.checksum_of(file) == checksums.checksum_of(file)
    assert len(hashed) == 2


def test_a_damaged_note_and_a_cache_that_cannot_be_written_are_no_harm(large, monkeypatch):
    file, _ = large
    right = checksums.checksum_of(file)
    (note,) = (places.cache_folder() / "checksums").iterdir()
    for damage in (b"", b"\xff", b"0" * 63):
        note.write_bytes(damage)
        assert checksums.checksum_of(file) == right
    monkeypatch.setenv("RLDF_CACHE", str(file))  # no folder
    assert checksums.checksum_of(file) == right


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("model.safetensors", True),
        ("config.json", True),
        ("vocab.txt", True),
        ("spiece.model", True),
        ("chat_template.jinja", True),
        ("training.json", False),
        ("README.md", False),
        ("README.txt", False),
        ("LICENSE", False),
        ("picture.png", False),
        ("model.ckpt", False),
    ],
)
def test_only_what_is_loaded_counts(make, tmp_path, name, counts):
    before = make().checksum("scene")
    (tmp_path / "weights" / name).write_bytes(b"1")
    assert (make().checksum("scene") != before) is counts


@pytest.mark.parametrize("role", ["detector", "scene", "clip"])
def test_a_part_that_needs_a_path_says_so(make, role):
    models = make(text=SET.replace(", path: weights", ""))
    with pytest.raises(ConfigError, match=f"{role} has no path"):
        getattr(models, role)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("steps: 0", "steps: 0"),
        ("steps: true", "steps: True"),
        ("steps: 2.5", "steps: 2.5"),
        ("dtype: foo", "float32"),
        ("size: 100", "multiple of 8"),
        ("size: big", "size: big"),
        ("guidance: -1", "guidance: -1"),
        ("guidance: .nan", "guidance: nan"),
        ("negative_prompt: 3", "negative_prompt: 3"),
        ("colour: red", "no colour"),
        ("id: me", "no id"),
    ],
)
def test_wrong_options_are_told_in_one_line_and_nothing_is_loaded(make, monkeypatch, options, told):
    monkeypatch.setattr("rldf.generators.loading._load", None)
    models = make("diffusion, path: weights, options: {%s}" % options)  # noqa: UP031
    with pytest.raises(ConfigError) as caught:
        _ = models.generator
    assert told in str(caught.value)
    assert "generator.options" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_all_wrong_options_are_told_at_once(make):
    models = make("diffusion, path: weights, options: {steps: 0, size: 3, colour: red}")
    with pytest.raises(ConfigError, match=r"steps.*size.*colour"):
        _ = models.generator


def test_a_generator_without_any_place_says_what_it_needs(make):
    with pytest.raises(ConfigError, match="generator has no path"):
        _ = make("diffusion").generator


@pytest.mark.parametrize("options", ["size: 100", "confidence: 2", "overlap: -0.5"])
def test_wrong_options_of_a_detector(make, options):
    text = SET.replace("yolo, path: weights", "yolo, path: weights, options: {%s}" % options)  # noqa: UP031
    with pytest.raises(ConfigError, match=r"detector\.options"):
        _ = make(text=text).detector


def test_the_set_for_previews_in_the_documentation_is_one(tmp_path):
    page = Path(__file__).parents[2] / "docs" / "generators.md"
    found = re.search(r"```yaml\n(# preview\.yaml\n.*?)```", page.read_text("utf-8"), re.DOTALL)
    (tmp_path / "preview.yaml").write_text(found[1])
    file = load_model_set(str(tmp_path / "preview.yaml")).file
    assert file.hub_sources().keys() > {"generator", "generator.lora", "generator.vae"}
    for role, part in file.parts().items():
        assert problem_of(role, part, tmp_path) is None


GRAMMAR = (Path(__file__).parents[2] / "grammars" / "base.yaml").read_text()
OWN = SET.replace(
    "scene: {class: image-classification, path: weights}",
    "grammar: mine/words.yaml\nscene: {class: clip-zero-shot, options: {grammar: mine/words.yaml}}",
)


def test_grammars_lie_beside_the_set_and_count_by_what_they_say(make, tmp_path, monkeypatch):
    words = tmp_path / "mine" / "words.yaml"
    words.parent.mkdir()
    words.write_text(GRAMMAR)
    monkeypatch.chdir(words.parent)
    models = make(text=OWN)
    assert models.file.grammar == str(words)
    before = models.identity()["scene"]["options"]["grammar"]
    words.write_text(GRAMMAR.replace("snowfield", "glacier"))
    assert make(text=OWN).identity()["scene"]["options"]["grammar"] != before
    words.rename(words.with_name("elsewhere.yaml"))
    moved = make(text=OWN.replace("words.yaml", "elsewhere.yaml"))
    words.with_name("elsewhere.yaml").write_text(GRAMMAR)
    assert moved.identity()["scene"]["options"]["grammar"] == before


def test_what_decides_no_pixel_is_no_part_of_the_identity(make):
    text = SET.replace("{class: %s}", "{class: %s, options: {timeout: 9, parallel: 2, size: x}}")
    assert make("images-api", text).identity()["generator"]["options"] == {"size": "x"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("knows: drawings", "`knows` is now called `domain`"),
        ("draws: pocket", "`draws` is now called `vocabulary_grammar`"),
        ("familiar: 0.7", "`familiar` is now called `min_clip_similarity`"),
    ],
)
def test_an_old_key_of_a_set_is_refused_with_its_new_name(make, line, told):
    with pytest.raises(ConfigError, match=told):
        make(text=f"{SET}{line}\n")


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ("drawn, usual: {steps: 4}", "generator: `usual` is now called `defaults`"),
        ("drawn, with: {vae: {path: v}}", "generator: `with` is now called `components`"),
    ],
)
def test_an_old_key_of_a_part_is_refused_with_its_new_name(make, part, told):
    with pytest.raises(ConfigError, match=told):
        make(part)
