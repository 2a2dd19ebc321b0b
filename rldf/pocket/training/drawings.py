"""The training set: drawings of the world in shards on disk, made once and resumable.

    <folder>/<grammar>-<shard>.npy    uint8 (SHARD, 128, 128, 3)
    <folder>/<grammar>-<shard>.json   one record a drawing: sentence, scene, boxes

Training draws use seeds below CHECK_SEEDS, checks the seeds from there on.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rldf.grammar.grammar import load_grammar
from rldf.pocket.world.drawing import PICTURE, Drawing, draw
from rldf.pocket.world.sampling import CHECK_SEEDS, sample_encoding
from rldf.seeding import rng as seeded

SHARD = 1000
_grammar = cache(load_grammar)

_FIRST_SEED = {"base": 0, "pocket": 500_000_000}


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one training drawing.

    Attributes:
        sentence: what was drawn.
        scene: the scene's label.
        boxes: label and left, top, right, lower edge (px) of every thing.
    """

    sentence: str
    scene: str
    boxes: list[tuple[str, tuple[float, float, float, float]]]


def draw_sample(grammar_name: str, seed: int) -> tuple[str, Drawing]:
    """Draw one random picture.

    Args:
        grammar_name: "base" or "pocket".
        seed: decides the sentence and the picture.

    Returns:
        The sentence and its drawing.
    """
    grammar = _grammar(grammar_name)
    sentence = grammar.derive(sample_encoding(grammar, seeded(seed, "sentence")))
    return sentence, draw(sentence, seed)


def make_shard(folder: Path, grammar_name: str, shard: int) -> None:
    """Draw one shard unless it is there.

    Args:
        folder: where shards lie.
        grammar_name: "base" or "pocket".
        shard: its number, 0 or more.
    """
    target = folder / f"{grammar_name}-{shard:04d}.json"
    if target.exists():
        return
    first = _FIRST_SEED[grammar_name] + shard * SHARD
    assert first + SHARD <= CHECK_SEEDS, "training seeds must stay below the check seeds"
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.empty((SHARD, PICTURE, PICTURE, 3), np.uint8)
    records = []
    for k in range(SHARD):
        sentence, drawing = draw_sample(grammar_name, first + k)
        pixels[k] = np.asarray(drawing.image)
        boxes = [(box.label, box.xyxy) for box in drawing.boxes]
        records.append({"sentence": sentence, "scene": drawing.scene, "boxes": boxes})
    np.save(target.with_suffix(".npy"), pixels)
    part = target.with_suffix(".part")
    part.write_text(json.dumps(records), encoding="utf-8")
    part.replace(target)


def load_shards(
    folder: Path, grammar_name: str, n: int, first: int = 0
) -> Iterator[tuple[NDArray[np.uint8], list[Record]]]:
    """Read shards in order, drawing those that are missing.

    Args:
        folder: where shards lie.
        grammar_name: "base" or "pocket".
        n: how many drawings are wanted; rounded up to whole shards.
        first: number of the first shard.

    Yields:
        Pixels (SHARD, 128, 128, 3), memory-mapped, and their records.
    """
    for shard in range(first, first - (-n // SHARD)):
        make_shard(folder, grammar_name, shard)
        path = folder / f"{grammar_name}-{shard:04d}.json"
        rows = json.loads(path.read_text(encoding="utf-8"))
        yield np.load(path.with_suffix(".npy"), mmap_mode="r"), [Record(**row) for row in rows]


if __name__ == "__main__":
    for number in range(int(sys.argv[3]), int(sys.argv[4])):
        make_shard(Path(sys.argv[1]), sys.argv[2], number)
