"""Distances against closed forms, independent formulas and torch-fidelity's own program."""

import numpy as np
import pytest
import torch_fidelity
from scipy import linalg

from rldf.evaluation import metrics as distances
from rldf.evaluation.extractors import find_extractor, register
from rldf.evaluation.features import extract
from rldf.evaluation.image_sets import open_images
from tests.evaluation.sets import Thumbnail, write_set


def gaussian(n, d, seed, scale=1.0, shift=0.0):
    source = np.random.default_rng(seed)
    mixing = np.random.default_rng(7).normal(size=(d, d)) / d**0.5
    return (scale * source.normal(size=(n, d)) @ mixing + shift).astype(np.float32)


def fid(a, b):
    return distances.fid(distances.statistics(a), distances.statistics(b))


def frechet(a, b):
    """The formula as its authors wrote it down, by a matrix square root."""
    (m1, s1), (m2, s2) = ((x.mean(0), np.cov(x.astype(np.float64), rowvar=False)) for x in (a, b))
    root = linalg.sqrtm(s1 @ s2)
    return float(((m1 - m2) ** 2).sum() + np.trace(s1 + s2 - 2 * root.real))


def polynomial_mmd(x, y):
    """KID's estimator by loops over pairs."""

    def kernel(a, b):
        return (float(a @ b) / len(a) + 1) ** 3

    n, m = len(x), len(y)
    within = sum(kernel(x[i], x[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    other = sum(kernel(y[i], y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return within + other - 2 * np.mean([kernel(a, b) for a in x for b in y])


def test_a_set_is_at_no_distance_from_itself():
    x = gaussian(200, 12, 0)
    assert abs(fid(x, x)) < 1e-6


def test_equal_covariances_give_the_squared_distance_of_the_means():
    x = gaussian(300, 8, 1)
    shift = np.arange(8, dtype=np.float32) / 4
    assert fid(x, x + shift) == pytest.approx(float((shift**2).sum()), rel=1e-4)


def test_fid_is_the_frechet_distance_of_the_formula():
    x, y = gaussian(400, 16, 1), gaussian(300, 16, 2, scale=1.4, shift=0.3)
    assert fid(x, y) == pytest.approx(frechet(x, y), rel=1e-4)
    assert fid(x, y) == pytest.approx(fid(y, x), rel=1e-6)


def test_fid_is_that_of_clean_fid(monkeypatch):
    from cleanfid import fid as clean

    # clean-fid asks scipy for an error estimate, which scipy 1.18 no longer gives
    root = linalg.sqrtm
    monkeypatch.setattr(clean.linalg, "sqrtm", lambda a, disp: (root(a), 0))
    x, y = (distances.statistics(gaussian(400, 16, s, shift=s)) for s in (1, 2))
    theirs = clean.frechet_distance(x["mu"], x["sigma"], y["mu"], y["sigma"])
    assert distances.fid(x, y) == pytest.approx(theirs, rel=1e-4)


def test_fid_at_infinity_comes_nearer_to_the_truth_than_fid_at_n():
    d, found, whole = 16, [], []
    truth = frechet(gaussian(200_000, d, 100), gaussian(200_000, d, 101, scale=1.3))
    for seed in range(5):
        x, y = gaussian(200, d, seed), gaussian(200, d, 50 + seed, scale=1.3)
        points = distances.fid_points(x, y, fid(x, y))
        assert [(p.n_clone, p.n_real) for p in points] == [(n, n) for n in (50, 66, 100, 200)]
        assert points[-1].fid == fid(x, y)
        assert points == distances.fid_points(x, y, fid(x, y))
        found.append(distances.fid_infinity(points))
        whole.append(points[-1].fid)
    assert np.mean(whole) > truth * 1.05
    assert abs(np.mean(found) - truth) < abs(np.mean(whole) - truth) / 3


def test_fid_at_infinity_is_the_end_of_the_line():
    points = [distances.FidPoint(n, n, 5 + 30 / n) for n in (10, 20, 40)]
    assert distances.fid_infinity(points) == pytest.approx(5)


def test_kid_is_the_unbiased_estimator_over_all_pairs():
    x, y = gaussian(24, 6, 0), gaussian(24, 6, 1, shift=0.4)
    found = distances.kid(x, y)
    assert found.kid == pytest.approx(polynomial_mmd(x, y), rel=1e-4)
    assert found.subset == 24
    assert found.std > 1e-3, "subsets that are the whole would have no spread"


def test_kid_of_many_images_is_over_subsets_of_a_thousand(monkeypatch):
    monkeypatch.setattr(distances, "KID_SUBSET", 20)
    x, y = gaussian(60, 6, 0), gaussian(50, 6, 1, shift=0.4)
    found = distances.kid(x, y)
    assert (found.kid, found.std) == distances.kid_of_subsets(x, y, 20)
    assert found.subset == 20


def test_a_clone_of_one_mode_has_precision_and_no_recall():
    """The convention: precision asks for the clone's quality, recall for its variety."""
    source = np.random.default_rng(0)
    centres = np.array([[0, 0], [50, 0], [0, 50], [50, 50]])
    real = (centres.repeat(30, 0) + source.normal(size=(120, 2))).astype(np.float32)
    clone = source.normal(scale=0.5, size=(120, 2)).astype(np.float32)
    precision, recall = distances.precision_recall(clone, real)
    assert precision > 0.95
    assert recall < 0.3
    assert distances.precision_recall(real, clone) == (recall, precision)


def test_precision_and_recall_of_many_images_are_of_a_sample(monkeypatch):
    x, y = gaussian(90, 4, 0), gaussian(80, 4, 1)
    monkeypatch.setattr(distances, "PRC_MOST", 40)
    found = distances.precision_recall(x, y)
    assert found == distances.precision_recall(x, y)
    assert all(0 <= share <= 1 for share in found)


@pytest.mark.parametrize("which", ["thumbnail", "pocket"])
def test_all_figures_are_those_of_torch_fidelity_over_the_same_folders(tmp_path, which):
    counts = {"thumbnail": (30, 24), "pocket": (10, 8)}[which]
    ours = write_set(tmp_path / "ours", {"train": counts[0]}, side=64, suffix="jpg")
    real = write_set(tmp_path / "real", {"": counts[1]}, seed=1, side=64)
    extractor = Thumbnail() if which == "thumbnail" else find_extractor("pocket")
    clone, others = (
        extract(open_images(root), 0, extractor, lambda *_: None) for root in (ours, real)
    )
    subset = min(len(clone), len(others))
    theirs = torch_fidelity.calculate_metrics(
        input1=str(ours), input2=str(real), feature_extractor=register(extractor), cuda=False,
        fid=True, kid=True, prc=True, kid_subset_size=subset, samples_find_deep=True,
        cache=False, verbose=False, save_cpu_ram=True,
    )  # fmt: skip
    precision, recall = distances.precision_recall(clone, others)
    kid = distances.kid(clone, others)
    assert fid(clone, others) == pytest.approx(theirs["frechet_inception_distance"], rel=1e-6)
    assert kid.kid == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-6)
    assert (precision, recall) == (theirs["precision"], theirs["recall"])
