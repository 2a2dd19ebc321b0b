"""A weighted sum of rewards."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from rldf.interfaces import Reward


class Combined:
    """The sum of other rewards, each multiplied by its weight."""

    def __init__(self, parts: Sequence[tuple[Reward, float]]) -> None:
        """Make the reward.

        Args:
            parts: pairs of a reward and its weight.
        """
        self._parts = tuple(parts)

    def __call__(self, images: Sequence[Image]) -> NDArray[np.float64]:
        """Score images.

        Returns:
            (n,) the weighted sums.
        """
        total = np.zeros(len(images))
        for reward, weight in self._parts:
            total += weight * reward(images)
        return total
