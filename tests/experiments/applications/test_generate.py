"""Many pictures of a found sentence: what is planned, drawn and gone on with."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rldf.errors import GrammarError, UsageError
from rldf.experiments.applications.common import generate_images, hints, image_seed
from rldf.experiments.applications.generate import Generation, generate, planned
from rldf.interfaces import ImageGenerator
from rldf.io.images import read_image
from rldf.models.model_sets import load_model_set
from rldf.pocket.world.drawing import draw
from rldf.runs.result import in_words_of, read_result
from tests.experiments.applications.runs import DRAWN, found_run

MODELS = load_model_set(DRAWN)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return in_words_of(read_result(found_run(tmp_path_factory.mktemp("a") / "run")), "pocket")


@given(st.integers(1, 60), st.sets(st.sampled_from(["Weather", "Time", "Scene"])), st.integers())
def test_values_are_spread_evenly_and_all_else_stays(found, n, vary, seed):
    requests = planned(
        Generation(found=found, models=MODELS, n=n, vary=tuple(sorted(vary)), seed=seed)
    )
    assert (
        len(requests)
        == n
        == len({request.file for request in requests})
        == len({s.seed for s in requests})
    )
    words = [found.grammar.decode(request.encoding) for request in requests]
    for axis in found.grammar.axes:
        times = Counter(word[axis.symbol] for word in words)
        if axis.symbol not in vary:
            assert times == {found.words[axis.symbol]: n}
        elif n >= max(len(found.grammar.axis(symbol).values) for symbol in vary):
            low, rest = divmod(n, len(axis.values))
            assert {low, low + bool(rest)} >= set(times.values())
            assert len(times) == len(axis.values)
    assert all(request.sentence == found.grammar.derive(request.encoding) for request in requests)


def test_pictures_manifest_and_sheet(found, tmp_path):
    asked = Generation(found=found, models=MODELS, n=5, vary=("Weather",), seed=3)
    result = generate(asked, tmp_path / "out")
    told = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert told["status"] == "done"
    assert told["config"]["searched_with"]["name"] == "other"
    assert told["config"]["drawn_with"]["name"] == "drawn"
    assert told["images"] == result.document()["images"]
    for k, image in enumerate(told["images"]):
        assert image["seed"] == image_seed(3, k)
        assert image["words"]["Noun"] == "dog"
        drawn = draw(image["sentence"], image["seed"]).image
        assert read_image(tmp_path / "out" / image["file"]).tobytes() == drawn.tobytes()
    assert read_image(tmp_path / "out" / "sheet.png").width > 4 * 128


def test_bad_requests(found):
    for n in (0, -1, 10_001):
        with pytest.raises(UsageError, match=f"-n {n}: give 1 to 10000"):
            Generation(found=found, models=MODELS, n=n)
    with pytest.raises(GrammarError, match="no axis 'Colour'"):
        Generation(found=found, models=MODELS, n=1, vary=("Colour",))
    with pytest.raises(UsageError, match="name each axis once"):
        Generation(found=found, models=MODELS, n=1, vary=("Time", "Time"))


class Dying(ImageGenerator):
    """A model set whose generator is killed after some batches."""

    identity = None

    def __init__(self, batches):
        self.batches, self.asked = batches, []
        self.generator, self.identity = self, {"generator": "dying"}

    def generate(self, sentences, seeds):
        if len(self.asked) == self.batches:
            raise KeyboardInterrupt
        self.asked.append(len(seeds))
        return MODELS.generator.generate(sentences, seeds)


def test_what_was_drawn_is_not_drawn_again(found, tmp_path):
    requests = planned(Generation(found=found, models=MODELS, n=20))
    first, second = Dying(1), Dying(9)
    with pytest.raises(KeyboardInterrupt):
        generate_images(first, requests, tmp_path)
    assert len(list((tmp_path / "images").iterdir())) == 8
    images = generate_images(second, requests, tmp_path)
    assert (first.asked, second.asked) == ([8], [8, 4])
    whole = MODELS.generator.generate([s.sentence for s in requests], [s.seed for s in requests])
    assert [i.tobytes() for i in images] == [i.tobytes() for i in whole]


def test_a_user_is_told_of_models_that_changed_or_do_not_know_the_sentence(found, tmp_path):
    assert hints(found, MODELS, DRAWN) == []
    assert "has changed since" in hints(found, MODELS, None)[0]
    strange = found_run(
        tmp_path / "run", {"a photo of one apple and one people in farm": 1.0},
        grammar="paper", cell=(0, 0, 0, 0),
    )  # fmt: skip
    assert "was not made for 'a photo of one apple" in hints(read_result(strange), MODELS, DRAWN)[0]
