"""Comparisons with an instant generator: equal budgets, a ceiling, and going on after a fall."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rldf.errors import NoGoalError, RunError, UsageError
from rldf.experiments.compare import comparison as module
from rldf.experiments.compare.baselines import BaselineInput, baseline_prompts, check_baselines
from rldf.experiments.compare.comparison import Question, compare, prepare_comparison
from rldf.experiments.compare.runner import MethodRunner
from rldf.generators.drawn import DrawnGenerator
from rldf.grammar.grammar import load_grammar
from rldf.io import resources
from rldf.pocket.world.drawing import draw

DRAWN = str(Path(__file__).parents[2] / "drawn.yaml")
RIVALS = ("encoder", "random", "caption", "split", "exhaustive")


@pytest.fixture
def images(tmp_path):
    sentences = [
        "a photo of one zebra and one person on a forest path",
        "a photo of many pizzas and no people on a street",
    ]
    for i, sentence in enumerate(sentences):
        draw(sentence, 77 + i).image.save(tmp_path / f"{i}.png")
    return tuple(str(tmp_path / f"{i}.png") for i in range(2))


@pytest.fixture
def asked(monkeypatch):
    """Remember what the generator is asked for."""
    pairs = []

    def generate(self, sentences, seeds):
        pairs.extend(zip(sentences, seeds, strict=True))
        return [draw(text, seed).image for text, seed in zip(sentences, seeds, strict=True)]

    monkeypatch.setattr(DrawnGenerator, "generate", generate)
    return pairs


def question(images, **changes):
    usual = {"grammar": _small(Path(images[0]).parent), "models": DRAWN, "renders": 8}
    return Question(**{"images": images, "baselines": RIVALS, **usual} | changes)


def _small(folder):
    """Write base.yaml with 2 nouns and 3 scenes: 36 cells."""
    lines = (resources.folder("grammars") / "base.yaml").read_text().splitlines()
    kept = ("zebra", "pizza", "park", "forest path", "street")
    values = [line.split(":")[0].strip() if "labels:" in line else None for line in lines]
    path = folder / "small.yaml"
    path.write_text(
        "\n".join(
            line
            for line, value in zip(lines, values, strict=True)
            if value is None or value in kept
        )
    )
    return str(path)


def scores(document, image=0):
    return {entry["method"]: entry for entry in document["images"][image]["methods"]}


def test_every_method_has_as_many_renders_and_exhaustion_is_the_ceiling(images, tmp_path):
    out = tmp_path / "out"
    document = compare(prepare_comparison(question(images[:1])), out)
    found = scores(document)
    assert {name: entry["renders"] for name, entry in found.items()} == {
        "rldf": 8, "encoder": 8, "random": 8, "caption": 8, "split": 8, "exhaustive": 36,
    }  # fmt: skip
    assert found["exhaustive"]["best"] >= max(found["rldf"]["best"], found["random"]["best"])
    assert found["encoder"]["best"] > 0.95
    assert found["encoder"]["axes"] == 1.0
    folder = out / document["images"][0]["folder"]
    assert all((folder / entry["picture"]).is_file() for entry in found.values())
    assert (out / "comparison.png").is_file()


def test_the_seeds_are_those_that_were_promised(images, tmp_path, asked):
    pinned = question(images[:1], baselines=("encoder",), image_seed=50)
    document = compare(prepare_comparison(pinned), tmp_path / "out")
    sentence = scores(document)["encoder"]["sentence"]
    evaluated = document["evaluation_seeds"]
    drawn = {seed for text, seed in asked if text == sentence}
    assert drawn == {*range(50, 58), *evaluated}
    assert {seed for text, seed in asked if text != sentence} <= {50, *evaluated}


def test_what_was_stopped_goes_on_and_ends_the_same(images, tmp_path, asked, monkeypatch):
    few = question(images, baselines=("encoder", "random"))
    whole = compare(prepare_comparison(few), tmp_path / "whole")
    asked.clear()
    monkeypatch.setenv("RLDF_CACHE", str(tmp_path / "other-cache"))
    score = MethodRunner.score

    def fall(self, method, place):
        if place.name.startswith("02") and method == "random":
            raise KeyboardInterrupt
        return score(self, method, place)

    with monkeypatch.context() as patch:
        patch.setattr(MethodRunner, "score", fall)
        with pytest.raises(KeyboardInterrupt):
            compare(prepare_comparison(few), tmp_path / "out")
    assert (tmp_path / "out" / "01-0" / "result.json").is_file()
    assert not (tmp_path / "out" / "02-1" / "result.json").exists()
    first = set(asked)
    asked.clear()
    again = compare(prepare_comparison(few), tmp_path / "out")
    assert asked
    assert first.isdisjoint(asked)
    assert again["images"] == whole["images"]
    assert again["summary"] == whole["summary"]
    asked.clear()
    assert compare(prepare_comparison(few), tmp_path / "out")["images"] == whole["images"]
    assert not asked


def test_another_question_is_refused_a_folder_that_is_taken(images, tmp_path):
    few = question(images[:1], baselines=("random",))
    compare(prepare_comparison(few), tmp_path / "out")
    with pytest.raises(RunError, match=r"renders: 8 there, 9 here"):
        compare(prepare_comparison(replace(few, renders=9)), tmp_path / "out")


def test_a_damaged_result_is_told(images, tmp_path):
    prepared = prepare_comparison(question(images[:1], baselines=("random",)))
    compare(prepared, tmp_path / "out")
    result = tmp_path / "out" / "01-0" / "result.json"
    whole = json.loads(result.read_text())
    away = json.dumps(whole).replace("random.png", "../../secret.png")
    scoreless = json.dumps(whole).replace('"best"', '"worst"')
    elsewhere = json.dumps(whole | {"folder": "../02-1"})
    for text in ("{", "[]", "{}", "[" * 100_000, away, scoreless, elsewhere):
        result.write_text(text)
        with pytest.raises(RunError, match=r"result\.json is damaged"):
            compare(prepared, tmp_path / "out")


def test_the_encoder_says_nothing_of_an_image_without_a_word(tmp_path):
    from PIL import Image

    Image.new("RGB", (128, 128), "white").save(tmp_path / "white.png")
    blank = question((str(tmp_path / "white.png"),), baselines=("encoder", "random"))
    document = compare(prepare_comparison(blank), tmp_path / "out")
    found = scores(document)["encoder"]
    assert (found["sentence"], found["best"], found["renders"]) == (None, None, 0)
    assert "no sentence" in found["notes"][0]
    assert scores(document)["random"]["best"] is not None
    assert document["summary"][1]["images"] == 0
    with pytest.raises(NoGoalError):
        prepare_comparison(replace(blank, reward="multi"))


def test_a_caption_that_is_too_long_is_cut_and_told(images, tmp_path, pocket, monkeypatch):
    long = "a photo of one banana and no people in a park " * 9

    class Wordy:
        def caption(self, image):
            return long.strip()

    prepared = prepare_comparison(question(images[:1], baselines=("caption",)))
    prepared = replace(prepared, captioner=Wordy())
    cut = " ".join(long.split()[:11])
    monkeypatch.setattr(type(prepared.models.generator), "cut", lambda self, sentence: cut)
    found = scores(compare(prepared, tmp_path / "out"))["caption"]
    assert found["sentence"] == cut
    assert long.strip() in found["notes"][0]


def test_progress_counts_methods_over_all_images(images, tmp_path):
    told = []
    prepared = prepare_comparison(question(images, baselines=("random",)))
    compare(prepared, tmp_path / "out", told.append)
    assert told == [1, 2, 3, 4]
    assert module.RESULT == "result.json"


def case(grammar, renders, key="k"):
    return BaselineInput(
        image=None, vector=None, sentence=None, key=key, grammar=load_grammar(grammar), clip=None,
        captioner=None, renders=renders, seed=0, image_seed=3,
    )  # fmt: skip


def test_random_cells_are_distinct_and_other_ones_for_another_image():
    prompts = baseline_prompts("random", case("base", 100))
    assert len({prompt.sentence for prompt in prompts}) == 100
    assert {prompt.seed for prompt in prompts} == {3}
    assert prompts == baseline_prompts("random", case("base", 100))
    assert prompts != baseline_prompts("random", case("base", 100, key="other"))


def test_random_cells_of_a_small_world_are_all_cells():
    every = baseline_prompts("exhaustive", case("base", 1))
    assert baseline_prompts("random", case("base", 5_000)) == every
    assert len({prompt.sentence for prompt in every}) == 480


@pytest.mark.parametrize("names", [(), ("",), ("encoder", "encoder"), ("rldf",), ("blip",)])
def test_rivals_that_make_no_sense_are_refused(names):
    with pytest.raises(UsageError, match=r"--baselines.*encoder, caption, pez"):
        check_baselines(names)
