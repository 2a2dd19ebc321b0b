"""Even samples, computable for any image."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rldf.dataset.sampling import balanced, mixed, weighted
from rldf.seeding import derive

SEEDS = np.array([derive(0, "class", n) for n in range(5)], np.uint64)


def test_mixing_gives_splitmix64():
    # the first outputs of SplitMix64 with the states 0 and 1234567
    assert mixed(np.array([0], np.uint64)).tolist() == [0xE220A8397B1DCDAF]
    step = np.array([1234567], np.uint64) * np.uint64(pow(0x9E3779B97F4A7C15, -1, 2**64))
    assert mixed(step).tolist() == [6457827717110365317]


@given(st.integers(1, 12), st.integers(0, 200), st.integers(1, 100), st.integers(0, 2**63))
def test_any_run_of_images_is_even(n, start, length, seed):
    seeds = np.array([seed], np.uint64)
    values = balanced(range(n), seeds, start, start + length)[:, 0].tolist()
    counts = Counter(values)
    assert max(counts[v] for v in range(n)) - min(counts[v] for v in range(n)) <= 2


@given(st.integers(1, 12), st.integers(1, 200))
def test_from_the_first_image_on_counts_differ_by_one_at_most(n, images):
    counts = [Counter(column.tolist()) for column in balanced(range(n), SEEDS, 0, images).T]
    for count in counts:
        assert {count[v] for v in range(n)} <= {images // n, -(-images // n)}


def test_an_image_needs_no_other():
    together = balanced(range(7), SEEDS, 0, 100)
    for k in (0, 6, 7, 50, 99):
        for c in range(len(SEEDS)):
            assert balanced(range(7), SEEDS[c : c + 1], k, k + 1) == together[k, c]


def test_blocks_and_classes_are_shuffled_differently():
    together = balanced(range(8), SEEDS, 0, 8 * 100)
    assert len({tuple(c) for c in together.T.tolist()}) == len(SEEDS)
    blocks = {tuple(b) for b in together[:, 0].reshape(100, 8).tolist()}
    assert len(blocks) > 95  # of 40320 orders


def test_two_axes_meet_in_every_pair_alike():
    seeds = [np.array([derive(0, "class", axis)], np.uint64) for axis in ("Scene", "Time")]
    a, b = (balanced(range(3), seed, 0, 9000)[:, 0] for seed in seeds)
    counts = Counter(zip(a.tolist(), b.tolist(), strict=True))
    assert len(counts) == 9
    assert all(900 < count < 1100 for count in counts.values())


@pytest.mark.parametrize(
    ("n", "first", "block"),
    [
        (3, None, (0, 1, 2)),
        (1, 0.6, (0,)),
        (2, 0.5, (0, 1)),
        (3, 0.6, (0, 0, 0, 1, 2)),
        (4, 0.6, (0,) * 9 + (1, 1, 2, 2, 3, 3)),
    ],
)
def test_a_block_gives_the_first_value_its_share(n, first, block):
    assert weighted(n, first) == block
