"""Scores, and what is made of them: hand-written numbers in, hand-written numbers out."""

import pytest

from rldf.experiments.compare.score import EVALUATIONS, Judge, Prompt, drawn, evaluation_seeds
from rldf.experiments.compare.summary import draw_comparison, summarise
from rldf.grammar.grammar import load_grammar
from rldf.perception.encoder import Encoder
from tests.doubles import CountingGenerator, Scripted, picture, thing


def judge(**scripted):
    readers = Scripted(
        things={0: [thing("dog"), thing("person")], 1: [thing("dog")], 2: [thing("zebra")], 3: []},
        scenes={0: {"beach": 1.0}, 1: {"beach": 1.0}, 2: {"park": 1.0}, 3: {"beach": 1.0}},
        **scripted,
    )
    encoder = Encoder(load_grammar("base"), readers)
    return Judge(picture(0), encoder.encode(picture(0)), encoder, readers)


def test_the_best_picture_is_the_first_of_the_most_alike():
    scores = {0: (1.0, 0.0), 1: (0.0, 1.0), 2: (3.0, 4.0), 3: (3.0, 4.0)}
    best = judge(images=scores).best((Prompt(f"s{i}", i), picture(i)) for i in (1, 2, 3, 1))
    assert (best.prompt, best.renders) == (Prompt("s2", 2), 4)
    assert best.likeness == pytest.approx(0.6)


def test_the_mean_is_over_the_sentence_drawn_with_each_seed():
    scores = {0: (1.0, 0.0), 1: (0.0, 1.0), 2: (3.0, 4.0)}
    generator = CountingGenerator()
    assert judge(images=scores).mean(generator, "s", [0, 1, 2]) == pytest.approx(1.6 / 3)
    assert generator.asked == [("s", 0), ("s", 1), ("s", 2)]


@pytest.mark.parametrize(
    ("tag", "axes", "noun", "scene"),
    [(0, 1.0, True, True), (1, 0.75, True, True), (2, 0.25, False, False), (3, 0.25, False, True)],
)
def test_semantics_are_the_axes_that_read_as_in_the_input(tag, axes, noun, scene):
    assert judge().semantics(picture(tag)) == {"axes": axes, "noun": noun, "scene": scene}


def test_pictures_are_drawn_in_batches_and_in_order():
    generator = CountingGenerator()
    prompts = [Prompt("s", seed) for seed in range(19)]
    assert [prompt for prompt, _ in drawn(generator, prompts)] == prompts
    assert generator.asked == [("s", seed) for seed in range(19)]


def test_evaluation_seeds_are_not_those_of_the_renders():
    found = evaluation_seeds(0)
    assert len(set(found)) == EVALUATIONS
    assert min(found) > 1_000_000
    assert set(found).isdisjoint(evaluation_seeds(1))


def entry(method, best, noun=True):
    scores = {"best": best, "mean": best, "axes": 0.5, "noun": noun, "scene": None}
    sentence = None if best is None else "a photo"
    return {"method": method, "renders": 8, "sentence": sentence, "picture": None, **scores}


def rows():
    pairs = [(0.9, 0.8), (0.7, 0.7), (0.5, 0.8), (0.9, None)]
    return [
        {
            "sentence": None,
            "folder": ".",
            "methods": [entry("rldf", a), entry("encoder", b, noun=False)],
        }
        for a, b in pairs
    ]


def test_a_summary_counts_wins_over_the_images_that_both_have():
    search, baseline = summarise(rows(), ("rldf", "encoder"))
    assert search["images"] == 4
    assert search["best"] == pytest.approx(0.75)
    assert "wins" not in search
    assert (baseline["images"], baseline["wins"], baseline["ties"], baseline["losses"]) == (
        3,
        1,
        1,
        1,
    )
    assert baseline["margin"] == pytest.approx((0.1 + 0.0 - 0.3) / 3)
    # mean -0.0667, standard deviation 0.2082, t(0.975, 2) = 4.303
    assert baseline["margin_low"] == pytest.approx(-0.0667 - 4.303 * 0.2082 / 3**0.5, abs=1e-3)
    assert (baseline["noun"], baseline["scene"], search["noun"]) == (0.0, None, 1.0)


def test_one_image_has_no_interval():
    search, _ = summarise(rows()[:1], ("rldf", "encoder"))
    assert (search["best"], search["best_low"], search["best_high"]) == (0.9, None, None)


def test_the_picture_shows_a_method_without_a_sentence(tmp_path):
    row = {"sentence": None, "folder": ".", "methods": [entry("encoder", None)]}
    assert draw_comparison([row], tmp_path, ["encoder"]).width > 2 * 192
