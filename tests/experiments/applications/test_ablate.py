"""What the grammar has no word for falls away: scores, drops and the whole way."""

import json

import pytest

from rldf.errors import UsageError
from rldf.experiments.applications.ablate import (
    Ablation,
    ablate,
    check_request,
    concept_scores,
    drops_of,
    names_concept,
)
from rldf.grammar.grammar import load_grammar
from rldf.models.model_sets import load_model_set
from rldf.pocket.world.drawing import draw
from rldf.runs.config import SearchConfig, build_search
from tests.doubles import Scripted, picture
from tests.experiments.applications.runs import DRAWN

SCENE = "one dog and no people in a park"


def test_scores_are_cosines_less_the_neutral_one():
    clip = Scripted(
        {}, {},
        images={1: (3.0, 4.0), 2: (1.0, 0.0)},
        texts={"blue": (0.0, 2.0), "photo": (5.0, 0.0)},
    )  # fmt: skip
    images = [picture(1), picture(2)]
    assert concept_scores(clip, images, "blue", None) == pytest.approx([0.8, 0.0])
    assert concept_scores(clip, images, "blue", "photo") == pytest.approx([0.2, -1.0])


def test_drops_are_means_of_pairs_with_students_interval():
    drops = drops_of({"input": [0.5, 0.7], "caption": [0.5, 0.6], "rldf": [0.1, 0.1]})
    drop = drops["input_to_rldf"]
    assert (drop.mean, drop.fell, drop.of) == (0.5, 2, 2)
    # half = t(0.975, 1) s / sqrt 2 = 12.706 x 0.1414 / 1.4142
    assert drop.ci == pytest.approx([0.5 - 1.2706, 0.5 + 1.2706], abs=1e-3)
    assert drops["input_to_caption"].fell == 1
    single = drops_of({column: [0.3] for column in ("input", "caption", "rldf")})
    assert single["input_to_rldf"].ci is None


@pytest.mark.parametrize(
    ("grammar", "concept", "known"),
    [
        ("base", "watercolour", False),
        ("pocket", "watercolour", True),
        ("pocket", "Pencil Sketch", True),
        ("base", "photo", True),
        ("base", "phot", False),
        ("base", "zebras", True),
    ],
)
def test_a_concept_of_the_grammar_is_noticed(grammar, concept, known):
    assert names_concept(load_grammar(grammar), concept) is known


def test_bad_requests():
    with pytest.raises(UsageError, match="CONCEPT is empty"):
        check_request(" ", ["a.png"], None)
    with pytest.raises(UsageError, match="1 caption by --caption for 2 images"):
        check_request("ink", ["a.png", "b.png"], ["a dog"])
    check_request("ink", ["a.png"], ["a dog"])


class Saying:
    def caption(self, image):
        return f"a watercolour of {SCENE}"


def test_a_watercolour_stays_in_its_caption_and_falls_away_in_the_search(tmp_path):
    image = tmp_path / "in.png"
    draw(f"a watercolour of {SCENE}", 10**9).image.save(image)
    models = load_model_set(DRAWN)
    settings = SearchConfig(image=str(image), models=DRAWN, agent="planner", renders=30)
    asked = Ablation(concept="watercolour", tasks=(build_search(settings, models),), models=models)
    result = ablate(asked, Saying, tmp_path / "out")
    row = result.images[0]
    assert row.sentence.startswith("a photo of one dog")
    scores = row.scores
    assert result.mean_scores == scores  # of one image
    assert scores["rldf"] < min(scores["input"], scores["caption"]) - 0.2
    told = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (told["status"], told["images"]) == ("done", result.document()["images"])
    assert told["config"]["searched_with"] == told["config"]["drawn_with"] == models.identity()
    steps = tmp_path / "out" / "runs" / "000" / "steps.jsonl"
    before = steps.stat().st_mtime_ns
    again = Ablation(concept="watercolour", tasks=(build_search(settings, models),), models=models)
    assert ablate(again, Saying, tmp_path / "out") == result
    assert steps.stat().st_mtime_ns == before  # a search that is done is not done again
