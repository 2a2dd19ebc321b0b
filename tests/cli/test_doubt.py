"""A doubtful reading is told wherever its goal is: terminal, JSON, report, card, later commands."""

import json
from pathlib import Path

import pytest
from PIL import Image

from rldf.perception.reading import DOUBTFUL
from rldf.pocket import WEIGHTS

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "dog-in-park.png"
SMALL, DRAWN = (
    ROOT / "tests" / "experiments" / "bench" / "small.yaml",
    ROOT / "tests" / "drawn.yaml",
)


@pytest.fixture
def strict(tmp_path):
    """A model set that takes every image for a photograph."""
    text = DRAWN.read_text().replace("../rldf/pocket/weights", str(WEIGHTS))
    path = tmp_path / "strict.yaml"
    path.write_text(text.replace("min_clip_similarity: 0.72", "min_clip_similarity: 0.9999"))
    return path


def test_a_search_its_report_its_run_and_what_comes_of_it_tell_the_doubt(call, strict):
    words = ["search", EXAMPLE, "--models", strict, "--renders", 40, "--out", "run"]
    code, out, err = call(*words)
    assert code == 0, err
    assert f"goal found ({DOUBTFUL})" in out
    assert "doubt           this may be a photograph" in out
    page = Path("run/report.html").read_text()
    assert "<h2>Doubts</h2>" in page
    assert "goal, in doubt" in page
    assert '<span class="mark goal">goal</span>' not in page
    record = json.loads(Path("run/run.json").read_text())
    assert record["result"]["doubtful"]
    assert not any(axis["known"] for axis in record["reading"]["axes"].values())

    shown = json.loads(call("run", "show", "run", "--json")[1])
    assert (shown["doubtful"], shown["warnings"]) == (True, record["result"]["warnings"])
    assert "may be a photograph" in call("run", "show", "run")[1]

    made = json.loads(call("generate", "run", "-n", 1, "--json")[1])
    assert "may be a photograph" in made["warnings"][0]

    clone = ["clone", "run", "--per-class", 2, "--models", DRAWN, "--out", "c", "--json"]
    code, out, err = call(*clone, "--splits", "train=2")
    assert code == 0, err
    assert "may be a photograph" in json.loads(out)["warnings"][0]
    assert "## Doubts" in Path("c/README.md").read_text()


def test_a_run_of_an_older_version_has_no_doubts(call, strict):
    assert call("search", EXAMPLE, "--models", strict, "--renders", 4, "--out", "run")[0] == 0
    record = json.loads(Path("run/run.json").read_text())
    del record["reading"]
    Path("run/run.json").write_text(json.dumps(record))
    code, out, err = call("run", "show", "run", "--json")
    assert code == 0, err
    document = json.loads(out)
    assert (document["reading"], document["doubtful"], document["warnings"]) == (None, False, [])


def test_a_clone_of_an_image_tells_the_doubt_in_its_card(call, strict):
    words = ["clone", EXAMPLE, "--models", strict, "--splits", "train=2", "--out", "c", "--json"]
    code, out, err = call(*words)
    assert code == 0, err
    (told,) = json.loads(out)["warnings"]
    assert "may be a photograph" in told
    assert "may be a photograph" in Path("c/README.md").read_text()
    assert "may be a photograph" in err


def test_encode_says_what_is_not_known(call, strict):
    Image.new("RGB", (128, 128), (90, 90, 90)).save("grey.png")
    code, out, err = call("encode", EXAMPLE, "grey.png", "--models", strict, "--json")
    assert code == 0, err
    dog, grey = json.loads(out)
    assert dog["encoding"] is not None
    assert dog["doubtful"]
    assert grey["sentence"] is None
    assert grey["axes"]["Noun"]["value"] is None
    assert grey["warnings"]


def test_a_comparison_and_a_bench_tell_the_doubt(call, strict):
    words = ["compare", EXAMPLE, "--models", strict, "--rivals", "encoder", "--renders", 4]
    code, out, err = call(*words, "--out", "k", "--json")
    assert code == 0, err
    compared = json.loads(out)
    assert compared["images"][0]["doubtful"]
    assert "may be a photograph" in compared["warnings"][0]
    assert DOUBTFUL in call(*words, "--out", "k")[1]

    words = ["bench", "table3", "--grammar", SMALL, "--models", strict, "-n", 1, "--seeds", 1]
    words += ["--renders", 4, "--agents", "random", "--rewards", "clip", "--processes", 1]
    code, out, err = call(*words, "--out", "b", "--json")
    assert code == 0, err
    assert "may be a photograph" in json.loads(out)["warnings"][0]
    assert "<h2>Doubts</h2>" in Path("b/table3.html").read_text()
