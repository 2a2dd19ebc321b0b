"""What a search found, read from its run folder."""

import pytest

from rldf.errors import GrammarError, RunError
from rldf.runs.result import in_words_of, read_result
from tests.experiments.applications.runs import DRAWN, ROOT, SENTENCE, found_run


def test_the_sentence_that_earned_most_is_what_was_found(tmp_path):
    found = read_result(found_run(tmp_path / "run"))
    assert (found.sentence, found.reward) == (SENTENCE, 2.0)
    assert found.words == {"Frequency": "one", "Noun": "dog", "Density": "no", "Scene": "park"}
    assert (found.grammar_name, found.models) == ("base", DRAWN)
    assert found.searched_with["name"] == "other"
    assert found.notes == ()


def test_a_search_of_some_axes_is_read_in_all_words_of_its_grammar(tmp_path):
    """A frozen axis has one value, so the run's own encodings are of a smaller grid."""
    found = read_result(found_run(tmp_path / "run", cell=(0, 0, 0, 0)))
    assert found.grammar.derive(found.encoding) == SENTENCE


@pytest.mark.parametrize("status", ["running", "interrupted"])
def test_an_unfinished_search_gives_its_best_so_far_and_says_so(tmp_path, status):
    found = read_result(found_run(tmp_path / "run", status=status))
    assert found.sentence == SENTENCE
    assert "is not finished (interrupted): the best sentence so far" in found.notes[0]


def test_a_search_without_a_step_has_found_nothing(tmp_path):
    with pytest.raises(RunError, match="has found nothing yet"):
        read_result(found_run(tmp_path / "run", {}))
    with pytest.raises(RunError, match="holds no run"):
        read_result(tmp_path / "none")


def test_a_grammar_that_is_gone_or_has_changed_is_told(tmp_path):
    mine = tmp_path / "mine.yaml"
    run = found_run(tmp_path / "run", grammar=str(mine))
    with pytest.raises(RunError, match="a grammar that is gone"):
        read_result(run)
    text = (ROOT / "grammars" / "base.yaml").read_text()
    mine.write_text(text.replace("photo of", "picture of"))
    with pytest.raises(RunError, match=f"has changed since .* '{SENTENCE}' is no sentence"):
        read_result(run)
    mine.write_text(text)
    assert read_result(run).sentence == SENTENCE


def test_another_grammar_reads_the_same_sentence_with_more_axes(tmp_path):
    found = read_result(found_run(tmp_path / "run"))
    wide = in_words_of(found, "pocket")
    assert wide.sentence == found.sentence == wide.grammar.derive(wide.encoding)
    assert (wide.words["Weather"], wide.words["Noun"]) == ("clear", "dog")
    assert wide.searched_with == found.searched_with
    assert in_words_of(found, None) is found
    with pytest.raises(GrammarError, match="is not a sentence of grammar paper"):
        in_words_of(
            read_result(
                found_run(tmp_path / "b", {"a photo of many dogs and many people on a beach": 1.0})
            ),
            "paper",
        )


def test_an_axis_that_is_missing_is_told_with_the_grammar_that_has_it(tmp_path):
    found = read_result(found_run(tmp_path / "run"))
    assert found.axis_number("Scene") == 3
    with pytest.raises(GrammarError, match=r"no axis 'Weather': .* add --grammar pocket"):
        found.axis_number("Weather")
    with pytest.raises(GrammarError, match=r"no axis 'Colour': type one of [\w, ]+$"):
        found.axis_number("Colour")
