"""The drawn world's own renderer as an image generator: instant and exact, no weights.

For tests, for agents alone, and as an upper bound of what a generator of this world can draw.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL.Image import Image

from rldf.pocket.world.drawing import draw
from rldf.ports import Json


class DrawnGenerator:
    """Draws sentences of grammars/pocket.yaml with the renderer."""

    def __init__(self, *, path: Path | None = None, device: str = "cpu") -> None:
        """Make the generator; it has nothing to load and runs on the CPU.

        Args:
            path: ignored; every generator of a model set is given one.
            device: ignored likewise.
        """

    @property
    def identity(self) -> Mapping[str, Json]:
        """The renderer and the version of its world."""
        return {"generator": "drawn", "world": 1}

    def generate(self, sentences: Sequence[str], seeds: Sequence[int]) -> list[Image]:
        """Draw sentences.

        Args:
            sentences: of grammars/pocket.yaml.
            seeds: one for each.

        Returns:
            128 x 128 RGB images.

        Raises:
            GrammarError: if a sentence is of another grammar.
        """
        return [draw(text, seed).image for text, seed in zip(sentences, seeds, strict=True)]
