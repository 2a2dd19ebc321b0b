"""`rldf grammar`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rldf.cli.main import app
from rldf.errors import GrammarError


def run(*words: str) -> str:
    result = CliRunner().invoke(app, ["grammar", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_list_names_the_shipped_grammars_and_their_sizes() -> None:
    assert run("list").splitlines()[0].split()[:3] == ["base", "480", "states"]
    assert [g["name"] for g in json.loads(run("list", "--json"))] == [
        "base",
        "coco-places",
        "imagenet",
        "paper",
        "photo",
        "pocket",
        "pocket-nouns",
    ]


def test_show_prints_rules_axes_labels_size_and_an_example() -> None:
    lines = run("show", "base").splitlines()
    assert "  S    ->  P NP A DP I LC" in lines
    assert "Scene (reads scene)" in lines
    assert "  1  farm field              field/cultivated" in lines
    assert "  2  many  2 or more" in lines
    assert "480 states (2 x 10 x 3 x 8)" in lines
    assert lines[-1] == "example 1,5,1,4: a photo of many zebras and one person on a beach"


def test_show_json_holds_the_same_and_wnids() -> None:
    shown = json.loads(run("show", "pocket", "--json"))
    companion = next(axis for axis in shown["axes"] if axis["symbol"] == "Companion")
    assert (companion["reads"], companion["rank"]) == ("object", 2)
    assert companion["values"][1]["wnid"] == "n07753592"


def test_sentence_derives_and_parses() -> None:
    sentence = "a photo of many dogs and no people in a park"
    assert run("sentence", "base", "1,4,0,2") == sentence + "\n"
    assert run("sentence", "base", sentence) == "1,4,0,2\n"
    assert json.loads(run("sentence", "base", sentence, "--json")) == {
        "encoding": [1, 4, 0, 2],
        "sentence": sentence,
        "derivation": {"Frequency": "many", "Noun": "dog", "Density": "no", "Scene": "park"},
    }


def test_sentence_refuses_what_is_not_of_the_language() -> None:
    with pytest.raises(GrammarError, match="is not a sentence of grammar base"):
        CliRunner().invoke(app, ["grammar", "sentence", "base", "a dog"], catch_exceptions=False)


def test_check_finds_a_good_file_good() -> None:
    assert run("check", "grammars/base.yaml") == "grammars/base.yaml: good, 480 states\n"


@pytest.mark.parametrize("as_json", [False, True])
def test_check_lists_every_problem_and_exits_with_2(tmp_path: Path, as_json: bool) -> None:
    path = tmp_path / "[red]bad\x1b.yaml"
    path.write_text("nam: x\nproductions: {S: A}\naxes: {A: {reads: colour, values: {}}}\n")
    words = ["grammar", "check", str(path), *(["--json"] if as_json else [])]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "\x1b" not in result.output
    assert "[red]bad\\x1b.yaml has 4 problem(s)" in result.stderr
    if as_json:
        document = json.loads(result.stdout)
        assert (document["ok"], document["file"], document["states"]) == (False, str(path), None)
        assert len(document["problems"]) == 4
    else:
        lines = result.stdout.splitlines()
        assert len(lines) == 4
        assert all("[red]bad\\x1b.yaml: " in line for line in lines)
        assert any("axes.A.values" in line for line in lines)
