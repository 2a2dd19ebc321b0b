"""The drawn world's own renderer as an image generator: instant and exact, no weights.

For tests, for agents alone, and as an upper bound of what a generator of this world can draw.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from PIL.Image import Image

from rldf import pocket
from rldf.interfaces import ImageGenerator, Json
from rldf.io import resources
from rldf.io.files import sha256_file
from rldf.pocket.world.drawing import draw
from rldf.sharing import Remade


class DrawnGenerator(Remade, ImageGenerator):
    """Draws sentences of grammars/pocket.yaml with the renderer."""

    def __init__(
        self, *, path: Path | None = None, device: str = "cpu", weights: str | None = None
    ) -> None:
        """Make the generator; it has nothing to load and runs on the CPU."""
        self._weights = weights

    @property
    def identity(self) -> Mapping[str, Json]:
        """The renderer, and a checksum of all that decides what it draws."""
        return {"generator": "drawn", "world": _world_checksum(), "weights": self._weights}

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


def world_files() -> list[Path]:
    """List what decides the pixels of a drawing."""
    package, grammars = Path(pocket.__file__).parent, resources.folder("grammars")
    assets = [package / "assets" / name for name in ("sprites.json", "sprites.png")]
    return [*assets, *sorted((package / "world").glob("*.py")), grammars / "pocket.yaml"]


@cache
def _world_checksum() -> str:
    lines = [f"{file.name} {sha256_file(file)}\n" for file in world_files()]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
