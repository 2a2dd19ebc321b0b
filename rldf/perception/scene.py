"""Any transformers image-classification folder as a scene classifier."""

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL.Image import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification
from transformers.utils import logging as transformers_logging

from rldf.errors import ConfigError, ModelMissingError
from rldf.perception.label_map import read_labels

_COUNTER = "num_batches_tracked"  # of training; old weights have none


class TransformersScene:
    """Tells places with an `AutoModelForImageClassification` folder; its id2label names them."""

    def __init__(self, *, path: Path, device: str = "cpu", label_map: str = "") -> None:
        """Load a model.

        Args:
            path: a folder with config.json, safetensors weights and an image processor.
            device: where it runs.
            label_map: a JSON file of the folder that gives the model's labels other names; labels
                of one name count together, and a label that it leaves out keeps its own.

        Raises:
            ModelMissingError: if there is no such folder.
            ConfigError: if the folder is no image classifier, or the label map is wrong.
        """
        if not path.is_dir():
            raise ModelMissingError(f"no scene classifier at {path}: check the model set's path")
        transformers_logging.disable_progress_bar()
        transformers_logging.set_verbosity_error()  # it draws a table of what does not fit
        try:
            self._processor = AutoImageProcessor.from_pretrained(
                path, local_files_only=True, trust_remote_code=False
            )
            model, told = AutoModelForImageClassification.from_pretrained(
                path, local_files_only=True, trust_remote_code=False, use_safetensors=True,
                dtype=torch.float32, output_loading_info=True,
            )  # fmt: skip
            lacking = {key for key in told["missing_keys"] if not key.endswith(_COUNTER)}
            if lacking:  # transformers would give them random numbers
                raise ValueError(f"its weights lack {min(lacking)}")
        except Exception as error:  # a broken folder may raise anything; the user needs one line
            reason = " ".join(str(error).split())[:160]
            raise ConfigError(f"{path} is no image classifier: {reason}") from error
        self._device = device
        self._model = model.to(device).eval()
        self._labels = read_labels(path, model.config.id2label, label_map)

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
        return [_summed(self._labels, row) for row in rows]


def _summed(labels: list[str], row: list[float]) -> dict[str, float]:
    found = dict.fromkeys(labels, 0.0)
    for label, probability in zip(labels, row, strict=True):
        found[label] += probability
    return found
