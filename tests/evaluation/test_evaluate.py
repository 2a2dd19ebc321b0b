"""The judgement as a whole, with an extractor that costs nothing and counts what it looks at."""

import shutil

import numpy as np
import pytest

from rldf.errors import ImageError, UsageError
from rldf.evaluation import evaluate as evaluation
from rldf.evaluation import metrics as distances
from rldf.evaluation.evaluate import evaluate_request
from rldf.evaluation.features import EvaluationCache, extract
from rldf.evaluation.image_sets import open_images
from rldf.evaluation.rows import FIGURES, EvaluationRequest
from tests.evaluation.sets import Thumbnail, make_clone, write_set


@pytest.fixture
def sets(tmp_path):
    clone = write_set(tmp_path / "clone", {"train": 8, "val": 3})
    make_clone(clone)
    real = write_set(tmp_path / "real", {"": 10}, seed=1)
    return clone, real


@pytest.fixture
def judge(tmp_path):
    def run(clone, *real, extractor=None, warn=lambda message: None, **asked):
        request = EvaluationRequest(clone=clone, real=real, **asked)
        cache = EvaluationCache(tmp_path / "cache")
        return evaluate_request(request, extractor or Thumbnail(2), cache, warn=warn)

    return run


ALL = {"fid": True, "kid": True, "prc": True, "duplicates": True}


def test_figures_are_null_where_they_were_not_asked_for(sets, judge):
    found = judge(*sets, fid=True).document
    assert set(FIGURES) <= found.keys()
    assert {name for name in FIGURES if found[name] is not None} == {
        "n_clone", "n_real", "features", "fid",
    }  # fmt: skip
    assert set(found["figures"]) == {"fid", "fid_infinity"}  # asked for, and not determined
    assert (found["n_clone"], found["n_real"], found["features"]) == (33, 30, "thumbnail")
    found = judge(*sets, kid=True, prc=True, duplicates=True).document
    assert found["fid"] is found["fid_infinity"] is found["top1"] is found["classifier"] is None
    assert all(
        found[name] is not None
        for name in ("kid", "kid_std", "precision", "recall", "near_duplicate_rate")
    )


def test_the_figures_are_those_of_the_features(sets, judge):
    found = judge(*sets, **ALL).document
    clone, real = (extract(open_images(root), 0, Thumbnail(2), lambda *_: None) for root in sets)
    fid = distances.fid(distances.statistics(clone), distances.statistics(real))
    assert found["fid"] == pytest.approx(fid, rel=1e-9)
    kid = distances.kid(clone, real)
    assert (found["kid"], found["kid_std"]) == pytest.approx((kid.kid, kid.std), rel=1e-9)
    assert (found["precision"], found["recall"]) == distances.precision_recall(clone, real)


def test_the_first_real_folder_is_at_the_top_and_each_has_a_row(sets, judge, tmp_path):
    clone, real = sets
    other = write_set(tmp_path / "other", {"": 4}, seed=2)
    found = judge(clone, real, other, fid=True).document
    assert [row["real"] for row in found["real"]] == [str(real), str(other)]
    assert [row["n_real"] for row in found["real"]] == [30, 12]
    assert found["fid"] == found["real"][0]["fid"] != found["real"][1]["fid"]
    points = found["real"][0]["fid_points"]
    assert [(p["n_clone"], p["n_real"]) for p in points] == [(8, 7), (11, 10), (16, 15), (33, 30)]


def test_a_second_evaluation_computes_no_features(sets, judge, monkeypatch):
    first = Thumbnail(2)
    found = judge(*sets, extractor=first, per_class=True, **ALL).document
    assert first.looked_at == 63
    again = Thumbnail(2)
    monkeypatch.setattr(distances, "statistics", lambda _: pytest.fail("computed again"))
    assert judge(*sets, extractor=again, per_class=True, **ALL).document == found
    assert again.looked_at == 0


def test_known_features_serve_another_real_folder_and_moved_ones(sets, judge, tmp_path):
    clone, real = sets
    judge(clone, real, fid=True)
    other = write_set(tmp_path / "other", {"": 4}, seed=2)
    moved = shutil.move(clone, tmp_path / "moved")
    extractor = Thumbnail(2)
    judge(moved, other, extractor=extractor, fid=True)
    assert extractor.looked_at == 12


def test_a_changed_image_is_looked_at(sets, judge):
    clone, real = sets
    before = judge(clone, real, fid=True).document["fid"]
    shutil.copy(real / "n01" / "n01_0000.png", clone / "train" / "n03" / "n03_0000.png")
    extractor = Thumbnail(2)
    assert judge(clone, real, extractor=extractor, fid=True).document["fid"] != before
    assert extractor.looked_at == 33


def test_fewer_images_than_features_are_warned_of(sets, judge):
    told = []
    judge(*sets, extractor=Thumbnail(4), warn=told.append, fid=True)
    assert len(told) == 1
    assert "30 images are fewer than the 48 features" in told[0]
    told.clear()
    judge(*sets, extractor=Thumbnail(2), warn=told.append, fid=True)
    assert ["fid_infinity is not exact" in line for line in told] == [True]
    told.clear()
    judge(*sets, extractor=Thumbnail(4), warn=told.append, kid=True)
    assert told == []


def test_classes_are_told_apart_by_key_or_name(sets, judge):
    clone, real = sets
    shutil.rmtree(clone / "train" / "n03")
    (clone / "train" / "n02").rename(clone / "train" / "n03")  # green images in the blue class
    (real / "n03").rename(real / "Name of n03")
    rows = judge(clone, real, kid=True, per_class=True).document["real"][0]["per_class"]
    assert [(row["class"], row["n_clone"], row["n_real"]) for row in rows] == [
        ("n01", 11, 10), ("n02", 3, 10), ("n03", 11, 10),
    ]  # fmt: skip
    assert rows[0]["name"] == "name of n01"
    kids = [row["kid"] for row in rows]
    assert kids[2] > 10 * max(abs(kids[0]), abs(kids[1]))
    assert all(row["top1"] is row["own_top1"] is None for row in rows)


def test_planted_copies_are_reported_by_name(sets, judge):
    clone, real = sets
    assert judge(clone, real, duplicates=True).document["near_duplicate_rate"] < 0.2
    shutil.copy(real / "n02" / "n02_0004.png", clone / "val" / "n02" / "n02_0001.png")
    row = judge(clone, real, duplicates=True).document["real"][0]
    assert len(row["closest_pairs"]) == 10
    first = row["closest_pairs"][0]
    assert (first["clone"], first["real"]) == ("val/n02/n02_0001.png", "n02/n02_0004.png")
    assert first["cosine"] == pytest.approx(1)


def test_another_process_trains_and_says_nothing(sets, judge, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    extractor = Thumbnail(2)
    assert judge(*sets, extractor=extractor, fid=True) is None
    assert extractor.looked_at == 0


def test_too_few_and_damaged_images_are_refused(sets, judge, tmp_path):
    clone, real = sets
    few = write_set(tmp_path / "few", {"": 7}, ["n01"])
    with pytest.raises(UsageError, match="few has 7 images: give a folder with at least 8"):
        judge(clone, few, fid=True)
    bad = clone / "train" / "n01" / "n01_0000.png"
    bad.write_bytes(bad.read_bytes()[:-40])
    with pytest.raises(ImageError, match=r"n01_0000\.png is a damaged image .*rldf clone verify"):
        judge(clone, real, fid=True)


def test_accuracies_gap_and_share_come_from_the_trainings(sets, judge, monkeypatch):
    from rldf.evaluation.classification import Scores
    from rldf.evaluation.downstream import DownstreamResult, TestResult, TrainConfig

    own = Scores((0.9, 0.8), (1.0, 1.0), np.diag([3, 3, 3]))
    real = Scores((0.5, 0.7), (0.8, 1.0), np.diag([5, 0, 5]))
    reference = Scores((0.8, 0.8), (1.0, 1.0), np.diag([10, 10, 10]))
    test = TestResult(n_test=30, scores=real, n_reference=24, reference=reference)
    downstream = DownstreamResult(
        classes=("n01", "n02", "n03"), n_train=24, side=32, n_own=9, own=own, tests=(test,)
    )
    monkeypatch.setattr(evaluation, "learn", lambda *_: downstream)
    found = judge(*sets, train_config=TrainConfig(epochs=3, seeds=2), per_class=True).document
    assert found["top1"] == pytest.approx(0.6)
    assert found["top5"] is None, "of three classes the right one is always among five"
    assert found["top1_ci"] == (0, 1)  # two trainings say 0.6 ± 1.27, which no share can be
    assert found["synthetic_real_gap"] == pytest.approx(0.25)
    assert found["own"]["top1"] == pytest.approx(0.85)
    row = found["real"][0]
    assert row["real_trained"]["top1"] == pytest.approx(0.8)
    assert row["real_trained"]["share"] == pytest.approx(0.75)
    assert row["real_trained"]["n_train"] == 24
    assert [line["top1"] for line in row["per_class"]] == [1, None, 1]
    assert found["classifier"] == {
        "network": "resnet18", "n_train": 24, "classes": 3, "unlearned": [], "epochs": 3,
        "seeds": 2, "size": 32,
    }  # fmt: skip


@pytest.mark.parametrize("figure", ["fid", "kid", "prc", "duplicates"])
@pytest.mark.parametrize("split", ["", "Test"])
def test_no_class_in_common_is_warned_of_whatever_is_asked_for(judge, tmp_path, figure, split):
    clone = write_set(tmp_path / "clone", {"train": 8}, ["n01", "n02"])
    real = write_set(tmp_path / "real", {split: 30}, ["n03"], seed=1)
    told = []
    judge(clone, real, warn=told.append, **{figure: True})
    mine = [line for line in told if "no class in common" in line]
    assert len(mine) == 1
    assert "such as n01 and n03" in mine[0]


def test_a_class_in_common_by_its_name_or_images_alone_are_not_warned_of(judge, tmp_path, sets):
    clone, real = sets
    (real / "n01").rename(real / "NAME-of_n01")
    flat = write_set(tmp_path / "flat", {"": 9}, ["n03"]) / "n03"
    told = []
    judge(clone, real, flat, warn=told.append, kid=True)
    assert told == []


def test_how_a_folder_was_read_is_told(judge, tmp_path, sets):
    real = write_set(tmp_path / "mixed", {"train": 5, "valid": 5, "extra": 3}, seed=1)
    told = []
    found = judge(sets[0], real, warn=told.append, kid=True).document
    assert found["n_real"] == 39
    assert any("extra, where there are the same classes" in line for line in told)


def test_top5_is_told_of_more_than_five_classes(sets, judge, monkeypatch):
    from rldf.evaluation.classification import Scores
    from rldf.evaluation.downstream import DownstreamResult, TestResult, TrainConfig

    keys = tuple(f"n0{n}" for n in range(6))
    real = Scores((0.5,), (0.8,), np.diag([5] * 6))
    test = TestResult(n_test=30, scores=real, n_reference=0, reference=None, untested=("n05",))
    downstream = DownstreamResult(
        classes=keys, n_train=24, side=32, n_own=0, own=None, tests=(test,), unlearned=("n04",)
    )
    monkeypatch.setattr(evaluation, "learn", lambda *_: downstream)
    found = judge(*sets, train_config=TrainConfig(epochs=1)).document
    assert found["top5"] == pytest.approx(0.8)
    assert found["classifier"]["unlearned"] == ["n04"]
    assert found["real"][0]["untested"] == ["n05"]


def test_the_plain_function_finds_what_is_not_named_and_gives_typed_metrics(
    sets, tmp_path, monkeypatch
):
    clone, real = sets
    monkeypatch.setenv("RLDF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("RLDF_REAL", str(real))
    monkeypatch.setattr(evaluation, "find_extractor", lambda *_: Thumbnail(2))
    (clone / ".rldf" / "finished.json").unlink()
    told = []
    result = evaluation.evaluate(str(clone), warn=told.append)
    assert set(result.figures) == {
        "fid", "fid_infinity", "kid", "precision", "recall", "near_duplicate_rate",
    }  # fmt: skip
    assert (result.n_clone, result.comparisons[0].n_real) == (33, 30)
    assert result.comparisons[0].real == real
    assert result.figures["fid"].value == result.document["fid"]
    assert [point.n_clone for point in result.comparisons[0].fid_points] == [8, 11, 16, 33]
    assert len(result.comparisons[0].closest_pairs) == 10
    assert list(result.warnings) == told == result.document["warnings"]
    assert any("is not finished" in line for line in told)
    one = evaluation.evaluate(clone, real=real, kid=True)
    assert set(one.figures) == {"kid"}
    assert one.downstream is None


def test_the_plain_function_refuses_before_it_looks_at_anything(sets, monkeypatch):
    from rldf.evaluation.downstream import TrainConfig

    monkeypatch.setattr(evaluation, "open_feature_set", lambda *_: pytest.fail("looked"))
    with pytest.raises(UsageError, match="--epochs 0"):
        evaluation.evaluate(sets[0], real=sets[1], classify=TrainConfig(epochs=0))
    with pytest.raises(UsageError, match="name one of pocket"):
        evaluation.evaluate(sets[0], real=[sets[1]], features="vgg")
