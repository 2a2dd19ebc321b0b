"""The cache: finds what was kept, notices damage, keeps within its limit, never in the way."""

import numpy as np
import pytest

from rldf.evaluation.features import EvaluationCache
from rldf.io.cache import key_of


@pytest.fixture
def cache(tmp_path):
    return EvaluationCache(tmp_path / "cache")


ARRAYS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "n": np.array(4)}


def test_arrays_and_documents_are_found_again(cache):
    document = {"fid": 1.5, "points": [1, None]}
    assert cache.find_arrays(key_of("a")) is None
    assert cache.find_document(key_of("d")) is None
    assert cache.keep_arrays(key_of("a"), ARRAYS) is ARRAYS
    assert cache.keep_document(key_of("d"), {"fid": 1.5, "points": (1, None)}) == document
    found = cache.find_arrays(key_of("a"))
    assert {k: v.tolist() for k, v in found.items()} == {k: v.tolist() for k, v in ARRAYS.items()}
    assert cache.find_document(key_of("d")) == document


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
def test_a_damaged_entry_is_not_found(cache, tmp_path, damage):
    cache.keep_arrays(key_of("a"), ARRAYS)
    cache.keep_document(key_of("d"), {"fid": 1.5})
    for path in (tmp_path / "cache").rglob("*.*"):
        data = bytearray(path.read_bytes())
        place = data.index(b"1.5") if path.suffix == ".json" else len(data) - 2
        data[place] ^= 1
        changed = {"cut": data[:-3], "flipped": data, "empty": b"", "other": b"[]"}[damage]
        path.write_bytes(bytes(changed))
    assert cache.find_arrays(key_of("a")) is None
    assert cache.find_document(key_of("d")) is None


def test_keys_tell_apart_what_differs():
    assert key_of("a", 1) != key_of("a", "1") != key_of("a1")
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})


def test_old_entries_go_when_the_store_is_full(tmp_path):
    cache = EvaluationCache(tmp_path, limit=10_000)
    for n in range(6):
        cache.keep_arrays(key_of(n), {"a": np.zeros(1000, np.float32)})
    held = [n for n in range(6) if cache.find_arrays(key_of(n)) is not None]
    assert held == [4, 5]


def test_a_folder_that_cannot_be_written_to_is_told_once(tmp_path, caplog):
    (tmp_path / "file").touch()
    cache = EvaluationCache(tmp_path / "file" / "cache")
    for n in range(3):
        assert cache.keep_document(key_of(n), 7) == 7
        cache.part_path(key_of(n))
    assert len(caplog.records) == 1
    assert "RLDF_CACHE" in caplog.text
