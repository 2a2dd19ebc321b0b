"""The same plan gives the same images: with any number of processes, any batch, any format.

Processes started by torchrun, on one node and on two, are in test_kills.
"""

import io
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from rldf.dataset.config import imagenet_config
from rldf.dataset.reader import open_clone
from rldf.dataset.sharding import ShardSlice
from rldf.models.model_sets import load_model_set
from tests.dataset.clones import DRAWN, begin, draw, plan_config, renderer

LEVEL = 1 / 255  # of full scale


def draw_in_parts(root, generator, config, batch_size, parts, **write):
    """Draw a clone by several commands of `--shard i/N`, the last first."""
    folder = begin(root, config, **write)
    for number in reversed(range(parts)):
        draw(folder, renderer(generator, batch_size=batch_size), part=ShardSlice(number, parts))
    return folder


def files(folder):
    read = open_clone(folder.root)
    return {name: data for split in read.splits for name, data, _ in read.images(split)}


def words(folder):
    """Give all that is known of every image but its file's sum."""
    rows = [asdict(row) for _, rows in folder.all_rows() for row in rows]
    return [{k: v for k, v in row.items() if k not in ("sha256", "bytes")} for row in rows]


@pytest.fixture(scope="module")
def drawn():
    return load_model_set(DRAWN, "cpu").generator


@pytest.fixture(scope="module")
def usual(tmp_path_factory, drawn):
    root = tmp_path_factory.mktemp("usual") / "a"
    return draw_in_parts(root, drawn, plan_config(), batch_size=8, parts=1)


@pytest.mark.parametrize(
    ("kind", "batch_size", "parts"),
    [("imagefolder", 1, 1), ("imagefolder", 8, 2), ("webdataset", 1, 2), ("parquet", 3, 3)],
)
def test_drawings_are_the_same_to_the_byte(tmp_path, drawn, usual, kind, batch_size, parts):
    other = draw_in_parts(tmp_path / "a", drawn, plan_config(), batch_size, parts, format=kind)
    assert len(files(usual)) == 45
    assert files(other) == files(usual)
    assert words(other) == words(usual)


@pytest.fixture(scope="module")
def pocket_usual(tmp_path_factory, pocket):
    config = pocket_config(pocket)
    root = tmp_path_factory.mktemp("pocket") / "a"
    return draw_in_parts(root, pocket.generator, config, batch_size=8, parts=1, shard_size=8)


def pocket_config(pocket):
    return imagenet_config(
        pocket, classes="2", splits={"train": 4, "val": 1}, seed=3, image_format="png"
    )


@pytest.mark.parametrize(
    ("kind", "batch_size", "parts"), [("imagefolder", 1, 1), ("webdataset", 3, 2)]
)
def test_pocket_images_differ_by_rounding_alone(
    tmp_path, pocket, pocket_usual, kind, batch_size, parts
):
    """PNG, so that the pixels are those of the models; 8 bits, so one level may flip."""
    other = draw_in_parts(
        tmp_path / "a", pocket.generator, pocket_config(pocket), batch_size, parts,
        shard_size=8, format=kind,
    )  # fmt: skip
    assert words(other) == words(pocket_usual)
    here, there = files(other), files(pocket_usual)
    assert len(there) == 10
    assert here.keys() == there.keys()
    for name, data in there.items():
        a, b = (np.asarray(Image.open(io.BytesIO(d)), float) / 255 for d in (data, here[name]))
        assert np.ptp(a) > 0.3, "it shows something"
        assert np.abs(a - b).mean() <= 1e-3
        assert np.abs(a - b).max() <= 1.001 * LEVEL
