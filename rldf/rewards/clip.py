"""The paper's CLIP reward: how alike two images are (Radford et al., arXiv:2103.00020)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from rldf.rewards.context import RewardContext


class ClipSimilarity:
    """Reward 3: cosine of the CLIP embeddings of the input image and the drawn image."""

    def __init__(self, context: RewardContext) -> None:
        """Make the reward; the input image is embedded once, here.

        Args:
            context: the search's goal and readers.
        """
        self._clip = context.readers.clip
        self._goal = self._clip.embed_images([context.image])[0].astype(np.float64)

    def __call__(self, images: Sequence[Image]) -> NDArray[np.float64]:
        """Score images.

        Returns:
            (n,), from -1 to 1.
        """
        vectors = self._clip.embed_images(images).astype(np.float64)
        scores: NDArray[np.float64] = vectors @ self._goal
        return scores
