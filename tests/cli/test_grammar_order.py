"""`rldf grammar order`."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from rldf.grammar.grammar import load_grammar

MATERIAL = os.environ.get("RLDF_TEST_MATERIAL")
NOUNS = [value.name for value in load_grammar("base").axis("Noun").values]


@pytest.fixture
def circle(tmp_path):
    """Vectors of base's nouns on a quarter circle, in the order 0 7 4 1 8 5 2 9 6 3."""
    places = [0, 3, 6, 9, 2, 5, 8, 1, 4, 7]
    angles = np.linspace(0, np.pi / 2, 10)[places]
    path = tmp_path / "v.npy"
    np.save(path, np.column_stack([np.cos(angles), np.sin(angles)]))
    return path


def test_the_order_of_vectors_from_a_file_is_found_and_written(call, circle):
    words = ["grammar", "order", "base", "--by", "clip", "--axis", "Noun", "--vectors", circle]
    code, out, err = call(*words, "--out", "mine.yaml", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert (told["grammar"], told["by"], told["out"]) == ("base", "clip", "mine.yaml")
    (axis,) = told["axes"]
    line = [NOUNS[i] for i in (0, 7, 4, 1, 8, 5, 2, 9, 6, 3)]
    assert axis["values"] in (line, line[::-1])
    assert axis["locality"] > 0.99 > 0.5 > axis["declared_locality"]
    assert axis["neighbours"] < 0.3 < axis["declared_neighbours"]
    mine = load_grammar("mine.yaml")
    assert [value.name for value in mine.axis("Noun").values] == axis["values"]
    assert mine.axis("Scene") == load_grammar("base").axis("Scene")
    before = Path("mine.yaml").read_bytes()
    code, out, err = call(*words, "--out", "mine.yaml")
    assert (code, out) == (2, "")
    assert err == "error: --out mine.yaml: the file exists already: name a new file\n"
    assert Path("mine.yaml").read_bytes() == before


def test_the_shipped_clip_scores_every_axis_and_leaves_counts_alone(call):
    code, out, err = call("grammar", "order", "base", "--by", "clip")
    assert (code, err) == (0, "models: pocket (no real models are here: see 'rldf models list')\n")
    heads = [line for line in out.splitlines() if not line.startswith(" ")]
    assert [head.split(":")[0] for head in heads] == [
        "Frequency by clip", "Noun by clip", "Density by clip", "Scene by clip",
    ]  # fmt: skip
    after, before = (float(heads[1].split(words)[1][:5]) for words in ("locality ", "(declared "))
    assert after > before + 0.1
    assert "  0  no\n  1  one\n  2  many\n" in out


def test_words_that_the_clip_has_never_read_are_told(call):
    code, out, err = call("grammar", "order", "paper", "--axis", "Noun")
    assert code == 0
    assert err.splitlines()[1].startswith(
        "warning: the CLIP of pocket knows the words of grammar pocket alone"
    )
    assert out.startswith("Noun by declared: locality ")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["base", "--by", "size"], "--by size: give declared, taxonomy or clip"),
        (["base", "--axis", "Verb"], "grammar base has no axis 'Verb'; it has: Frequency, Noun"),
        (["base", "--vectors", "v.npy"], "--vectors without --axis: add --axis"),
        (["base", "--names", "n.txt"], "--names without --vectors: add --vectors"),
        (["base", "--vectors", "none.npy", "--axis", "Noun"], "none.npy cannot be read"),
        (["none"], "no grammar 'none': name one of base"),
        (["base", "--out", "no/such/place.yaml"], "cannot write no/such/place.yaml"),
        (["base", "--models", "none"], "none"),
    ],
)
def test_what_cannot_be_ordered_is_refused_in_one_line(call, words, told):
    code, out, err = call("grammar", "order", *words)
    assert (code, out) == (2, "")
    assert told in err
    (error,) = [line for line in err.splitlines() if not line.startswith("models: ")]
    assert error.startswith("error: ")
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.skipif(not MATERIAL, reason="RLDF_TEST_MATERIAL names no folder of real material")
def test_coco_places_is_shipped_in_the_order_of_clips_own_vectors(call):
    code, out, err = call(
        "grammar", "order", "coco-places", "--by", "clip", "--axis", "Noun", "--json",
        "--vectors", Path(MATERIAL) / "clip" / "coco_clip_a+cname.npy",
        "--names", Path(MATERIAL) / "detectors" / "coco80_names.txt",
    )  # fmt: skip
    assert (code, err) == (0, "")
    (axis,) = json.loads(out)["axes"]
    assert axis["locality"] == pytest.approx(0.496, abs=0.01)
    assert axis["declared_locality"] == pytest.approx(0.496, abs=0.001)  # the head of the file


@pytest.mark.skipif(not MATERIAL, reason="RLDF_TEST_MATERIAL names no folder of real material")
def test_coco_places_has_the_labels_and_flags_of_places():
    lines = (Path(MATERIAL) / "places365" / "IO_places365.txt").read_text().splitlines()
    flags = {line.split()[0][3:]: line.split()[1] for line in lines}
    labels = [value.labels[0] for value in load_grammar("coco-places").axis("Scene").values]
    assert sorted(labels) == sorted(flags)
    first = next(i for i, label in enumerate(labels) if flags[label] == "2")
    against = {label for label in labels[first:] if flags[label] == "1"}
    assert against == {"archaelogical_excavation", "swimming_hole"}  # as its head says
