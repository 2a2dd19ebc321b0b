"""The paper's design idea of a negative reward for unrealistic images (arXiv:2311.15648)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from rldf.errors import UsageError
from rldf.interfaces import Reward
from rldf.models.schema import ModelSetFile
from rldf.rewards.context import RewardContext

PENALTY = -1.0
"""What an unrealistic picture pays: like a wrong scene, the worst there is."""


def realism(image: Image, context: RewardContext) -> float:
    """Measure how far the readers agree on what a picture shows.

    Detector and scene classifier say a sentence, and CLIP says how like it the picture is. A
    smeared or half-drawn thing is read as something that CLIP does not see in it. What the detector
    misses is no fault of the picture: then all values of the axes without a reading are tried, one
    axis at a time, and the best counts.

    Returns:
        The cosine of the picture and the sentence, -1 to 1.
    """
    reading = context.encoder.encode_drawn(image)
    if reading.likeness is not None:
        return reading.likeness
    read, axes = reading.nearest, context.encoder.grammar.axes
    tried = [
        (*read[:i], k, *read[i + 1 :])
        for i, axis in enumerate(axes)
        if axis.symbol not in reading.confidence
        for k in range(len(axis.values))
    ]
    if not tried:
        return -1.0  # all was read, and CLIP gave no number
    clip, derive = context.readers.clip, context.encoder.grammar.derive
    texts = clip.embed_texts([derive(encoding) for encoding in tried])
    return float((texts @ clip.embed_images([image])[0]).max())


def realism_floor(models: ModelSetFile) -> float:
    """Find below which realism a picture counts as unrealistic."""
    if models.min_clip_similarity <= 0:
        raise UsageError(
            f"--penalise-unrealistic: model set {models.name} does not say how like their "
            "sentences good pictures are: add 'min_clip_similarity: COSINE' to its file"
        )
    return models.min_clip_similarity


class PenaliseUnrealistic:
    """Another reward, but for unrealistic pictures, which pay a fixed penalty."""

    def __init__(self, reward: Reward, context: RewardContext, floor: float) -> None:
        """Wrap a reward.

        Args:
            reward: pays for all other pictures.
            context: the search's encoder and readers.
            floor: pictures of less realism are unrealistic, a cosine.
        """
        self._reward, self._context, self._floor = reward, context, floor

    def __call__(self, images: Sequence[Image]) -> NDArray[np.float64]:
        """Score images.

        Returns:
            (n,), PENALTY for each unrealistic one.
        """
        real = [realism(image, self._context) >= self._floor for image in images]
        return np.where(real, self._reward(images), PENALTY)
