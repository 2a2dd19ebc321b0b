"""An image classifier of transformers as a scene classifier."""

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL.Image import Image
from transformers import AutoImageProcessor, AutoModelForImageClassification

from rldf.perception.labels import read_labels
from rldf.perception.transformers_folder import load_folder
from rldf.sharing import Remade


class TransformersScene(Remade):
    """Classifies scenes with an `AutoModelForImageClassification` folder and its id2label."""

    def __init__(self, *, path: Path, device: str = "cpu", label_map: str = "") -> None:
        """Load a model.

        Args:
            path: a folder with config.json, safetensors weights and an image processor.
            device: where it runs.
            label_map: name of a JSON file in the folder that renames the model's labels; "" for
                none. The probabilities of labels with one name are added; labels that it lacks
                keep their names.

        Raises:
            ModelMissingError: if there is no such folder.
            ConfigError: if the folder is no image classifier, its labels are placeholders, or the
                label map is wrong.
        """
        self._processor, model = load_folder(
            path, AutoImageProcessor, AutoModelForImageClassification, "image classifier"
        )
        self._device = device
        self._model = model.to(device)
        self._labels = read_labels(path, model.config.id2label, label_map)
        self.scenes = tuple(dict.fromkeys(self._labels))

    @torch.inference_mode()
    def classify(self, images: Sequence[Image]) -> list[dict[str, float]]:
        """Return, for each image, the probability of every scene."""
        if not images:
            return []
        # One by one: photographs of a batch may differ in size, and need not be cut to one.
        pixels = [self._processor(image, return_tensors="pt").pixel_values for image in images]
        batches = [torch.cat(pixels)] if len({one.shape for one in pixels}) == 1 else pixels
        logits = torch.cat([self._model(batch.to(self._device)).logits for batch in batches])
        rows = logits.float().softmax(-1).cpu().tolist()
        return [_summed(self._labels, row) for row in rows]


def _summed(labels: list[str], row: list[float]) -> dict[str, float]:
    found = dict.fromkeys(labels, 0.0)
    for label, probability in zip(labels, row, strict=True):
        found[label] += probability
    return found
