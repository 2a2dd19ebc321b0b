"""The paper's CLIP reward: how alike two images are (Radford et al., arXiv:2103.00020)."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from rldf.rewards.context import RewardContext, require_words
from rldf.seeding import rng

_SAMPLES = 64  # sentences of a word, over the axes that are not known


class ClipSimilarity:
    """Reward 3: cosine of the CLIP embeddings of the input image and the drawn image.

    A photograph that the set's CLIP does not know is compared by the words that were read in it:
    the cosine of the drawn image and the mean of sentences with a word, all other axes at random,
    averaged over the words by their probability.
    """

    def __init__(self, context: RewardContext) -> None:
        """Make the reward; the input image, or what was read in it, is embedded once, here.

        Args:
            context: the search's goal and readers.

        Raises:
            NoGoalError: if only words could be compared and none was read.
        """
        self._clip = context.readers.clip
        if context.reading.by_words:
            require_words(context)
            self._goal = _words_vector(context)
        else:
            self._goal = self._clip.embed_images([context.image])[0].astype(np.float64)

    def __call__(self, images: Sequence[Image]) -> NDArray[np.float64]:
        """Score images.

        Returns:
            (n,), from -1 to 1.
        """
        vectors = self._clip.embed_images(images).astype(np.float64)
        scores: NDArray[np.float64] = vectors @ self._goal
        return scores


def _words_vector(context: RewardContext) -> NDArray[np.float64]:
    """Average the vectors of the words that were read, (d,); its length is at most 1."""
    grammar, reading = context.encoder.grammar, context.reading
    known = reading.indices(grammar)
    weighed = [
        (share / sum(shares.values()), known | {symbol: grammar.axis(symbol).index(value)})
        for symbol, shares in reading.shares.items()
        for value, share in shares.items()
    ]
    vectors = [share * _mean_vector(context, held) for share, held in weighed]
    return np.asarray(np.sum(vectors, axis=0) / len(reading.shares))


def _mean_vector(context: RewardContext, held: Mapping[str, int]) -> NDArray[np.float64]:
    """Average the vectors of sentences with random values on all other axes, (d,), length 1."""
    grammar = context.encoder.grammar
    shape = (_SAMPLES, len(grammar.axes))
    cells = rng(0, "words of a photograph").integers(grammar.shape, size=shape)
    for i, axis in enumerate(grammar.axes):
        if axis.symbol in held:
            cells[:, i] = held[axis.symbol]
    sentences = {grammar.derive(tuple(map(int, cell))) for cell in cells}
    texts = context.readers.clip.embed_texts(sorted(sentences)).astype(np.float64)
    mean = texts.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean))
