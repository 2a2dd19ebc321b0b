"""The card and its machine-readable twin, and the contact sheets."""

import json
from dataclasses import replace

import pytest
import yaml
from PIL import Image

from rldf.dataset.build import calibrate
from rldf.dataset.card import card, croissant
from rldf.dataset.manifest import count_images
from rldf.dataset.plan import make_plan
from tests.dataset.clones import Speckled, clone, plan_config, renderer

FORMATS = ("imagefolder", "webdataset", "parquet")


@pytest.fixture(scope="module", params=FORMATS)
def folder(request, tmp_path_factory):
    return clone(tmp_path_factory.mktemp("a") / "my clone", format=request.param)


def front(text):
    assert text.startswith("---\n")
    return yaml.safe_load(text.split("---\n")[1])


def test_the_card_has_what_the_hub_reads(folder):
    told = front((folder.root / "README.md").read_text("utf-8"))
    assert told["license"] == "cc0-1.0"
    assert told["task_categories"] == ["image-classification"]
    assert told["size_categories"] == ["n<1K"]
    assert told["tags"] == ["synthetic", folder.record.write.format]
    assert told["pretty_name"] == "my clone"
    files = told["configs"][0]["data_files"]
    assert [part["split"] for part in files] == ["train", "validation", "test"]
    for part in files:
        assert list(folder.root.glob(part["path"]))


@pytest.mark.parametrize(
    ("license", "told"),
    [
        ("AGPL-3.0-or-later", {"license": "agpl-3.0"}),
        ("CreativeML-OpenRAIL-M", {"license": "creativeml-openrail-m"}),
        ("", {"license": "unknown"}),
        ("my: [own]", {"license": "other", "license_name": "my: [own]"}),
    ],
)
def test_the_licence_is_the_model_sets(folder, license, told):
    write = folder.record.write.model_copy(update={"license": license})
    other = replace(folder, record=folder.record.model_copy(update={"write": write}))
    assert front(card(other, count_images([]))).items() >= told.items()


def test_strangers_words_are_no_markup(folder):
    labels = tuple(
        replace(label, name=f'<b>{n}|"x"</b>\n---', definition="[a](http://b) `c` | \x1b[31m")
        for n, label in enumerate(folder.record.classes)
    )
    plan = folder.record.plan.model_copy(update={"classes": labels})
    other = replace(folder, record=folder.record.model_copy(update={"plan": plan}))
    text = card(other, count_images([]))
    front(text)
    table = [line for line in text.splitlines() if line.startswith("| 0 |")]
    assert len(table) == 1
    assert "<b>" not in text
    assert "\x1b" not in text
    assert "[a](" not in text.replace("\\[a](", "")
    assert table[0].replace("\\|", "").count("|") == 6


def test_the_card_counts_what_happened(tmp_path):
    def filter(images, planned):
        return ["flagged" * (what.index == 4) for what in planned]

    made = clone(tmp_path / "a", renderer(filter=filter))
    text = (made.root / "README.md").read_text("utf-8")
    assert "44 synthetic images of 3 classes (29 train, 9 val, 6 test)" in text
    assert "| left out | 1 |" in text
    assert "| drawn anew | 3 |" in text
    assert "| turned down | 4 flagged |" in text


def test_the_tally_gives_yields_by_class(tmp_path):
    def filter(images, planned):
        return ["unseen" * (what.label == 1) for what in planned]

    made = clone(tmp_path / "a", renderer(filter=filter), verify_labels="detector")
    counts = count_images(rows for _, rows in made.all_rows())
    keys = [label.key for label in made.record.classes]
    assert [counts.yield_of(key) for key in keys] == [1.0, 0.0, 1.0]
    assert (counts.unseen, counts.redrawn, counts.left_out) == (15, 45, 0)
    assert counts.document()["troubled_classes"] == {
        keys[1]: {
            "attempts": 60,
            "good": 0,
            "images": 15,
            "left_out": 0,
            "unseen": 60,
            "yield": 0.0,
        }
    }
    text = (made.root / "README.md").read_text("utf-8")
    assert "a detector model did not see the class" in text
    assert "15 were kept all the same" in text
    told = [line.split(" | ")[3] for line in text.splitlines() if line.startswith("| 1 |")]
    assert told == ["0 %"]


def test_croissant_says_what_made_it_and_where_it_lies(folder):
    told = json.loads((folder.root / "croissant.json").read_text("utf-8"))
    assert told["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    activity = told["prov:wasGeneratedBy"]
    assert "drawn" in activity["prov:label"]
    assert activity["digitalSourceType"].endswith("/algorithmicMedia")
    for files in told["distribution"]:
        assert list(folder.root.glob(files["includes"]))
    classes = told["recordSet"][0]
    assert len(classes["data"]) == 3
    assert told == croissant(folder, count_images(rows for _, rows in folder.all_rows()))


# mlcroissant uses a class of rdflib that is about to go
@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
def test_croissant_is_valid_by_its_own_library(folder):
    import mlcroissant

    mlcroissant.Dataset(jsonld=folder.root / "croissant.json")


def test_every_class_has_a_contact_sheet(folder):
    for label in folder.record.classes:
        with Image.open(folder.root / "sheets" / f"{label.key}.jpg") as sheet:
            assert sheet.size == (4 * 132 + 4, 2 * 132 + 4)


def test_an_estimate_is_of_batches_after_the_first():
    plan = make_plan(plan_config(splits={"train": 400}))
    now = iter([0.0, 100.0, 100.0, 103.0, 103.0, 106.0, 106.0, 107.0])
    who = renderer(Speckled(), batch_size=10)
    told = calibrate(plan, who, "algorithmicMedia", lambda: next(now))
    assert who.generator.n_drawn == 30
    assert told.seconds_per_image == 0.3
    assert told.hours == 0.1
    assert (told.images, told.classes, told.splits) == (1200, 3, {"train": 1200})
    assert 1200 * 700 < told.bytes < 1200 * 3000
    drawn = [seed for batch in who.generator.asked for _, seed in batch]
    assert len(set(drawn)) == 30


def test_a_tiny_plan_can_be_estimated():
    plan = make_plan(plan_config(splits={"train": 1}))
    now = iter([0.0, 3.0])
    told = calibrate(plan, renderer(batch_size=8), "algorithmicMedia", lambda: next(now))
    assert (told.images, told.seconds_per_image) == (3, 1.0)


@pytest.mark.parametrize(
    ("generator", "told"),
    [
        ({"weights": "0123456789abcdef"}, "x@0123456789ab"),
        ({"weights": None, "options": {}}, "x"),
        (None, "x"),
    ],
)  # fmt: skip
def test_metadata_name_the_models_and_their_revision(folder, generator, told):
    models = {"name": "x", "generator": generator}
    plan = folder.record.plan.model_copy(update={"models": models})
    other = replace(folder, record=folder.record.model_copy(update={"plan": plan}))
    assert other.extra_metadata == {"models": told}


@pytest.mark.parametrize(("split", "label"), [("val", 1), ("test", 0), ("train", 2)])
def test_the_cards_line_loads_a_split_that_lost_a_class(tmp_path, monkeypatch, split, label):
    """Class numbers are those of the clone in every split, and the card names what is not there."""
    import datasets
    import torchvision

    def filter(images, planned):
        return ["flagged" * ((what.split, what.label) == (split, label)) for what in planned]

    made = clone(tmp_path / "a", renderer(filter=filter))
    text = (made.root / "README.md").read_text("utf-8")
    lost = made.record.classes[label]
    assert f"No image in `{split}`, since all were turned down: {lost.key} ({lost.name})." in text
    code = next(line for line in text.splitlines() if "ImageFolder(" in line)
    assert code.startswith('torchvision.datasets.ImageFolder("train"')
    monkeypatch.chdir(made.root)
    for name in ("train", "val", "test"):
        loaded = eval(code.replace('"train"', f'"{name}"'), {"torchvision": torchvision})
        assert loaded.classes == [known.key for known in made.record.classes]
        assert set(loaded.targets) == {0, 1, 2} - ({label} if name == split else set())
    by_hub = datasets.load_dataset("imagefolder", data_dir=".")
    for part in by_hub.values():
        assert part.features["label"].names == [known.key for known in made.record.classes]


def test_the_tally_names_classes_without_images_by_split(tmp_path):
    def filter(images, planned):
        return ["black" * (what.label == 1 and what.split != "train") for what in planned]

    made = clone(tmp_path / "a", renderer(filter=filter))
    key = made.record.classes[1].key
    counts = count_images(rows for _, rows in made.all_rows())
    assert counts.document()["empty_classes"] == {"test": [key], "val": [key]}
    assert count_images([]).document()["empty_classes"] == {}
