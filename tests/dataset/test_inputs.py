"""What a person's own classes are made of."""

import io
import json

import pytest
from PIL import Image

from rldf.dataset.class_nouns import find_classes
from rldf.dataset.inputs import input_grammar, sort_inputs
from rldf.errors import ImageError, NoGoalError, RunError, UsageError
from rldf.grammar import load_grammar
from rldf.perception.encoder import Encoder
from tests.applications.runs import found_run
from tests.doubles import Scripted, picture, thing

GRAMMAR = load_grammar("base")


def encoder():
    things = {
        1: [thing("zebra", side=50)],
        2: [thing("dog", side=50), thing("zebra", side=20, x=50)],
        3: [thing("unicorn")],
        4: [thing("zebra", side=10)],
    }
    return Encoder(GRAMMAR, Scripted(things, {}))


def photo(path, tag):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(tag).save(path)
    return path


def finished_run(path):
    return found_run(path, {GRAMMAR.derive((1, 5, 2, 5)): 2.0})


def classes(*paths, stdin=""):
    given = sort_inputs([str(path) for path in paths], io.StringIO(stdin))
    return find_classes(given, encoder())


def test_an_image_is_a_class_of_its_dominant_noun(tmp_path):
    assert classes(photo(tmp_path / "a.png", 2), photo(tmp_path / "b.png", 1)) == [
        ("", "dog"),
        ("", "zebra"),
    ]


def test_a_finished_search_is_a_class_of_what_it_found(tmp_path):
    noun = GRAMMAR.axes[1].values[5].name
    assert classes(finished_run(tmp_path / "run")) == [("", noun)]


def test_a_dash_reads_the_document_of_a_search(tmp_path):
    run = finished_run(tmp_path / "run")
    assert classes("-", stdin=json.dumps({"run": str(run), "renders": 3})) == classes(run)


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}", '{"run": 3}', '{"run": ""}'])
def test_a_dash_without_such_a_document_is_refused(text):
    with pytest.raises(UsageError, match="type that command with --json"):
        classes("-", stdin=text)


def test_a_folder_of_folders_gives_a_class_for_each(tmp_path):
    for name, tags in {"My Pets": [2, 1, 2], "stripes": [3, 4]}.items():
        for n, tag in enumerate(tags):
            photo(tmp_path / "mine" / name / f"{n}.png", tag)
    (tmp_path / "mine" / "stripes" / "notes.txt").write_text("no image")
    (tmp_path / "mine" / ".hidden").mkdir()
    assert classes(tmp_path / "mine") == [("My Pets", "dog"), ("stripes", "zebra")]


def test_what_shows_nothing_known_is_told(tmp_path):
    with pytest.raises(NoGoalError, match=r"c\.png shows nothing that grammar base"):
        classes(photo(tmp_path / "c.png", 3))
    photo(tmp_path / "mine" / "odd" / "c.png", 3)
    photo(tmp_path / "mine" / "odd" / "d.png", 3)
    with pytest.raises(NoGoalError, match=r"odd shows nothing"):
        classes(tmp_path / "mine")


def test_what_is_no_input_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="neither a run nor a folder of folders"):
        classes(tmp_path / "empty")
    (tmp_path / "mine" / "odd").mkdir(parents=True)
    with pytest.raises(UsageError, match="odd holds no images"):
        classes(tmp_path / "mine")
    with pytest.raises(ImageError, match=r"none.png cannot be read"):
        classes(tmp_path / "none.png")
    (tmp_path / "x.jpg").write_text("text")
    with pytest.raises(ImageError, match="is not an image"):
        classes(tmp_path / "x.jpg")


def test_a_search_without_a_step_is_refused(tmp_path):
    with pytest.raises(RunError, match="has found nothing yet"):
        classes(found_run(tmp_path / "run", {}))


def test_what_searched_is_written_down_beside_what_draws(tmp_path):
    given = sort_inputs([str(finished_run(tmp_path / "run"))], io.StringIO())
    (searched,) = given.searches
    assert searched.noun == GRAMMAR.axes[1].values[5].name
    assert searched.sentence == GRAMMAR.derive((1, 5, 2, 5))
    assert searched.models["name"] == "other"


def test_the_grammar_is_the_one_asked_for_or_the_models_or_the_searchs(tmp_path):
    given = sort_inputs([str(finished_run(tmp_path / "run"))], io.StringIO())
    assert input_grammar(given, "paper", "pocket").name == "paper"
    assert input_grammar(given, None, "pocket").name == "pocket"
    assert input_grammar(given, None, None).name == "base"


def test_the_data_set_is_called_after_the_first_input(tmp_path):
    image = tmp_path / "My Zebra (1).png"
    Image.new("RGB", (8, 8)).save(image)
    assert sort_inputs([str(image)], io.StringIO()).name == "my-zebra-1"
