"""The drawn world's identity: it changes with whatever decides a pixel."""

import shutil

import pytest

from rldf.generators import drawn
from rldf.generators.drawn import DrawnGenerator, world_files


@pytest.fixture
def fresh():
    drawn._world_checksum.cache_clear()
    yield
    drawn._world_checksum.cache_clear()


def test_the_identity_covers_sprites_renderer_and_grammar():
    names = {file.name for file in world_files()}
    assert {"sprites.png", "sprites.json", "drawing.py", "backdrops.py", "pocket.yaml"} <= names


@pytest.mark.parametrize("name", ["sprites.png", "sprites.json", "drawing.py", "pocket.yaml"])
def test_the_identity_changes_with_each_of_them(tmp_path, monkeypatch, fresh, name):
    before = DrawnGenerator().identity
    copies = [tmp_path / f"{n}" / file.name for n, file in enumerate(world_files())]
    for file, copy in zip(world_files(), copies, strict=True):
        copy.parent.mkdir()
        shutil.copyfile(file, copy)
    monkeypatch.setattr(drawn, "world_files", lambda: copies)
    drawn._world_checksum.cache_clear()
    assert DrawnGenerator().identity == before
    (changed,) = [copy for copy in copies if copy.name == name]
    changed.write_bytes(changed.read_bytes() + b" ")
    drawn._world_checksum.cache_clear()
    assert DrawnGenerator().identity != before


def test_the_files_are_read_once(monkeypatch, fresh):
    before = DrawnGenerator().identity
    monkeypatch.setattr(drawn, "world_files", None)
    assert DrawnGenerator().identity == before
