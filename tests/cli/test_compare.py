"""`rldf compare` as a user types it."""

import json
from pathlib import Path

import pytest

from rldf.pocket.world.drawing import draw

DRAWN = Path(__file__).parents[1] / "drawn.yaml"


@pytest.fixture
def image(tmp_path):
    draw("a photo of one zebra and one person on a forest path", 77).image.save(tmp_path / "z.png")
    return tmp_path / "z.png"


def test_it_prints_a_table_and_draws_a_picture(call, image):
    code, out, err = call("compare", image, "--models", DRAWN, "--baselines", "encoder,random",
                          "--renders", 12)  # fmt: skip
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"{image}: a photo of one zebra and one person on a forest path"
    assert lines[1].split() == [
        "method",
        "renders",
        "best",
        "mean",
        "axes",
        "noun",
        "scene",
        "sentence",
    ]
    assert [line.split()[:2] for line in lines[2:5]] == [
        ["rldf", "12"], ["encoder", "12"], ["random", "12"],
    ]  # fmt: skip
    picture = Path(lines[-1].removeprefix("look at "))
    assert picture.is_file()
    assert picture.parent.parent.name == "comparisons"


def test_json_is_one_document_with_means_and_wins(call, image):
    code, out, err = call("compare", image, image, "--models", DRAWN, "--baselines", "random",
                          "--renders", 12, "--json", "--out", "here")  # fmt: skip
    document = json.loads(out)
    assert (code, err, document["out"]) == (0, "", "here")
    assert [row["folder"] for row in document["images"]] == ["01-z", "02-z"]
    search, random = document["summary"]
    assert search["best"] > random["best"]
    assert (random["wins"], random["ties"], random["losses"]) == (2, 0, 0)
    again = call("compare", image, image, "--models", DRAWN, "--baselines", "random",
                 "--renders", 12, "--json", "--out", "here")  # fmt: skip
    assert json.loads(again[1]) == document


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--renders", 3], 2, "agent planner takes 4 at a time: give 4 or more"),
        (["--renders", 7, "--baselines", "split"], 2, "give 8 or more"),
        (["--renders", 0], 2, "--renders 0: give 1 or more"),
        (["--baselines", "random,blip"], 2, "no baseline 'blip'"),
        (["--baselines", "exhaustive", "--grammar", "pocket"], 2, "more than the 10000 allowed"),
        (["--captioner", "nowhere"], 3, "no image-to-text model at nowhere"),
        (["--captioner", ".", "--baselines", "random"], 2, "name caption in --baselines"),
        (["--agent", "nobody"], 2, "nobody"),
        (["--image-seed", 2**63 - 1], 2, "--image-seed"),
        (["missing.png"], 2, "missing.png cannot be read"),
        (["--out", "taken"], 2, "not ours"),
    ],
)
def test_bad_input_ends_in_one_line(call, image, words, code, said):
    Path("taken").mkdir()
    Path("taken", "mine.txt").write_text("mine")
    ended, out, err = call("compare", image, *words)
    assert (ended, out) == (code, "")
    assert said in err
    (error,) = [line for line in err.splitlines() if not line.startswith("models: ")]
    assert error.startswith("error: ")
    assert not Path("comparisons").exists()


def test_no_image_is_told(call):
    code, _, err = call("compare")
    assert code == 2
    assert "Missing argument" in err
