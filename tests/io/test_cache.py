"""The cache on disk: bounded, whole entries, foreign files left alone."""

import os

from rldf.io.cache import DiskCache, key_of


def decode(path):
    return path.read_bytes().removeprefix(b"sound ") or None


def test_an_entry_is_found_again_and_a_damaged_one_is_not(tmp_path):
    cache = DiskCache(tmp_path, None)
    key = key_of("features", {"b": 1, "a": [2]})
    assert key == key_of("features", {"a": [2], "b": 1})
    assert cache.read(key, "bin", decode) is None
    cache.store(key, "bin", b"sound x")
    assert cache.read(key, "bin", decode) == b"x"
    cache.path(key, "bin").write_bytes(b"")
    assert cache.read(key, "bin", decode) is None


def test_a_full_cache_keeps_what_was_used_last_and_what_was_just_written(tmp_path):
    cache = DiskCache(tmp_path, 25)
    keys = [key_of(n) for n in range(4)]
    for age, key in enumerate(keys[:2]):
        cache.store(key, "bin", b"sound 4567")
        os.utime(cache.path(key, "bin"), (1000 + age, 1000 + age))
    assert cache.read(keys[0], "bin", decode) is not None  # used now
    cache.store(keys[2], "bin", b"sound 4567")
    assert cache.read(keys[1], "bin", decode) is None
    assert cache.usage() == (2, 20)
    cache.store(keys[3], "bin", b"larger than the whole limit")
    assert list(cache.entries()) == [cache.path(keys[3], "bin")]


def test_the_size_is_looked_at_every_so_many_writes(tmp_path):
    cache = DiskCache(tmp_path, 0, shrink_every=3)
    for n in range(3):
        cache.store(key_of(n), "bin", b"x")
    assert cache.usage()[0] == 3
    cache.store(key_of(3), "bin", b"x")
    assert cache.usage()[0] == 1
