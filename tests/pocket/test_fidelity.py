"""The bars of the pocket models: photographs are told, and (slowly) every score is measured."""

import os
from pathlib import Path

import pytest

from rldf.grammar.grammar import load_grammar
from rldf.io.images import read_image
from rldf.perception.encoder import Encoder
from rldf.perception.reading import photograph_hint
from rldf.pocket.fidelity import _share, check, measured
from rldf.pocket.world.drawing import draw
from rldf.pocket.world.sampling import CHECK_SEEDS, sample_encoding
from rldf.seeding import rng

MATERIAL = os.environ.get("RLDF_TEST_MATERIAL")
BASE = load_grammar("base")


@pytest.mark.material
@pytest.mark.skipif(MATERIAL is None, reason="RLDF_TEST_MATERIAL names no folder")
def test_photographs_are_told_from_drawings(pocket):
    paths = [p for p in Path(MATERIAL, "photos").rglob("*") if p.suffix in (".jpg", ".png")]
    assert len(paths) >= 30
    encoder = Encoder(BASE, pocket)
    told = [bool(photograph_hint(pocket.file, encoder.encode(read_image(path)))) for path in paths]
    assert sum(told) / len(told) >= 27 / 30


def test_drawings_are_not_taken_for_photographs(pocket):
    encoder = Encoder(BASE, pocket)
    told = []
    for seed in range(CHECK_SEEDS + 600_000, CHECK_SEEDS + 600_100):
        drawing = draw(BASE.derive(sample_encoding(BASE, rng(seed, "sentence"))), seed)
        told += photograph_hint(pocket.file, encoder.encode(drawing.image))
    assert len(told) <= 2


@pytest.mark.slow
def test_every_sentence_of_base_is_drawn_and_read_back(pocket):
    """The bars of the 480-state world: 960 renders, 500 fresh drawings."""
    found = check(pocket, "base")
    bars = {
        "noun": 0.95, "scene": 0.97, "frequency": 0.85, "density": 0.85, "encoder_exact": 0.93,
        "map50": 0.95, "scene_accuracy": 0.99, "clip_sentence": 0.60, "clip_pair": 0.90,
    }  # fmt: skip
    missed = {name: found[name] for name, bar in bars.items() if found[name] < bar}
    assert missed == {}
    assert found["photograph_hints"] <= 0.02
    assert found["megabytes"] <= 60


@pytest.mark.parametrize(
    ("right", "told"),
    [
        ([], "-"),
        ([True] * 10, "not determined: 1 (95 % 0.7225 to 1)"),
        ([True] * 490 + [False] * 10, "0.98 (95 % 0.9636 to 0.9891)"),
    ],
)
def test_a_share_is_told_with_what_it_rests_on(right, told):
    figure = _share(right)
    found = {"noun": figure.value, "map50": 0.9, "figures": {"noun": figure.document()}}
    assert measured(found) == [("noun", told), ("map50", "0.9")]
    assert measured({"noun": 0.5}) == [("noun", "0.5")]  # of an earlier version
