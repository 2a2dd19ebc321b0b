"""Places told by CLIP from their names alone, for model sets without a scene classifier."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from rldf.errors import ConfigError
from rldf.grammar.axis_kinds import SCENES
from rldf.grammar.grammar import load_grammar
from rldf.interfaces import ImageTextModel
from rldf.sharing import Remade

_SCALE = 100.0  # CLIP's usual logit scale
_AT_ONCE = 64  # texts


class ClipScene(Remade):
    """Compares images with "a photo of a bedroom" and the like, by the model set's own CLIP.

    See "Learning Transferable Visual Models From Natural Language Supervision" by Radford et al.,
    §3.1, arXiv:2103.00020.
    """

    def __init__(
        self,
        *,
        clip: ImageTextModel,
        path: Path | None = None,
        device: str = "cpu",
        grammar: str = SCENES,
    ) -> None:
        """Take the scenes of a grammar.

        Args:
            clip: what compares; it is the set's, so there is nothing to load.
            path: must be None, for there are no other files.
            device: where CLIP runs already.
            grammar: whose scenes: a shipped name or a path that ends in .yaml. The usual one has
                the 365 of Places365.

        Raises:
            ConfigError: if there is a path, or the grammar has no scenes.
        """
        axis = load_grammar(grammar).reading("scene")
        if axis is None:
            raise ConfigError(f"grammar {grammar} has no axis that reads the scene: name another")
        if path is not None:
            raise ConfigError("clip-zero-shot uses the set's own CLIP: take its path away")
        self._clip = clip
        self.scenes = tuple(value.labels[0] for value in axis.values)
        self._texts = [f"a photo of {next(iter(v.forms.values()))}" for v in axis.values]

    def classify(self, images: Sequence[Image]) -> list[dict[str, float]]:
        """Give the probability of every scene."""
        if not images:
            return []
        logits = _SCALE * (self._clip.embed_images(images) @ self._vectors.T)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        return [dict(zip(self.scenes, row, strict=True)) for row in shares.tolist()]

    @cached_property
    def _vectors(self) -> NDArray[np.float32]:
        """Texts' vectors: (scenes, d)."""
        starts = range(0, len(self._texts), _AT_ONCE)
        return np.concatenate(
            [self._clip.embed_texts(self._texts[i : i + _AT_ONCE]) for i in starts]
        )
