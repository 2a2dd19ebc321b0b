"""The report: one page that opens offline, shows everything, and quotes what strangers wrote."""

import io
import re
import warnings
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from rldf.errors import UsageError
from rldf.evaluation import evaluate as evaluation
from rldf.evaluation.classification import Scores
from rldf.evaluation.downstream import DownstreamResult, TestResult, TrainConfig
from rldf.evaluation.evaluate import evaluate_request
from rldf.evaluation.features import EvaluationCache
from rldf.evaluation.plots import draw_bars, draw_confusion, draw_fid_over_n
from rldf.evaluation.report import check_target, draw_report, write_report
from rldf.evaluation.rows import EvaluationRequest
from rldf.stats import Figure
from tests.evaluation.sets import Thumbnail, make_clone, noisy, write_set

TestResult.__test__ = False  # not a class of tests
EVIL = "<script>alert(1)<_script>"  # no "/" in the name of a folder
EVERYTHING = {"fid": True, "kid": True, "prc": True, "duplicates": True, "per_class": True}


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.links, self.headings, self.text = [], [], [], ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "srcset")]

    def handle_data(self, data):
        if self.tags and self.tags[-1] == "h2":
            self.headings.append(data.strip())
        self.text += data


def judge(tmp_path, clone, *real, **asked):
    request = EvaluationRequest(clone=clone, real=real, **asked)
    return evaluate_request(request, Thumbnail(2), EvaluationCache(tmp_path / "cache"))


@pytest.fixture
def sets(tmp_path):
    clone = write_set(tmp_path / "clone", {"train": 6, "val": 2})
    make_clone(clone)
    return clone, write_set(tmp_path / "real", {"": 8}, seed=1)


def test_the_page_shows_every_part_and_fetches_nothing(tmp_path, sets, monkeypatch):
    scores = Scores((0.5, 0.7), (1.0, 1.0), np.diag([4, 3, 5]))
    downstream = DownstreamResult(
        classes=("n01", "n02", "n03"), n_train=18, side=32, n_own=6, own=scores,
        tests=(TestResult(n_test=24, scores=scores, n_reference=0, reference=None),),
    )  # fmt: skip
    monkeypatch.setattr(evaluation, "learn", lambda *_: downstream)
    result = judge(tmp_path, *sets, train_config=TrainConfig(epochs=1, seeds=2), **EVERYTHING)
    page = Page(draw_report(result, ["rldf", "evaluate", "my clone"]))
    assert [heading for heading in page.headings if heading] == [
        "Against real images",
        "Real beside synthetic",
        "FID over N",
        "By class: KID to the real images of the class",
        "By class: share of the class's real images that are classified right",
        "Confusion on real images",
        f"Closest pairs: clone, {sets[1]}",
        "How it was made",
    ]
    assert all(link.startswith("data:image/") for link in page.links)
    assert page.tags.count("img") == 3 * 2 + 4 + 10
    assert {"script", "iframe", "link", "object", "form"}.isdisjoint(page.tags)
    assert "name of n02" in page.text
    assert "rldf evaluate 'my clone'" in page.text
    assert "FID at N = 24" in page.text
    assert f"{result.document['fid']:.4g}" in page.text


def test_nothing_outside_the_page_is_named(tmp_path, sets):
    text = draw_report(judge(tmp_path, *sets, **EVERYTHING), ["rldf"])
    without_pictures = re.sub(r"data:image/[^\"]*", "", text)
    assert "http" not in without_pictures.replace("http-equiv", "")
    assert "default-src 'none'" in text


def test_what_strangers_wrote_shows_literally(tmp_path, monkeypatch):
    classes = {EVIL: (200, 40, 40), "$x_{": (40, 200, 40), "_hidden": (40, 40, 200)}
    for name, colour in classes.items():
        for root in ("clone", "<b>real"):
            (tmp_path / root / name).mkdir(parents=True)
            for k in range(4):
                image = noisy(colour, k + 10 * (root == "clone"))
                image.save(tmp_path / root / name / f"<i>{k}.png")
    result = judge(tmp_path, tmp_path / "clone", tmp_path / "<b>real", **EVERYTHING)
    text = draw_report(result, ["rldf", EVIL])
    assert EVIL not in text
    page = Page(text)
    assert {"script", "b", "i"}.isdisjoint(page.tags)
    assert EVIL in page.text
    assert "<b>real" in page.text


def test_a_real_folder_without_classes_is_shown_beside_the_clone(tmp_path, sets):
    flat = write_set(tmp_path / "flat", {"": 9}, ["n01"]) / "n01"
    page = Page(draw_report(judge(tmp_path, sets[0], flat, kid=True), ["rldf"]))
    assert page.tags.count("img") == 2


def test_only_what_was_asked_for_is_in_it(tmp_path, sets):
    page = Page(draw_report(judge(tmp_path, *sets, kid=True), ["rldf"]))
    assert [heading for heading in page.headings if heading] == [
        "Against real images", "Real beside synthetic", "How it was made",
    ]  # fmt: skip
    assert "FID" not in page.text.replace("fid", "")


def test_a_report_is_replaced_and_anything_else_is_left_alone(tmp_path, sets):
    result = judge(tmp_path, *sets, kid=True)
    path = tmp_path / "new" / "report.html"
    for _ in range(2):
        write_report(path, result, ["rldf"])
    (tmp_path / "mine.html").write_text("<html>my page")
    with pytest.raises(UsageError, match="is not a report of rldf: type another --report-to"):
        write_report(tmp_path / "mine.html", result, ["rldf"])
    assert (tmp_path / "mine.html").read_text() == "<html>my page"
    with pytest.raises(UsageError, match="cannot be written"):
        check_target(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        write_report(tmp_path / "file" / "report.html", result, ["rldf"])


NAMES = ["plain", "$\\frac{", "_hidden", "\x1b[31mred", "斑馬" * 30, ""]


def test_plots_take_any_name():
    end = Figure(value=3.0, n=40, low=2.0, high=4.0)
    row = {
        "fid_points": [{"n_clone": n, "fid": 3 + 40 / n} for n in (10, 20, 40)],
        "figures": {"fid_infinity": end.document()},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        files = [
            draw_fid_over_n([row] * len(NAMES), NAMES),
            draw_bars(dict.fromkeys(NAMES, Figure(value=0.5, n=9)), "$share", high_is_bad=False),
            draw_confusion(np.eye(len(NAMES), dtype=np.int64), NAMES),
            draw_confusion(np.zeros((200, 200), np.int64), ["x"] * 200),
        ]
    assert all(png.startswith(b"\x89PNG") for png in files)


def test_of_many_classes_the_worst_are_shown():
    values = {f"class {k}": Figure(value=k / 100, n=9) for k in range(100)}
    worst = dict(list(values.items())[:40])
    png = draw_bars(values, "share", high_is_bad=False)
    assert png == draw_bars(worst, "share", high_is_bad=False)
    assert png != draw_bars(values, "share", high_is_bad=True)
    assert Image.open(io.BytesIO(png)).width > 1000


@pytest.mark.parametrize("row", [0, 2])
def test_a_class_without_tests_is_grey_and_not_a_class_told_wrong(row):
    def greys(counts):
        image = Image.open(io.BytesIO(draw_confusion(counts, ["a", "b", "c"]))).convert("RGB")
        return sum(n for n, colour in image.getcolors(2**24) if colour == (0xBF,) * 3)

    tested = np.eye(3, dtype=np.int64)
    untested = tested.copy()
    untested[row] = 0
    assert greys(untested) > 1000 > greys(tested)
