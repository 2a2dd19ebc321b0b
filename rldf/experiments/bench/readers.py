"""Wraps the models that read images, so that each reads the same image only once."""

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
    """Models that read images, with a cache of their results, as many searches share images.

    The cache keys are the ids of the image objects. The images are kept, so that no id is reused.
    """

    def __init__(self, readers: VisionModels) -> None:
        """Wrap the models of `readers`; the cache is empty at first."""
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
        """Return the detections in each image."""
        return self._once("detect", images, self._readers.detector.detect)

    def classify(self, images: Sequence[Image]) -> list[dict[str, float]]:
        """Return the probability of every scene, for each image."""
        return self._once("classify", images, self._readers.scene.classify)

    def embed_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Return the CLIP embedding of each image.

        Returns:
            (n, d), rows of length 1.
        """
        return np.stack(self._once("embed", images, self._readers.clip.embed_images))

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts; these are not cached.

        Returns:
            (n, d), rows of length 1.
        """
        return self._readers.clip.embed_texts(texts)

    @property
    def labels(self) -> Sequence[str] | None:
        """The labels that the detector knows, None if it does not list them."""
        detector = self._readers.detector
        return detector.labels if isinstance(detector, SaysLabels) else None

    @property
    def most(self) -> int | None:
        """The largest number of detections in an image, None if the detector does not state it."""
        detector = self._readers.detector
        return detector.most if isinstance(detector, SaysLabels) else None

    @property
    def scenes(self) -> Sequence[str] | None:
        """The scenes that the scene classifier knows, None if it does not list them."""
        scene = self._readers.scene
        return scene.scenes if isinstance(scene, SaysScenes) else None

    @property
    def detector(self) -> Detector:
        """The detector: this object."""
        return self

    @property
    def scene(self) -> SceneClassifier:
        """The scene classifier: this object."""
        return self

    @property
    def clip(self) -> ImageTextModel:
        """The CLIP model: this object."""
        return self

    @property
    def photographs(self) -> PhotographReader | None:
        """The reader of photographs, without a cache: it reads each input image once."""
        return self._readers.photographs
