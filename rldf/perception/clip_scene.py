"""A scene classifier that compares images with the scenes' names by CLIP (zero-shot).

It serves model sets without a trained scene classifier.
"""

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
    """Compares images with texts such as "a photo of a bedroom" by the model set's CLIP.

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
        """Make the classifier for the scenes of a grammar.

        Args:
            clip: the model set's CLIP, which is loaded already.
            path: must be None, since this classifier has no files.
            device: ignored; CLIP runs where it was loaded.
            grammar: the grammar whose scenes are classified: a shipped name or a path that ends in
                .yaml. The default has the 365 scenes of Places365.

        Raises:
            ConfigError: if there is a path, or the grammar has no scenes.
        """
        axis = load_grammar(grammar).reading("scene")
        if axis is None:
            raise ConfigError(f"grammar {grammar} has no axis that reads the scene: name another")
        if path is not None:
            raise ConfigError(
                f"clip-zero-shot with path {path}: it uses the model set's CLIP: leave path out"
            )
        self._clip = clip
        self.scenes = tuple(value.labels[0] for value in axis.values)
        self._texts = [f"a photo of {next(iter(v.forms.values()))}" for v in axis.values]

    def classify(self, images: Sequence[Image]) -> list[dict[str, float]]:
        """Return, for each image, the probability of every scene: softmax(100 * cosine)."""
        if not images:
            return []
        logits = _SCALE * (self._clip.embed_images(images) @ self._vectors.T)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        return [dict(zip(self.scenes, row, strict=True)) for row in shares.tolist()]

    @cached_property
    def _vectors(self) -> NDArray[np.float32]:
        """CLIP embeddings of the scenes' texts: (n_scenes, d), each row of L2 norm 1."""
        starts = range(0, len(self._texts), _AT_ONCE)
        return np.concatenate(
            [self._clip.embed_texts(self._texts[i : i + _AT_ONCE]) for i in starts]
        )
