"""Locality: ranks against scipy, orders against all orders."""

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from rldf.grammar.ordering import (
    axis_distances,
    climb,
    cosine_distances,
    fiedler_order,
    locality,
    neighbours,
    seriate,
    spearman,
    worth,
)
from rldf.seeding import rng

MATERIAL = os.environ.get("RLDF_TEST_MATERIAL")


def vectors(n, d=6, name="locality"):
    return rng(0, name, n).normal(size=(n, d))


def put(distances, order):
    return distances[np.ix_(order, order)]


def along_a_line(n):
    """Vectors that turn by equal angles: each is nearest to its neighbours."""
    angles = np.linspace(0.0, np.pi / 2, n)
    return cosine_distances(np.column_stack([np.cos(angles), np.sin(angles)]))


@given(st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=3, max_size=30))
def test_the_rank_correlation_is_scipys(pairs):
    x, y = np.array(pairs, float).T
    if len(set(x)) > 1 and len(set(y)) > 1:
        assert spearman(x, y) == pytest.approx(spearmanr(x, y).statistic)
    else:
        assert spearman(x, y) == 0


def test_cosine_distances_of_plain_vectors():
    found = cosine_distances(np.array([[2.0, 0.0], [0.0, 3.0], [-1.0, 0.0]]))
    assert found == pytest.approx(np.array([[0, 1, 2], [1, 0, 1], [2, 1, 0]]))


def test_values_along_a_line_have_the_best_locality():
    distances = along_a_line(9)
    assert locality(distances) == pytest.approx(1.0, abs=0.01)
    assert neighbours(distances) < 0.15
    assert neighbours(axis_distances(9)) == pytest.approx(1 / (10 / 3))


def test_an_order_drawn_at_random_scores_about_nothing():
    distances = along_a_line(60)
    mixed = put(distances, rng(0, "mixed").permutation(60))
    assert abs(locality(mixed)) < 0.15
    assert 0.8 < neighbours(mixed) < 1.2


@pytest.mark.parametrize("n", [1, 2])
def test_an_axis_of_one_or_two_values_has_nothing_to_score(n):
    distances = cosine_distances(vectors(n))
    assert (locality(distances), neighbours(distances)) == (0.0, 1.0)
    assert list(seriate(distances)) == list(range(n))


def test_equal_vectors_have_no_locality_and_stay():
    distances = np.zeros((5, 5))
    assert (locality(distances), neighbours(distances)) == (0.0, 1.0)
    assert list(seriate(distances)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("seed", range(3))
def test_the_spectrum_finds_a_line_again(seed):
    mixed = rng(seed, "line").permutation(12)
    order = fiedler_order(put(along_a_line(12), mixed))
    found = list(mixed[order])
    assert found in (list(range(12)), list(range(12))[::-1])


@pytest.mark.parametrize("n", [4, 5, 6])
def test_a_seriation_is_worth_nearly_what_the_best_of_all_orders_is(n):
    distances = cosine_distances(vectors(n))
    every = [worth(put(distances, list(p))) for p in itertools.permutations(range(n))]
    found = worth(put(distances, seriate(distances)))
    better = sum(value > found + 1e-6 for value in every)
    assert better <= 0.01 * len(every)


@pytest.mark.parametrize("n", [5, 20])
def test_no_exchange_improves_a_climb_and_it_never_falls(n):
    distances = cosine_distances(vectors(n))
    start = rng(1, "start").permutation(n)
    order = climb(distances, start)
    top = worth(put(distances, order))
    assert top >= worth(put(distances, start))
    assert sorted(order) == list(range(n))
    for i, j in itertools.combinations(range(n), 2):
        other = order.copy()
        other[[i, j]] = other[[j, i]]
        assert worth(put(distances, other)) <= top + 1e-5


def test_values_that_are_fixed_stay_at_the_beginning():
    distances = cosine_distances(vectors(15))
    order = seriate(distances, fixed=2)
    assert list(order[:2]) == [0, 1]
    assert sorted(order) == list(range(15))
    assert worth(put(distances, order)) >= worth(distances)


def test_a_seriation_is_repeatable_and_runs_the_way_of_the_order_given():
    distances = cosine_distances(vectors(30))
    order = seriate(distances)
    assert np.array_equal(order, seriate(distances.copy()))
    assert spearman(np.arange(30.0), order.astype(float)) >= 0


@pytest.mark.skipif(not MATERIAL, reason="RLDF_TEST_MATERIAL names no folder of real material")
def test_clips_own_vectors_of_cocos_names_are_put_in_order():
    rows = np.load(Path(MATERIAL) / "clip" / "coco_clip_a+cname.npy", allow_pickle=False)
    distances = cosine_distances(rows[1:].astype(float))
    found = put(distances, seriate(distances))
    assert locality(distances) == pytest.approx(0.091, abs=0.002)
    assert locality(found) > 0.48
    assert neighbours(found) < 0.79 < neighbours(distances)
