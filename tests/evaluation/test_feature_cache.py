"""The cache: computes once, notices damage, keeps within its limit, and is never in the way."""

import numpy as np
import pytest

from rldf.evaluation.features import EvaluationCache, key_of


class Counted:
    def __init__(self, value):
        self.value, self.calls = value, 0

    def __call__(self):
        self.calls += 1
        return self.value


@pytest.fixture
def cache(tmp_path):
    return EvaluationCache(tmp_path / "cache")


ARRAYS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "n": np.array(4)}


def test_arrays_and_documents_are_computed_once(cache):
    arrays, document = Counted(ARRAYS), Counted({"fid": 1.5, "points": [1, None]})
    for _ in range(2):
        found = cache.arrays(key_of("a"), arrays)
        assert {k: v.tolist() for k, v in found.items()} == {
            k: v.tolist() for k, v in ARRAYS.items()
        }
        assert cache.document(key_of("d"), document) == document.value
    assert (arrays.calls, document.calls) == (1, 1)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
def test_a_damaged_entry_is_computed_again(cache, tmp_path, damage):
    arrays, document = Counted(ARRAYS), Counted({"fid": 1.5})
    cache.arrays(key_of("a"), arrays)
    cache.document(key_of("d"), document)
    for path in (tmp_path / "cache").rglob("*.*"):
        data = bytearray(path.read_bytes())
        place = data.index(b"1.5") if path.suffix == ".json" else len(data) - 2
        data[place] ^= 1
        changed = {"cut": data[:-3], "flipped": data, "empty": b"", "other": b"[]"}[damage]
        path.write_bytes(bytes(changed))
    assert cache.arrays(key_of("a"), arrays)["a"].tolist() == ARRAYS["a"].tolist()
    assert cache.document(key_of("d"), document) == {"fid": 1.5}
    assert (arrays.calls, document.calls) == (2, 2)


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
        assert cache.document(key_of(n), lambda: 7) == 7
        cache.part_path(key_of(n))
    assert len(caplog.records) == 1
    assert "RLDF_CACHE" in caplog.text
