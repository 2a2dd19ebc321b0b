"""The pocket world's renderer as an image generator: it is fast, exact and needs no weights.

It serves for tests, for training agents without a neural generator, and as an upper bound of the
quality of generators that were trained on this world's drawings.
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
        """Make the generator, which loads nothing and runs on the CPU.

        Args:
            path: ignored; every generator of a model set is given one.
            device: ignored; every generator of a model set is given one.
            weights: checksum for the identity.
        """
        self._weights = weights

    @property
    def identity(self) -> Mapping[str, Json]:
        """The name "drawn", a checksum of the renderer's code and data, and `weights`."""
        return {"generator": "drawn", "world": _world_checksum(), "weights": self._weights}

    def generate(self, sentences: Sequence[str], seeds: Sequence[int]) -> list[Image]:
        """Draw sentences.

        Args:
            sentences: of grammars/pocket.yaml.
            seeds: one seed for each sentence.

        Returns:
            128 x 128 RGB images.

        Raises:
            GrammarError: if a sentence is not of grammars/pocket.yaml.
        """
        return [draw(text, seed).image for text, seed in zip(sentences, seeds, strict=True)]


def world_files() -> list[Path]:
    """List the files that decide the pixels of a drawing: sprites, renderer and grammar."""
    package, grammars = Path(pocket.__file__).parent, resources.folder("grammars")
    assets = [package / "assets" / name for name in ("sprites.json", "sprites.png")]
    return [*assets, *sorted((package / "world").glob("*.py")), grammars / "pocket.yaml"]


@cache
def _world_checksum() -> str:
    lines = [f"{file.name} {sha256_file(file)}\n" for file in world_files()]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
