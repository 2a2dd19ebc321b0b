"""Test doubles that implement the real ports over plain data."""

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rldf.interfaces import Detection, ImageGenerator


def picture(tag: int) -> Image.Image:
    """Make a tiny image that carries a number: its colour."""
    return Image.new("RGB", (100, 100), (tag % 256, tag // 256, 7))


def tag_of(image: Image.Image) -> int:
    """Read the number of an image back."""
    r, g, _ = image.getpixel((0, 0))
    return r + 256 * g


def thing(label: str, confidence: float = 0.9, side: float = 20.0, x: float = 0.0) -> Detection:
    """Make a detection with a square box."""
    return Detection(label=label, confidence=confidence, box=(x, 0.0, x + side, side))


class Scripted:
    """Readers that answer by the image's number; text and image vectors are given."""

    def __init__(
        self,
        things: dict[int, list[Detection]],
        scenes: dict[int, dict[str, float]],
        images: dict[int, Sequence[float]] | None = None,
        texts: dict[str, Sequence[float]] | None = None,
    ) -> None:
        self._things, self._scenes = things, scenes
        self._images, self._texts = images or {}, texts or {}
        self.looks = 0

    def detect(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        self.looks += len(images)
        return [self._things.get(tag_of(image), []) for image in images]

    def classify(self, images: Sequence[Image.Image]) -> list[dict[str, float]]:
        return [self._scenes.get(tag_of(image), {"park": 1.0}) for image in images]

    def embed_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        return _unit([self._images.get(tag_of(image), (1.0, 0.0)) for image in images])

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return _unit([self._texts.get(text, (1.0, 0.0)) for text in texts])

    @property
    def detector(self) -> "Scripted":
        return self

    @property
    def scene(self) -> "Scripted":
        return self

    @property
    def clip(self) -> "Scripted":
        return self

    @property
    def photographs(self) -> None:
        return None


class CountingGenerator(ImageGenerator):
    """Draws a picture whose number is the seed, and remembers what it was asked for."""

    identity = None

    def __init__(self) -> None:
        self.identity = {"generator": "counting", "version": 1}
        self.asked: list[tuple[str, int]] = []

    def generate(self, sentences: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        self.asked += list(zip(sentences, seeds, strict=True))
        return [picture(seed) for seed in seeds]


class PaintedGenerator(CountingGenerator):
    """Draws another picture for every sentence and seed: a checksum of the two."""

    def generate(self, sentences: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        pairs = list(zip(sentences, seeds, strict=True))
        self.asked += pairs
        sums = [zlib.crc32(f"{seed} {sentence}".encode()) for sentence, seed in pairs]
        return [Image.new("RGB", (100, 100), tuple(n.to_bytes(4, "big")[1:])) for n in sums]


def _unit(rows: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    vectors = np.array(rows, np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
