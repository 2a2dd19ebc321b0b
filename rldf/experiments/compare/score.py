"""Scores that are the same for every method: CLIP similarity, and axes that read the same."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from PIL.Image import Image

from rldf import seeding as seeds
from rldf.experiments.compare.documents import Semantics
from rldf.interfaces import ImageGenerator, VisionModels
from rldf.perception.encoder import Encoder
from rldf.perception.reading import ImageReading

EVALUATIONS = 4
"""Pictures of its final sentence that a method's mean is taken over."""

_BATCH = 8


@dataclass(frozen=True, slots=True)
class Prompt:
    """One image to generate."""

    sentence: str
    seed: int  # the image seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The best of a method's images."""

    prompt: Prompt  # its sentence and seed
    image: Image  # RGB
    likeness: float  # cosine of its CLIP embedding and the input's
    renders: int  # number of images it is the best of


def evaluation_seeds(image_seed: int) -> tuple[int, ...]:
    """Give the image seeds of the means; no method draws its renders with them."""
    return tuple(seeds.derive(image_seed, "compare", k) for k in range(EVALUATIONS))


def drawn(generator: ImageGenerator, prompts: Iterable[Prompt]) -> Iterator[tuple[Prompt, Image]]:
    """Generate images in batches; yields each prompt with its image."""
    rest = iter(prompts)
    while batch := list(islice(rest, _BATCH)):
        images = generator.generate([p.sentence for p in batch], [p.seed for p in batch])
        yield from zip(batch, images, strict=True)


class Judge:
    """Compares images with one input image."""

    def __init__(
        self, image: Image, reading: ImageReading, encoder: Encoder, readers: VisionModels
    ) -> None:
        """Look at the input image."""
        self.vector = readers.clip.embed_images([image])[0]
        self._reading, self._encoder, self._clip = reading, encoder, readers.clip

    def likeness(self, images: Sequence[Image]) -> list[float]:
        """Compute CLIP cosines of images and the input.

        Returns:
            (n,) cosines.
        """
        vectors = self._clip.embed_images(images).astype(np.float64)
        scores: list[float] = (vectors @ self.vector.astype(np.float64)).tolist()
        return scores

    def best(self, pictures: Iterable[tuple[Prompt, Image]]) -> Best:
        """Find the image most like the input; of equals the first."""
        best: Best | None = None
        count, rest = 0, iter(pictures)
        while batch := list(islice(rest, _BATCH)):
            count += len(batch)
            scores = self.likeness([image for _, image in batch])
            for (prompt, image), score in zip(batch, scores, strict=True):
                if best is None or score > best.likeness:
                    best = Best(prompt=prompt, image=image, likeness=score, renders=count)
        assert best is not None, "a method draws at least one picture"
        return Best(prompt=best.prompt, image=best.image, likeness=best.likeness, renders=count)

    def mean(self, generator: ImageGenerator, sentence: str, image_seeds: Sequence[int]) -> float:
        """Generate a sentence with several seeds, and average the CLIP cosine."""
        images = [
            image for _, image in drawn(generator, [Prompt(sentence, s) for s in image_seeds])
        ]
        return float(np.mean(self.likeness(images)))

    def semantics(self, image: Image) -> Semantics:
        """Encode an image and compare it with the input, axis by axis."""
        there = self._words(self._reading)
        here = self._words(self._encoder.encode_drawn(image))
        same = {symbol: here.get(symbol) == value for symbol, value in there.items()}
        return {
            "axes": sum(same.values()) / len(same) if same else None,
            "noun": self._one(same, "object"),
            "scene": self._one(same, "scene"),
        }

    def _words(self, reading: ImageReading) -> dict[str, str]:
        """Name the values of the axes that could be read."""
        words = self._encoder.grammar.decode(reading.nearest)
        return {symbol: words[symbol] for symbol in reading.confidence}

    def _one(self, same: dict[str, bool], reads: Any) -> bool | None:
        axis = self._encoder.grammar.reading(reads)
        return None if axis is None else same.get(axis.symbol)
