"""One axis slides: what is planned, read and measured."""

import json
from dataclasses import replace

import pytest

from rldf.errors import GrammarError, UsageError
from rldf.experiments.applications.control import Control, Rate, control, measured, planned
from rldf.experiments.applications.generate import Generation
from rldf.experiments.applications.generate import planned as images_of
from rldf.grammar.axis_kinds import ReadBack
from rldf.grammar.grammar import load_grammar
from rldf.io.images import read_image
from rldf.models.model_sets import load_model_set
from rldf.runs.result import in_words_of, read_result
from tests.experiments.applications.runs import DRAWN, found_run

MODELS = load_model_set(DRAWN)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return in_words_of(read_result(found_run(tmp_path_factory.mktemp("a") / "run")), "pocket")


def asked(found, axis, *values, n=2, **more):
    return Control(found=found, models=MODELS, axis=axis, values=values or None, n=n, **more)


def test_only_the_axis_changes_and_columns_share_their_seed(found):
    requests = planned(asked(found, "Weather", n=3))
    words = [found.grammar.decode(request.encoding) for request in requests]
    assert [word.pop("Weather") for word in words] == [
        value for value in ("clear", "rain", "snow", "fog") for _ in range(3)
    ]
    rest = {k: v for k, v in found.words.items() if k != "Weather"}
    assert all(word == rest for word in words)
    columns = [[request.seed for request in requests[k::3]] for k in range(3)]
    assert all(len(set(column)) == 1 for column in columns)
    assert len({column[0] for column in columns}) == 3


def test_an_axis_that_the_sentence_does_not_speak_of_is_refused(found):
    photo = load_grammar("photo")
    sentence = "a photo of one zebra in an attic"
    here = replace(found, grammar=photo, sentence=sentence, encoding=photo.parse(sentence))
    with pytest.raises(UsageError, match="where Scene is attic: name another axis"):
        asked(here, "Weather")
    with pytest.raises(UsageError, match="where Gender is anyone: leave it out, or vary Gender"):
        Generation(found=here, models=MODELS, n=2, vary=("Age",))
    several = Generation(found=here, models=MODELS, n=8, vary=("Density", "Gender"))
    encodings = [request.encoding for request in images_of(several)]
    assert all(encoding == photo.canonical(encoding) for encoding in encodings)


def test_hits_are_counted_by_value(found):
    one = asked(found, "Weather", "rain", "fog")
    told = measured(one, [ReadBack(1), ReadBack(0), ReadBack(3), ReadBack(3)])
    assert [(row.value, row.rate.hits, row.rate.share) for row in told.rows] == [
        ("rain", 1, 0.5),
        ("fog", 2, 1.0),
    ]
    assert (told.rate, told.read_by) == (Rate(3, 4), "CLIP")
    low, high = told.rate.interval
    assert 0 < low < 0.75 < high < 1  # Wilson: 3 of 4 is not sure
    assert low == pytest.approx(0.3006, abs=1e-3)
    document = told.document()
    assert (document["hits"], document["rows"][0]["rate"]) == (3, 0.5)
    assert "spearman" not in document


def test_counts_have_a_rank_correlation(found):
    one = asked(found, "Frequency", n=1)
    reads = [ReadBack(0, 1), ReadBack(1, 2), ReadBack(2, 5)]
    assert measured(one, reads).spearman == 1.0
    assert measured(one, reads[::-1]).spearman == -1.0
    unchanging = measured(one, [ReadBack(0, 1)] * 3)
    assert unchanging.document()["spearman"] is unchanging.spearman is None
    assert measured(one, reads).rows[2].mean_number == 5.0


def test_exact_drawings_are_read_as_they_were_asked_for(found, tmp_path):
    """The renderer draws what it is told, so misreading would be the readers' fault."""
    result = control(asked(found, "Style"), tmp_path / "out")
    assert [row.rate.share for row in result.figures.rows] == [1.0, 1.0, 1.0]
    told = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert told["config"]["axis"] == "Style"
    assert [image["read"] for image in told["images"]] == [
        image["words"]["Style"] for image in told["images"]
    ]
    assert read_image(tmp_path / "out" / "grid.png").height > 3 * 128


def test_bad_requests(found):
    with pytest.raises(UsageError, match="-n 0"):
        asked(found, "Weather", n=0)
    with pytest.raises(GrammarError, match="no axis 'Colour'"):
        asked(found, "Colour")
    with pytest.raises(GrammarError, match="axis Weather has no value 'hail'; it has: clear, rain"):
        asked(found, "Weather", "rain", "hail")
    with pytest.raises(UsageError, match="name each value once"):
        asked(found, "Weather", "rain", "rain")
