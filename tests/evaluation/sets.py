"""Small image sets and a small extractor for the tests of the evaluation."""

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from rldf.evaluation.features import Features
from rldf.interfaces import Json
from tests.dataset.clones import begin

COLOURS = {"n01": (200, 40, 40), "n02": (40, 200, 40), "n03": (40, 40, 200)}


class Thumbnail:
    """An extractor that needs no weights: the pixels of a small copy."""

    def __init__(self, side: int = 3) -> None:
        self.name = "thumbnail"
        self.identity: Json = ["thumbnail", side]
        self.looked_at = 0
        self._side = side

    def __call__(self, images: Sequence[Image.Image]) -> Features:
        self.looked_at += len(images)
        small = [image.resize((self._side, self._side), Image.Resampling.BOX) for image in images]
        return np.stack([np.asarray(image, np.float32).ravel() / 64 for image in small])


def noisy(colour: Sequence[float], seed: int, side: int = 32) -> Image.Image:
    """Draw noise around a colour."""
    pixels = np.random.default_rng(seed).normal(colour, 30, (side, side, 3))
    return Image.fromarray(np.uint8(np.clip(pixels, 0, 255)))


def write_set(
    root: Path,
    counts: Mapping[str, int],
    classes: Sequence[str] = tuple(COLOURS),
    seed: int = 0,
    suffix: str = "png",
    side: int = 32,
) -> Path:
    """Write `counts` images of each class and split; the split "" has no folder."""
    for split, n in counts.items():
        for number, key in enumerate(classes):
            folder = root / split / key
            folder.mkdir(parents=True, exist_ok=True)
            for k in range(n):
                image = noisy(COLOURS[key], hash_of(seed, split, number, k), side)
                image.save(folder / f"{key}_{k:04d}.{suffix}")
    return root


def hash_of(*parts: object) -> int:
    """Give a seed for what is named; the built-in hash differs from process to process."""
    return int.from_bytes(hashlib.sha256(json.dumps(parts).encode()).digest()[:8], "big")


@cache
def _record() -> dict:
    """A valid clone.json, written by the program itself."""
    with tempfile.TemporaryDirectory() as folder:
        begin(Path(folder) / "clone")
        return json.loads((Path(folder) / "clone" / "clone.json").read_text())


def make_clone(root: Path, classes: Sequence[str] = tuple(COLOURS), model: str = "pocket") -> None:
    """Mark a folder as a finished clone."""
    record = json.loads(json.dumps(_record()))
    plan = record["plan"]
    noun = plan["classes"][0]["noun"]
    plan["classes"] = [
        {**plan["classes"][0], "key": key, "name": f"name of {key}", "noun": noun}
        for key in sorted(classes)
    ]
    plan["models"] = {"name": model, "generator": {"class": "diffusion"}}
    root.mkdir(parents=True, exist_ok=True)
    (root / "clone.json").write_text(json.dumps(record))
    (root / ".rldf").mkdir(exist_ok=True)
    (root / ".rldf" / "finished.json").write_text('{"counts": {}, "files": {}}')
