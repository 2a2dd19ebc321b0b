"""Readers that look at every image once."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from rldf.interfaces import (
    Detection,
    Detector,
    ImageTextModel,
    PhotographReader,
    SaysLabels,
    SaysScenes,
    SceneClassifier,
    VisionModels,
)


class RememberingReaders:
    """Readers that keep what they saw, since many searches look at the same images.

    Images are told apart by identity, and kept, so that no identity is given out twice.
    """

    def __init__(self, readers: VisionModels) -> None:
        """Wrap readers."""
        self._readers = readers
        self._known: dict[tuple[str, int], Any] = {}
        self._kept: list[Image] = []

    def _once(
        self, what: str, images: Sequence[Image], look: Callable[[Sequence[Image]], Any]
    ) -> list[Any]:
        new = [image for image in images if (what, id(image)) not in self._known]
        for image, seen in zip(new, look(new) if new else [], strict=True):
            self._known[what, id(image)] = seen
            self._kept.append(image)
        return [self._known[what, id(image)] for image in images]

    def detect(self, images: Sequence[Image]) -> list[list[Detection]]:
        """List what is in each image."""
        return self._once("detect", images, self._readers.detector.detect)

    def classify(self, images: Sequence[Image]) -> list[dict[str, float]]:
        """Return the probability of every scene."""
        return self._once("classify", images, self._readers.scene.classify)

    def embed_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Embed images.

        Returns:
            (n, d), rows of length 1.
        """
        return np.stack(self._once("embed", images, self._readers.clip.embed_images))

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts, anew each time.

        Returns:
            (n, d), rows of length 1.
        """
        return self._readers.clip.embed_texts(texts)

    @property
    def labels(self) -> Sequence[str] | None:
        """All that the detector tells apart, None where it does not say."""
        detector = self._readers.detector
        return detector.labels if isinstance(detector, SaysLabels) else None

    @property
    def most(self) -> int | None:
        """How many things the detector sees in an image, None where it does not say."""
        detector = self._readers.detector
        return detector.most if isinstance(detector, SaysLabels) else None

    @property
    def scenes(self) -> Sequence[str] | None:
        """All that the scene classifier tells apart, None where it does not say."""
        scene = self._readers.scene
        return scene.scenes if isinstance(scene, SaysScenes) else None

    @property
    def detector(self) -> Detector:
        """What finds things."""
        return self

    @property
    def scene(self) -> SceneClassifier:
        """What tells the place."""
        return self

    @property
    def clip(self) -> ImageTextModel:
        """What compares images with images and texts."""
        return self

    @property
    def photographs(self) -> PhotographReader | None:
        """What reads photographs; the input images alone are asked about, each once."""
        return self._readers.photographs
