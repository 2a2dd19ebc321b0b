"""When images determine a figure: by simulations whose truth is known, and by cases by hand."""

import numpy as np
import pytest

from rldf.cli.evaluate import _told
from rldf.evaluation import figures as judged
from rldf.evaluation import metrics as distances
from rldf.evaluation.evaluate import evaluate_request
from rldf.evaluation.features import EvaluationCache
from rldf.evaluation.metrics import near_duplicates
from rldf.evaluation.report import draw_report
from rldf.evaluation.rows import EvaluationRequest
from rldf.stats import UNDETERMINED, read_figure, share
from tests.evaluation.sets import Thumbnail, write_set
from tests.evaluation.test_metrics import fid, frechet, gaussian
from tests.evaluation.test_report import Page


def at_infinity(x, y):
    points = distances.fid_points(x, y, fid(x, y))
    records = judged.fid_figures(points[-1].fid, points, x.shape[1])
    return read_figure(records["fid"]), read_figure(records["fid_infinity"])


@pytest.mark.parametrize(("n", "scale"), [(40, 1.0), (60, 1.4), (200, 1.4)])
def test_the_interval_at_infinity_holds_the_truth(n, scale):
    d = 8
    truth = frechet(gaussian(200_000, d, 100), gaussian(200_000, d, 101, scale=scale))
    held = 0
    for seed in range(40):
        _, end = at_infinity(gaussian(n, d, seed), gaussian(n, d, 50 + seed, scale=scale))
        held += end.low <= truth <= end.high
    assert held >= 36


@pytest.mark.parametrize("n", [60, 300])
def test_sets_that_are_alike_have_no_fid_at_infinity(n):
    ends = [at_infinity(gaussian(n, 8, s), gaussian(n, 8, 50 + s))[1] for s in range(10)]
    assert any(end.value < 0 for end in ends)
    assert all(not end.determined and end.low <= 0 < end.high for end in ends)


def test_far_sets_of_many_images_have_one_and_of_few_have_none():
    whole, end = at_infinity(gaussian(300, 8, 1), gaussian(300, 8, 2, shift=2.0))
    assert whole.determined and end.determined
    assert 0 < end.low < end.value < end.high
    whole, end = at_infinity(gaussian(30, 32, 1), gaussian(90, 32, 2, shift=9.0))
    assert not whole.determined and not end.determined
    assert whole.reason == end.reason == "30 images are fewer than the 32 features"


@pytest.mark.parametrize(("n", "m"), [(12, 12), (60, 40)])
def test_kid_of_sets_that_are_alike_is_not_told_from_zero(n, m):
    def of(seed, shift):
        x, y = gaussian(n, 8, seed), gaussian(m, 8, 50 + seed, shift=shift)
        found = distances.kid(x, y)
        return judged.kid_figure(found.kid, found.std, min(n, m))

    assert sum(of(seed, 0.0).determined for seed in range(20)) <= 2
    assert all(of(seed, 3.0).determined for seed in range(5))


@pytest.mark.parametrize(("n", "m", "known"), [(60, 60, False), (500, 60, False), (500, 500, True)])
def test_precision_and_recall_need_images_on_both_sides(n, m, known):
    for value in (0.0, 0.4, 1.0):
        assert judged.coverage_figure(value, n, m).determined is known
        assert judged.coverage_figure(value, m, n).determined is known


def test_copies_are_told_however_few_real_images_there_are():
    real = np.random.default_rng(0).normal(size=(300, 32)).astype(np.float32)
    clone = np.random.default_rng(1).normal(size=(120, 32)).astype(np.float32)

    def of(clone, real):
        found = near_duplicates(clone, real)
        return judged.duplicate_figure(found.rate, len(clone), found.calibrated)

    assert (
        of(clone, real).reason
        == "300 real images are too few for a threshold that one in 1000 exceeds"
    )
    clone[:60] = real[:60]
    copied = of(clone, real)
    assert copied.determined and copied.low > 0.4
    more = np.random.default_rng(2).normal(size=(1500, 32)).astype(np.float32)
    assert of(clone[60:], more).reason == ""
    assert not of(clone[60:70], more).determined


def test_an_accuracy_rests_on_its_test_images_and_on_its_trainings():
    alike = judged.accuracy_figure((1.0, 1.0, 1.0), 4, (1.0, 1.0))
    assert (alike.low < 0.6, alike.high, alike.determined) == (True, 1.0, False)
    assert alike.reason == "4 test images are few"
    many = judged.accuracy_figure((0.8, 0.81, 0.8), 1000, (0.79, 0.82))
    assert many.determined and many.low < 0.79 and many.high > 0.82
    apart = judged.accuracy_figure((0.2, 0.9), 1000, (-3.9, 5.0))
    assert (apart.low, apart.high, apart.reason) == (
        0,
        1,
        "the accuracies of 2 trainings differ much",
    )
    assert judged.accuracy_figure((0.8,), 1000, None).determined
    assert judged.top5_figure(many, 6).determined and not judged.top5_figure(many, 5).determined


def test_a_gap_and_a_share_are_as_uncertain_as_what_they_are_made_of():
    own, real = share(0.9, 500), share(0.6, 500)
    gap = judged.gap_figure(own, real)
    assert gap.determined and gap.value == pytest.approx(0.3)
    assert 0.3 - 0.06 < gap.low < 0.3 < gap.high < 0.3 + 0.06
    assert not judged.gap_figure(own, share(0.6, 9)).determined
    assert judged.gap_figure(share(None, 0), real).value is None
    worth = judged.ratio_figure(real, own)
    assert worth.low < 0.6 / 0.9 < worth.high
    assert judged.ratio_figure(real, share(0.0, 500)).value is None


@pytest.mark.parametrize(
    ("side", "reason"),
    [(2, "its interval contains 0"), (4, "24 images are fewer than the 48 features")],
)
def test_what_is_not_determined_is_marked_in_every_output(tmp_path, side, reason):
    clone = write_set(tmp_path / "clone", {"": 8})
    real = write_set(tmp_path / "real", {"": 8}, seed=1)
    request = EvaluationRequest(
        clone=clone, real=(real,), fid=True, kid=True, prc=True, per_class=True
    )
    told = []
    result = evaluate_request(
        request, Thumbnail(side), EvaluationCache(tmp_path / "s"), warn=told.append
    )
    found = result.document
    end = found["figures"]["fid_infinity"]
    assert found["fid_infinity"] is None and not end["determined"]
    assert end["reason"].startswith(reason)
    assert found["warnings"] == told != []
    for name in ("precision", "recall"):
        assert found["figures"][name]["reason"] == "24 images are few"
    lines = _told(found | {"report": None})
    row = next(line for line in lines if line.startswith(str(real)))
    assert f"{end['value']:.4g}" not in row
    whole = f"{UNDETERMINED}: {end['value']:.4g} (95 % {end['low']:.4g} to {end['high']:.4g})"
    assert sum(whole in line and reason in line for line in lines) == 1
    page = Page(draw_report(result, ["rldf"]))
    assert page.text.count(f"{end['value']:.4g} (95 %") == page.text.count(whole) >= 3
    assert all(warning in page.text for warning in told)


def test_the_figures_of_a_class_are_marked_too(tmp_path):
    clone = write_set(tmp_path / "clone", {"": 8})
    real = write_set(tmp_path / "real", {"": 3}, seed=1)
    request = EvaluationRequest(clone=clone, real=(real,), kid=True, per_class=True)
    result = evaluate_request(request, Thumbnail(2), EvaluationCache(tmp_path / "s"))
    rows = result.document["real"][0]["per_class"]
    assert [row["figures"]["kid"]["reason"] for row in rows] == ["3 images are few"] * 3
    assert f"n01 {UNDETERMINED}: " in draw_report(result, ["rldf"])
