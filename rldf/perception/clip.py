"""CLIP from a folder of open_clip: it embeds images and texts, so that they can be compared."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from PIL.Image import new as new_image

from rldf.errors import ConfigError, ModelMissingError
from rldf.io.text import one_line
from rldf.sharing import Remade

_TRIAL = (64, 48)  # px; size of an image on which the preprocessing is tried


class OpenClip(Remade):
    """CLIP from a folder with open_clip_config.json and open_clip_model.safetensors.

    Attributes:
        model: the model of open_clip.
        tokenize: its tokenizer.
    """

    def __init__(self, *, path: Path, device: str = "cpu") -> None:
        """Load a model.

        Args:
            path: the folder.
            device: where it runs.

        Raises:
            ModelMissingError: if the folder or its weights are not there.
            ConfigError: if the folder is no CLIP.
        """
        if not (path / "open_clip_model.safetensors").is_file():
            raise ModelMissingError(f"no CLIP weights in {path}: check the model set's path")
        name = f"local-dir:{path}"
        try:
            # Not create_model_and_transforms: that returns a random model for missing weights.
            self.model, self._preprocess = open_clip.create_model_from_pretrained(
                name, precision="fp32", device=device, return_transform=True
            )
            self.tokenize = open_clip.get_tokenizer(name)
            self._preprocess(new_image("RGB", _TRIAL))
        except Exception as error:  # a broken folder may raise anything; the user needs one line
            raise ConfigError(f"{path} is no open_clip model: {one_line(error)}") from error
        self.model.eval()
        self._device, self._path = device, path

    @torch.inference_mode()
    def embed_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Embed images.

        Returns:
            (n, d), rows of length 1.
        """
        pixels = torch.stack([self._preprocess(image) for image in images]).to(self._device)
        return self._finite(self.model.encode_image(pixels, normalize=True))

    @torch.inference_mode()
    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts.

        Returns:
            (n, d), rows of length 1.
        """
        tokens = self.tokenize(list(texts)).to(self._device)
        return self._finite(self.model.encode_text(tokens, normalize=True))

    def _finite(self, vectors: torch.Tensor) -> NDArray[np.float32]:
        """Return vectors as an array; raise `ConfigError` if a number in them is not finite."""
        found: NDArray[np.float32] = vectors.cpu().numpy()
        if not np.isfinite(found).all():
            raise ConfigError(
                f"{self._path}: CLIP's vectors are not finite: its weights are damaged: replace "
                "them, by 'rldf models pull' for a model of the hub"
            )
        return found
