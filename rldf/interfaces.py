"""The interfaces of image generators, vision models and rewards.

Each is a Protocol of a few methods over plain records; `rldf.registry` finds the classes that
implement them by name. Images are PIL images in RGB everywhere.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

Keep = Callable[[int, Image], object]
"""Takes an image that is there: its place in the list of sentences, and the image."""

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]


@dataclass(frozen=True, slots=True)
class Detection:
    """One object that a detector found.

    Attributes:
        label: the detector's name for it.
        confidence: 0 to 1.
        box: left, top, right and lower edge, px of the image.
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
    """Draws sentences: the same image for the same sentence, seed and identity, in any batch.

    A class that draws subclasses this port, so that it has the methods that it does not need to
    define itself. Its constructor takes `path`, `device` and `weights` (the checksum of its files,
    which belongs into the identity) beside options of its own.
    """

    @property
    @abstractmethod
    def identity(self) -> Mapping[str, Json]:
        """Everything that decides the pixels apart from the sentence and the seed.

        `"seeded": False` says that the seed decides nothing: no image can be drawn a second time.
        """

    @abstractmethod
    def generate(self, sentences: Sequence[str], seeds: Sequence[int]) -> list[Image]:
        """Draw one image for each sentence and seed.

        Args:
            sentences: (n,) prompts.
            seeds: (n,) image seeds, in `[0, 2**63)`.

        Returns:
            (n,) RGB images of the generator's size, in the order of the sentences; the same for the
            same sentence and seed whatever else is drawn with them.
        """

    def cut(self, sentence: str) -> str:
        """Cut a sentence to the words that the model reads; by default nothing is cut.

        Args:
            sentence: a prompt of any length.

        Returns:
            A sentence of which the same image is drawn: its beginning, or all of it.
        """
        return sentence


@runtime_checkable
class StreamsImages(Protocol):
    """A generator whose images come one by one; others need not."""

    def stream(self, sentences: Sequence[str], seeds: Sequence[int], keep: Keep) -> None:
        """Draw sentences and hand over each image as soon as it is there.

        Args:
            sentences: prompts.
            seeds: one for each.
            keep: is called with each place and its image, in any order; a second time for an image
                if the first call was interrupted.
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
            (n,) the probability of every scene label, each 0 to 1, which sum to 1.
        """


@runtime_checkable
class SaysLabels(Protocol):
    """A detector that lists its labels, as all of rldf's do; others need not."""

    @property
    def labels(self) -> Sequence[str] | None:
        """All labels that it can give, None where that is not known."""

    @property
    def most(self) -> int | None:
        """The largest number of objects in one image, None where that is not known."""


@runtime_checkable
class SaysScenes(Protocol):
    """A scene classifier that lists its scenes, as all of rldf's do; others need not."""

    @property
    def scenes(self) -> Sequence[str] | None:
        """All labels that it can give, None where that is not known."""


class ImageTextModel(Protocol):
    """Embeds images and texts in one space, as CLIP does."""

    def embed_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Embed images.

        Args:
            images: n RGB images of any size.

        Returns:
            (n, d) float32, rows of Euclidean length 1, so that products are cosines.
        """

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts in the space of the images.

        Args:
            texts: n texts; what the model does not read of a long one is cut off.

        Returns:
            (n, d) float32, rows of Euclidean length 1.
        """


class PhotographReader(Protocol):
    """Tells photographs from drawings, and says what photographs show."""

    def are_photographs(self, images: Sequence[Image]) -> list[bool]:
        """Tell which of the RGB images are photographs."""

    def classify(self, images: Sequence[Image]) -> list[dict[str, float]]:
        """Return the probability of ImageNet's classes for each RGB image.

        The 1000 classes of ILSVRC 2012 by WordNet number, such as "n02391049"; they sum to 1.
        """


class Reward(Protocol):
    """Scores images by how near they are to the input image of one search."""

    def __call__(self, images: Sequence[Image]) -> NDArray[np.float64]:
        """Score images, each by itself.

        Args:
            images: n RGB images.

        Returns:
            (n,) float64, finite; higher is nearer to the input image.
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
        """What reads photographs in place of the others; None where the others do."""
