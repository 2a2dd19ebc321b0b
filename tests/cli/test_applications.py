"""`rldf generate`, `control` and `ablate` as a user types them."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.experiments.applications.runs import DRAWN, ROOT, SENTENCE, found_run

EXAMPLE = ROOT / "examples" / "dog-in-park.png"


@pytest.fixture
def run(call):
    """A finished run in the working folder; its words are grammar base's."""
    return found_run(Path("run"))


def files(root):
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(Path(root).rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def test_generate_varies_axes_of_a_larger_grammar(call, run):
    words = ("generate", run, "-n", 4, "--vary", "Weather, Time", "--grammar", "pocket")
    code, out, err = call(*words, "--models", DRAWN, "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["out"] == "generated/run"
    assert [image["words"]["Weather"] for image in told["images"]].count("rain") == 1
    assert told["drawn_with"]["name"] == "drawn"
    assert told["searched_with"]["name"] == "other"
    before = files("generated/run")
    assert set(before) == {"manifest.json", "sheet.png", *(i["file"] for i in told["images"])}
    code, out, _ = call(*words, "--models", DRAWN)
    assert code == 0
    assert f"4 images of '{SENTENCE}', Weather, Time varied" in out
    assert files("generated/run") == before


def test_generate_reads_the_document_of_a_search(call, run, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"run": str(run)})))
    code, out, _ = call("generate", "-", "-n", 1, "--models", DRAWN, "--json")
    assert code == 0
    assert json.loads(out)["sentence"] == SENTENCE


def test_control_prints_a_rate_for_each_value(call, run):
    words = ("control", run, "--axis", "Frequency", "-n", 2, "--models", DRAWN)
    code, out, err = call(*words)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == [
        "Frequency", "hits", "rate", "95", "%", "interval", "mean", "number", "read",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines[1:4]] == ["one", "many", "all"]
    assert "rank correlation" in lines[4]
    assert lines[5] == "read by the detector; look at controlled/run-Frequency/grid.png"
    told = json.loads(call(*words, "--json")[1])
    assert told["hits"] == sum(image["read"] == image["words"]["Frequency"]
                               for image in told["images"])  # fmt: skip


def test_ablate_tells_of_a_word_that_the_grammar_has(call):
    code, out, err = call(
        "ablate", "dog", EXAMPLE, "--caption", SENTENCE, "--models", DRAWN, "--renders", 4
    )
    assert code == 0
    assert err == "warning: grammar base has a word for dog: it need not fall away\n"
    assert out.splitlines()[0] == "CLIP's score of 'dog'"
    assert "input to RLDF's drawing: drop of" in out
    assert Path("ablated/dog/sheet.png").is_file()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["generate", "run", "-n", "0"], "-n 0: give 1 to 10000"),
        (["generate", "run", "--vary", "Weather"], "add --grammar pocket, which has it"),
        (["generate", "run", "--vary", "Colour"], "grammar base has no axis 'Colour'"),
        (["generate", "run", "--vary", "Noun,Noun"], "name each axis once"),
        (["generate", "run", "--vary", ""], "has no axis ''"),
        (["generate", "run", "--grammar", "paper"], "is not a sentence of grammar paper"),
        (["generate", "run", "--models", "best"], "no model set 'best'"),
        (["generate", "none"], "none holds no run"),
        (["generate", "empty"], "empty has found nothing yet"),
        (["generate", "run", "--out", "mine"], "mine is not empty, and not ours (thesis.tex)"),
        (["generate", "run", "--out", "run"], "run is not empty, and not ours"),
        (["generate", "run", "--out", "mine/thesis.tex"], "is a file"),
        (["control", "run"], "--axis"),
        (["control", "run", "--axis", "Weather"], "add --grammar pocket"),
        (["control", "run", "--axis", "Scene", "--values", "moon"], "has no value 'moon'"),
        (["control", "run", "--axis", "Scene", "--values", "park,park"], "each value once"),
        (["control", "run", "--axis", "Scene", "-n", "-1"], "-n -1"),
        (["control", "run", "--axis", "Scene", "--out", "mine"], "thesis.tex"),
        (["ablate", "ink"], "IMAGE"),
        (["ablate", "", "none.png"], "CONCEPT is empty"),
        (["ablate", "ink", "none.png"], "none.png cannot be read"),
        (
            ["ablate", "ink", "a.png", "--caption", "a", "--caption", "b"],
            "2 captions by --caption for 1 image",
        ),
        (["ablate", "ink", "a.png", "--renders", "1"], "less than one batch"),
        (["ablate", "ink", "a.png", "--grammar", "none"], "no grammar 'none'"),
    ],
)
def test_bad_input_is_one_line(call, run, words, told):
    found_run(Path("empty"), {})
    Path("mine").mkdir()
    Path("mine/thesis.tex").write_text("years of work")
    before = files(".")
    code, out, err = call(*words)
    assert (code, out) == (2, ""), err
    assert told in err
    assert err.splitlines()[-1].startswith("error: ")
    assert files(".") == before


def test_an_output_folder_of_another_command_is_refused_with_the_difference(call, run):
    words = ("generate", run, "-n", 1, "--models", DRAWN, "--out", "out")
    assert call(*words)[0] == 0
    before = files("out")
    code, _, err = call(*words, "--seed", 1)
    assert code == 2
    assert "out holds results of another configuration (seed: 0 there, 1 here)" in err
    assert (
        call("control", run, "--axis", "Scene", "-n", 1, "--models", DRAWN, "--out", "out")[0] == 2
    )
    assert files("out") == before


def test_an_unfinished_search_and_one_without_a_goal_give_their_best(call):
    """Both tell no distance to a goal; what earned most is what was found."""
    found_run(Path("half"), status="interrupted")
    code, out, err = call("generate", "half", "-n", 1, "--models", DRAWN, "--json")
    assert code == 0
    assert "half is not finished (interrupted)" in err
    assert json.loads(out)["sentence"] == SENTENCE


def test_killed_and_typed_again_it_ends_as_if_nothing_had_happened(tmp_path):
    run = found_run(tmp_path / "run")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "RLDF_CACHE": str(tmp_path / "cache")}

    def command(out):
        words = ["generate", str(run), "-n", "32", "--models", DRAWN, "--out", str(out)]
        return [sys.executable, "-m", "rldf", *words]

    out = tmp_path / "out"
    with subprocess.Popen(command(out), cwd=ROOT, env=environment, start_new_session=True) as one:
        end = time.monotonic() + 60
        while len(list(out.glob("images/*.png"))) < 5 and time.monotonic() < end:
            time.sleep(0.005)
        os.killpg(one.pid, signal.SIGKILL)
    assert one.returncode == -signal.SIGKILL
    assert json.loads((out / "manifest.json").read_text())["status"] == "running"
    assert not (out / "sheet.png").exists()
    for place in (out, tmp_path / "whole"):
        subprocess.run(command(place), cwd=ROOT, env=environment, check=True, capture_output=True)
    assert files(out) == files(tmp_path / "whole")
    assert len(files(out)) == 34
