"""What a person's own classes are made of."""

import io
import json

import pytest
from PIL import Image

from rldf.dataset.user_classes import find_classes, input_grammar, parse_nouns, sort_inputs
from rldf.errors import ImageError, NoGoalError, RunError, UsageError
from rldf.grammar.grammar import load_grammar
from rldf.perception.encoder import Encoder
from tests.doubles import Scripted, picture, thing
from tests.experiments.applications.runs import found_run

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


def classes(*paths, stdin="", said=(), warn=lambda message: None):
    given = sort_inputs([str(path) for path in paths], io.StringIO(stdin))
    return find_classes(given, encoder(), parse_nouns(said), warn)


def photos(root, folders):
    """Put photos into folders; a photo's number says what is seen in it: see `encoder`."""
    for name, tags in folders.items():
        for n, tag in enumerate(tags):
            photo(root / name / f"{n}.png", tag)
    return root


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


@pytest.mark.parametrize("names", [("train", "valid", "test"), ("Training", "Dev", "Testing")])
def test_splits_are_no_classes_and_the_training_photos_are_looked_at(tmp_path, names):
    train, val, test = names
    root = photos(
        tmp_path / "mine",
        {
            f"{train}/tabby": [2],
            f"{train}/stripes": [1],
            f"{test}/tabby": [1, 1],
            f"{val}/tabby": [1],
        },
    )
    assert classes(root) == [("stripes", "zebra"), ("tabby", "dog")]


def test_a_clones_own_folder_gives_its_classes(tmp_path):
    root = photos(tmp_path, {"train/a": [1], "train/b": [2], "val/a": [1], "sheets": [1]})
    (root / "clone.json").write_text("{}")
    assert classes(root) == [("a", "zebra"), ("b", "dog")]


@pytest.mark.parametrize("names", [("train", "cat"), ("cat", "Valid", "dog")])
def test_what_may_be_splits_or_classes_is_refused_or_told(tmp_path, names):
    root = photos(tmp_path / "mine", {name: [1] for name in names})
    if "Valid" in names:
        with pytest.raises(UsageError, match="Valid may be splits or classes"):
            classes(root)
    else:
        given = sort_inputs([str(root)], io.StringIO())
        assert any("train is taken as a class" in note for note in given.notes)


def test_splits_without_folders_of_classes_are_no_classes(tmp_path):
    root = photos(tmp_path / "mine", {"train": [1], "test": [2]})
    with pytest.raises(UsageError, match="neither a run nor a folder of folders of photos"):
        classes(root)


def test_two_classes_of_one_noun_are_refused_by_name(tmp_path):
    root = photos(tmp_path / "mine", {"stripes": [1], "more": [1, 1]})
    with pytest.raises(UsageError) as told:
        classes(root)
    for words in ("mine/more and ", "mine/stripes are both 'zebra'", "one zebra", "--class-noun"):
        assert words in str(told.value)
    assert "\n" not in str(told.value)
    a, b = photo(tmp_path / "a.png", 1), photo(tmp_path / "b.png", 1)
    with pytest.raises(UsageError, match=r"a\.png and .*b\.png are both 'zebra'"):
        classes(a, b)
    with pytest.raises(UsageError, match=r"run and .*a\.png are both"):
        classes(finished_run(tmp_path / "run"), photo(tmp_path / "c" / "a.png", 1))


def test_a_person_may_say_what_the_classes_are(tmp_path):
    root = photos(tmp_path / "mine", {"stripes": [1], "more": [1, 1], "odd": [3]})
    other = next(v.name for v in GRAMMAR.axes[1].values if v.name not in ("zebra", "dog"))
    assert classes(root, said=["more=dog", f"odd={other}"]) == [
        ("more", "dog"), ("odd", other), ("stripes", "zebra"),
    ]  # fmt: skip
    image = photo(tmp_path / "a.png", 1)
    assert classes(image, said=["a=dog"]) == classes(image, said=["a.png=dog"]) == [("", "dog")]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (["more"], "type each class once"),
        (["=dog"], "type each class once"),
        (["stripes=dog", "stripes=zebra"], "type each class once"),
        (["none=dog"], "no input is called so; type one of stripes"),
        (["stripes=unicorn"], "has no such noun; grammar base has: "),
    ],
)
def test_what_a_person_says_is_checked(tmp_path, said, told):
    root = photos(tmp_path / "mine", {"stripes": [1]})
    with pytest.raises(UsageError, match=told):
        classes(root, said=said)


@pytest.mark.parametrize("name", ["dog", "Dogs"])
def test_photos_that_are_read_as_another_noun_than_their_folders_name_are_refused(tmp_path, name):
    root = photos(tmp_path / "mine", {name: [1, 1]})
    with pytest.raises(UsageError, match=f"type --class-noun {name}=dog, or --class-noun {name}=z"):
        classes(root)
    assert classes(root, said=[f"{name}=dog"]) == [(name, "dog")]


def test_photos_that_show_two_nouns_as_often_are_refused(tmp_path):
    root = photos(tmp_path / "mine", {"odd": [1, 2, 2, 1, 3]})
    with pytest.raises(UsageError, match=r"'zebra' and as 'dog' in 2 of 5 photos each"):
        classes(root)


def test_a_noun_that_few_photos_show_is_told(tmp_path):
    told = []
    root = photos(tmp_path / "mine", {"odd": [3, 3, 1], "fine": [2, 2, 3]})
    assert classes(root, warn=told.append) == [("fine", "dog"), ("odd", "zebra")]
    (taken,) = [line for line in told if " is taken as " in line]
    assert "odd is taken as 'zebra', which is read in 1 of 3 photos" in taken
    assert any("odd: Frequency, Noun not known" in line for line in told), "2 show nothing known"


def test_the_photos_that_are_looked_at_are_spread_over_all(tmp_path):
    root = photos(tmp_path / "mine", {"pets": []})
    for n in range(120):
        photo(root / "pets" / f"{n:03d}.png", 3 if n < 60 else 2)
    told = []
    assert classes(root, warn=told.append) == [("pets", "dog")]
    assert not any(" is taken as " in line for line in told), "half of those looked at are dogs"


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
    assert input_grammar(given, "paper", "pocket", "photo").name == "paper"
    assert input_grammar(given, None, "pocket", "photo").name == "pocket"
    assert input_grammar(given, None, None, "photo").name == "base"


def test_the_data_set_is_called_after_the_first_input(tmp_path):
    image = tmp_path / "My Zebra (1).png"
    Image.new("RGB", (8, 8)).save(image)
    assert sort_inputs([str(image)], io.StringIO()).name == "my-zebra-1"
