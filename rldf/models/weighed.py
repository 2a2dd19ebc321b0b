"""A model set's generator, with the checksum of its weights."""

from collections.abc import Mapping, Sequence

from PIL.Image import Image

from rldf.generators.streaming import Keep, arrivals
from rldf.interfaces import ImageGenerator, Json
from rldf.sharing import Remade


class WeighedGenerator(Remade):
    """A generator whose identity holds the checksum of its weights too."""

    def __init__(self, generator: ImageGenerator, weights: str | None) -> None:
        """Wrap a generator.

        Args:
            generator: what draws.
            weights: checksum of its files, None where it has none.
        """
        self._generator = generator
        self.identity: Mapping[str, Json] = {**generator.identity, "weights": weights}

    def generate(self, sentences: Sequence[str], seeds: Sequence[int]) -> list[Image]:
        """Draw sentences.

        Args:
            sentences: prompts.
            seeds: one for each.

        Returns:
            RGB images.
        """
        return self._generator.generate(sentences, seeds)

    def arrivals(self, sentences: Sequence[str], seeds: Sequence[int], keep: Keep) -> None:
        """Draw sentences, and hand each image on as soon as it is there.

        Args:
            sentences: prompts.
            seeds: one for each.
            keep: is given place in the list and RGB image.
        """
        arrivals(self._generator, sentences, seeds, keep)

    def cut(self, sentence: str) -> str:
        """Cut a sentence to what the generator reads of it.

        Args:
            sentence: a prompt.

        Returns:
            Its beginning, or all of it where the generator knows no limit.
        """
        cut = getattr(self._generator, "cut", None)
        return sentence if cut is None else str(cut(sentence))
