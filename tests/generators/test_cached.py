"""The cache of images: content-addressed, shared, bounded, and never trusted."""

import multiprocessing
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from rldf.generators.cached import CachedGenerator, image_cache
from rldf.interfaces import ImageGenerator
from tests.doubles import CountingGenerator, tag_of


@pytest.fixture
def inner():
    return CountingGenerator()


@pytest.fixture
def cached(inner, tmp_path):
    return CachedGenerator(inner, tmp_path)


def test_an_image_is_drawn_once_and_read_afterwards(inner, cached):
    first = cached.generate(["a", "b"], [1, 2])
    again = cached.generate(["b", "a"], [2, 1])
    assert [tag_of(image) for image in again] == [2, 1]
    assert [image.tobytes() for image in again] == [image.tobytes() for image in first[::-1]]
    assert inner.asked == [("a", 1), ("b", 2)]


def test_a_batch_that_names_one_cell_twice_draws_it_once(inner, cached):
    images = cached.generate(["a", "a"], [1, 1])
    assert len(images) == 2
    assert inner.asked == [("a", 1)]


def test_everything_that_decides_the_pixels_is_in_the_key(inner, cached, tmp_path):
    other = CountingGenerator()
    other.identity = {"generator": "counting", "version": 2}
    keys = {
        cached.key("a", 1),
        cached.key("a", 2),
        cached.key("b", 1),
        CachedGenerator(other, tmp_path).key("a", 1),
    }
    assert len(keys) == 4


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "foreign"])
def test_a_damaged_entry_is_noticed_and_drawn_again(inner, cached, tmp_path, damage):
    cached.generate(["a", "b"], [1, 2])
    path = tmp_path / "renders" / cached.key("a", 1)[:2] / f"{cached.key('a', 1)}.png"
    data = path.read_bytes()
    if damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "flip":
        place = data.index(b"IDAT") + 12
        path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        other = tmp_path / "renders" / cached.key("b", 2)[:2] / f"{cached.key('b', 2)}.png"
        path.write_bytes(other.read_bytes())
    assert tag_of(cached.generate(["a"], [1])[0]) == 1
    assert inner.asked[2:] == [("a", 1)]
    assert tag_of(cached.generate(["a"], [1])[0]) == 1
    assert len(inner.asked) == 3


class Ramp(ImageGenerator):
    """Smooth pictures: in their deflated data a flipped bit often decodes to other pixels."""

    identity = {"generator": "ramp"}  # noqa: RUF012

    def generate(self, sentences, seeds):
        ramp = np.indices((64, 64, 3)).sum(0).astype(np.uint8)
        return [Image.fromarray(ramp + np.uint8(seed)) for seed in seeds]


def test_no_flipped_bit_changes_a_pixel(tmp_path):
    cached = CachedGenerator(Ramp(), tmp_path)
    wanted = cached.generate(["a"], [1])[0].tobytes()
    (path,) = image_cache(tmp_path).entries()
    data = path.read_bytes()
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :])
        found = cached.read(cached.key("a", 1))
        assert found is None or found.tobytes() == wanted, place


@pytest.mark.parametrize("reason", ["a file is in the way", "the disk is full"])
def test_a_cache_that_cannot_be_written_is_told_once(inner, tmp_path, monkeypatch, caplog, reason):
    folder = tmp_path / "cache"
    if reason == "the disk is full":

        def full(path, data):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("rldf.io.cache.write_bytes", full)
    else:
        folder.write_text("mine")
    cached = CachedGenerator(inner, folder)
    assert [tag_of(image) for image in cached.generate(["a", "b"], [1, 2])] == [1, 2]
    assert tag_of(cached.generate(["c"], [3])[0]) == 3
    (told,) = [record.getMessage() for record in caplog.records]
    assert str(folder) in told
    assert "RLDF_CACHE" in told
    assert "\n" not in told


def test_the_warning_is_one_line_on_stderr(tmp_path):
    (tmp_path / "cache").write_text("mine")
    code = (
        "import sys, pathlib; from rldf.generators.cached import CachedGenerator; "
        "from tests.doubles import CountingGenerator; "
        "CachedGenerator(CountingGenerator(), pathlib.Path(sys.argv[1])).generate(['a'], [1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "cache"], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    assert "continuing without storing images" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_longest_unused_entries_go_first(cached, tmp_path):
    cached.generate(["a", "b", "c"], [1, 2, 3])
    for age, (sentence, seed) in enumerate([("b", 2), ("c", 3), ("a", 1)]):
        key = cached.key(sentence, seed)
        os.utime(tmp_path / "renders" / key[:2] / f"{key}.png", (1000 + age, 1000 + age))
    n, size = image_cache(tmp_path).usage()
    assert n == 3
    assert image_cache(tmp_path).shrink(size - 1) == 1
    left = {path.stem for path in image_cache(tmp_path).entries()}
    assert left == {cached.key("a", 1), cached.key("c", 3)}


def test_clearing_touches_nothing_but_images(cached, tmp_path):
    cached.generate(["a"], [1])
    mine = tmp_path / "renders" / "ab"
    mine.mkdir(exist_ok=True)
    (mine / "notes.png").write_text("mine")
    (tmp_path / "letter.png").write_text("mine")
    assert image_cache(tmp_path).shrink(0) == 1
    assert (mine / "notes.png").exists()
    assert (tmp_path / "letter.png").exists()


def _draw_many(folder, results):
    generator = CachedGenerator(CountingGenerator(), folder)
    ok = all(
        [tag_of(i) for i in generator.generate([str(k)] * 4, [k, k + 1, k + 2, k + 3])]
        == [k, k + 1, k + 2, k + 3]
        for k in range(20)
    )
    results.put(ok)


def test_two_processes_may_share_a_folder(tmp_path):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [context.Process(target=_draw_many, args=(tmp_path, results)) for _ in range(2)]
    for worker in workers:
        worker.start()
    assert [results.get(timeout=60) for _ in workers] == [True, True]
    for worker in workers:
        worker.join()
    assert not list(tmp_path.rglob("*.tmp"))
