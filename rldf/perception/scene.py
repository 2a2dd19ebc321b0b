"""Any transformers image-classification folder as a scene classifier."""

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL.Image import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification
from transformers.utils import logging as transformers_logging

from rldf.errors import ConfigError, ModelMissingError


class TransformersScene:
    """Tells places with an `AutoModelForImageClassification` folder; its id2label names them."""

    def __init__(self, *, path: Path, device: str = "cpu") -> None:
        """Load a model.

        Args:
            path: a folder with config.json, safetensors weights and an image processor.
            device: where it runs.

        Raises:
            ModelMissingError: if there is no such folder.
            ConfigError: if the folder is no image classifier.
        """
        if not path.is_dir():
            raise ModelMissingError(f"no scene classifier at {path}: check the model set's path")
        transformers_logging.disable_progress_bar()
        try:
            self._processor = AutoImageProcessor.from_pretrained(
                path, local_files_only=True, trust_remote_code=False
            )
            model = AutoModelForImageClassification.from_pretrained(
                path, local_files_only=True, trust_remote_code=False, use_safetensors=True,
                dtype=torch.float32,
            )  # fmt: skip
        except Exception as error:  # a broken folder may raise anything; the user needs one line
            reason = " ".join(str(error).split())[:160]
            raise ConfigError(f"{path} is no image classifier: {reason}") from error
        self._device = device
        self._model = model.to(device).eval()
        self._labels = [model.config.id2label[i] for i in range(model.config.num_labels)]

    @torch.inference_mode()
    def classify(self, images: Sequence[Image]) -> list[dict[str, float]]:
        """Give the probability of every scene.

        Args:
            images: RGB.

        Returns:
            Probability by label for each image; they sum to 1.
        """
        if not images:
            return []
        # One by one: photographs of a batch may differ in size.
        pixels = [self._processor(image, return_tensors="pt").pixel_values for image in images]
        logits = self._model(torch.cat(pixels).to(self._device)).logits
        rows = logits.float().softmax(-1).cpu().tolist()
        return [dict(zip(self._labels, row, strict=True)) for row in rows]
