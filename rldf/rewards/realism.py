"""A negative reward for unrealistic images, as the paper suggests (arXiv:2311.15648)."""

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
    """Measure how far the vision models agree on what an image shows.

    Detector and scene classifier give a sentence, and CLIP gives its cosine with the image. A
    smeared or incomplete object is detected as something that CLIP does not find in the image. An
    object that the detector misses must not lower the result: for axes without a reading all
    values are tried, one axis at a time, and the highest cosine counts.

    Returns:
        The cosine of the image and the sentence, -1 to 1.
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
        return -1.0  # every axis was read, and CLIP returned NaN
    clip, derive = context.readers.clip, context.encoder.grammar.derive
    texts = clip.embed_texts([derive(encoding) for encoding in tried])
    return float((texts @ clip.embed_images([image])[0]).max())


def realism_floor(models: ModelSetFile) -> float:
    """Return the `realism` of a model set below which an image counts as unrealistic."""
    if models.min_clip_similarity <= 0:
        raise UsageError(
            f"--penalise-unrealistic: model set {models.name} states no lowest cosine of a "
            "realistic image and its sentence: add 'min_clip_similarity: COSINE' to its file"
        )
    return models.min_clip_similarity


class PenaliseUnrealistic:
    """A reward that is PENALTY for unrealistic images, and another reward for all other images."""

    def __init__(self, reward: Reward, context: RewardContext, floor: float) -> None:
        """Wrap a reward.

        Args:
            reward: the reward of all other images.
            context: the encoder and the vision models.
            floor: images with a `realism` (a cosine) below this are unrealistic.
        """
        self._reward, self._context, self._floor = reward, context, floor

    def __call__(self, images: Sequence[Image]) -> NDArray[np.float64]:
        """Score images.

        Returns:
            (n,) the rewards; PENALTY for each unrealistic image.
        """
        real = [realism(image, self._context) >= self._floor for image in images]
        return np.where(real, self._reward(images), PENALTY)
