"""Memorisation: copies are found, and what is merely alike is not."""

import numpy as np
import pytest

from rldf.evaluation import metrics as neighbours
from rldf.evaluation.metrics import near_duplicates, nearest


def points(n, seed, d=32):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def test_copies_are_near_duplicates_and_new_images_are_not():
    real, clone = points(2000, 0), points(200, 1)
    clone[10:30] = 3 * real[100:120] + 0.01 * points(20, 2)
    found = near_duplicates(clone, real)
    assert found.rate == pytest.approx(0.1, abs=0.011)
    assert {pair.clone for pair in found.closest} <= set(range(10, 30))
    assert all(pair.real == pair.clone + 90 for pair in found.closest)
    cosines = [pair.cosine for pair in found.closest]
    assert cosines == sorted(cosines, reverse=True)
    assert len(cosines) == 10


def test_a_clone_as_free_as_reality_has_a_rate_of_about_a_thousandth():
    assert near_duplicates(points(2000, 0, 8), points(2000, 1, 8)).rate < 0.005


def test_real_images_that_are_there_twice_do_not_hide_copies():
    real, clone = points(2000, 0), points(100, 1)
    real[1000:1500] = real[:500]
    clone[0] = real[0]
    assert near_duplicates(clone, real).rate == pytest.approx(0.01, abs=0.011)


def test_a_real_set_of_nothing_but_copies_still_gives_a_threshold():
    found = near_duplicates(points(4, 1), np.ones((9, 32), np.float32))
    assert (found.rate, found.threshold) == (0, neighbours.SAME)


def test_a_walk_in_pieces_finds_the_same(monkeypatch):
    rows, others = points(37, 0), points(23, 1)
    whole = nearest(rows, others), nearest(rows, rows, skip_itself=True)
    monkeypatch.setattr(neighbours, "_COSINES", 100)
    pieces = nearest(rows, others), nearest(rows, rows, skip_itself=True)
    for (a, i), (b, j) in zip(whole, pieces, strict=True):
        assert np.allclose(a, b)
        assert i.tolist() == j.tolist()
    assert all(i != j for i, j in enumerate(whole[1][1]))
