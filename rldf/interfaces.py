"""The interfaces of image generators, vision models and rewards.

Each is a Protocol with a few methods; `rldf.registry` finds the classes that
implement it by name. Images are PIL images in RGB everywhere.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

Keep = Callable[[int, Image], object]
"""Called with the index of a sentence in the list and the image generated from it."""

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]


@dataclass(frozen=True, slots=True)
class Detection:
    """One object that a detector found.

    Attributes:
        label: the detector's name for the object's class.
        confidence: how sure the detector is, 0 to 1.
        box: left, top, right and lower edge, in pixels of the image.
    """

    label: str
    confidence: float
    box: tuple[float, float, float, float]

    @property
    def area(self) -> float:
        """Area of the box, px²."""
        left, top, right, lower = self.box
        return max(0.0, right - left) * max(0.0, lower - top)


class ImageGenerator(Protocol):
    """Generates images of sentences.

    The image depends on the sentence, the seed and the identity alone, not on the batch. A
    generator inherits from this class, which defines `cut` for it. Its constructor takes `path`,
    `device`, `weights` (the checksum of its files, which is part of the identity) and the
    generator's options.
    """

    @property
    @abstractmethod
    def identity(self) -> Mapping[str, Json]:
        """Everything apart from the sentence and the seed on which the pixels depend.

        `"seeded": False` means that the generator ignores the seed, so that no image can be
        generated a second time.
        """

    @abstractmethod
    def generate(self, sentences: Sequence[str], seeds: Sequence[int]) -> list[Image]:
        """Generate one image for each pair of a sentence and a seed.

        Args:
            sentences: (n,) prompts.
            seeds: (n,) image seeds, in `[0, 2**63)`.

        Returns:
            (n,) RGB images of the generator's size, in the order of the sentences. The image of a
            sentence and a seed does not depend on the other sentences of the call.
        """

    def cut(self, sentence: str) -> str:
        """Cut a sentence after the last word that the model reads; by default nothing is cut.

        Args:
            sentence: a prompt of any length.

        Returns:
            The beginning of the sentence, or all of it; the generator makes the same image of both.
        """
        return sentence


@runtime_checkable
class StreamsImages(Protocol):
    """A generator that can hand over each image before the whole batch is done; optional."""

    def stream(self, sentences: Sequence[str], seeds: Sequence[int], keep: Keep) -> None:
        """Generate images and hand over each one as soon as it is finished.

        Args:
            sentences: (n,) prompts.
            seeds: (n,) image seeds.
            keep: called with each index and its image, in any order; called a second time for
                an image if the first call was interrupted.
        """


class Detector(Protocol):
    """Finds objects in images."""

    def detect(self, images: Sequence[Image]) -> list[list[Detection]]:
        """Find the objects in images.

        Args:
            images: (n,) RGB images of any size.

        Returns:
            (n,) lists of objects, the most confident first; empty where nothing is found.
        """


class SceneClassifier(Protocol):
    """Classifies the place that an image shows."""

    def classify(self, images: Sequence[Image]) -> list[dict[str, float]]:
        """Classify the places that images show.

        Args:
            images: (n,) RGB images of any size.

        Returns:
            (n,) for each image, the probability of every scene label; the probabilities sum to 1.
        """


@runtime_checkable
class SaysLabels(Protocol):
    """A detector that lists its labels; optional, but every detector of rldf does."""

    @property
    def labels(self) -> Sequence[str] | None:
        """All labels that the detector can return, None if they are not known."""

    @property
    def most(self) -> int | None:
        """The most objects that it returns for one image, None if that is not known."""


@runtime_checkable
class SaysScenes(Protocol):
    """A scene classifier that lists its scenes; optional, but every one of rldf does."""

    @property
    def scenes(self) -> Sequence[str] | None:
        """All scene labels that the classifier can return, None if they are not known."""


class ImageTextModel(Protocol):
    """Embeds images and texts in one space, as CLIP does."""

    def embed_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Embed images.

        Args:
            images: n RGB images of any size.

        Returns:
            (n, d) float32, rows of Euclidean length 1: the dot product of two rows is their cosine.
        """

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts in the space of the images.

        Args:
            texts: n texts; a text longer than the model can read is cut at its end.

        Returns:
            (n, d) float32, rows of Euclidean length 1.
        """


class PhotographReader(Protocol):
    """Decides whether images are photographs, and classifies the photographs."""

    def are_photographs(self, images: Sequence[Image]) -> list[bool]:
        """Return for each RGB image whether it is a photograph."""

    def classify(self, images: Sequence[Image]) -> list[dict[str, float]]:
        """Return the probability of each ImageNet class for each RGB image.

        The keys are the WordNet numbers of the 1000 classes of ILSVRC 2012, such as "n02391049";
        the probabilities of an image sum to 1.
        """


class Reward(Protocol):
    """Scores images by their similarity to the input image of a search."""

    def __call__(self, images: Sequence[Image]) -> NDArray[np.float64]:
        """Score images; the score of an image does not depend on the others.

        Args:
            images: n RGB images.

        Returns:
            (n,) float64, finite; higher means more similar to the input image.
        """


class VisionModels(Protocol):
    """The vision models of a run; each is loaded when it is first used."""

    @property
    def detector(self) -> Detector:
        """The object detector."""

    @property
    def scene(self) -> SceneClassifier:
        """The scene classifier."""

    @property
    def clip(self) -> ImageTextModel:
        """The CLIP model, which compares images with images and texts."""

    @property
    def photographs(self) -> PhotographReader | None:
        """The model that reads photographs; None if detector and scene classifier read them too."""
