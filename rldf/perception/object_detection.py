"""Object detectors of transformers: for the labels of their training, or for given words."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
from PIL.Image import Image
from pydantic import Field
from torchvision.ops import batched_nms
from transformers import (
    AutoImageProcessor,
    AutoModelForObjectDetection,
    AutoModelForZeroShotObjectDetection,
    AutoProcessor,
)

from rldf.errors import ConfigError
from rldf.interfaces import Detection
from rldf.perception.labels import mapped, phrase_of, read_labels, words_to_find
from rldf.perception.transformers_folder import load_folder
from rldf.sharing import Remade

Share = Annotated[float, Field(ge=0, le=1)]


class _OneByOne(Remade, ABC):
    """Runs a detector on one image at a time, since photographs differ in size."""

    @torch.inference_mode()
    def detect(self, images: Sequence[Image]) -> list[list[Detection]]:
        """Return the detections in each image, the most confident first."""
        return [self._detect(image) for image in images]

    @abstractmethod
    def _detect(self, image: Image) -> list[Detection]:
        """Return the detections in one image, the most confident first."""


class ObjectDetector(_OneByOne):
    """Detects objects with an `AutoModelForObjectDetection` folder, such as DETR or YOLOS.

    The labels are those of `id2label` in the folder's config.json.
    """

    def __init__(
        self,
        *,
        path: Path,
        device: str = "cpu",
        confidence: Share = 0.5,
        overlap: Share = 0.7,
        label_map: str = "",
    ) -> None:
        """Load a model.

        Args:
            path: a folder with config.json, safetensors weights and an image processor.
            device: where it runs.
            confidence: least confidence of a detection, 0 to 1.
            overlap: largest IoU of two boxes with one label, 0 to 1; of two boxes above it, the
                less confident one is dropped.
            label_map: name of a JSON file in the folder that renames the model's labels, such as
                to those of a grammar; "" for none.

        Raises:
            ModelMissingError: if there is no such folder.
            ConfigError: if the folder is no object detector, its labels are placeholders, or the
                label map is wrong.
        """
        self._processor, self._model = load_folder(
            path, AutoImageProcessor, AutoModelForObjectDetection, "object detector"
        )
        self._model.to(device)
        self._device, self._confidence, self._overlap = device, confidence, overlap
        self._labels = read_labels(path, self._model.config.id2label, label_map)
        self.labels = tuple(dict.fromkeys(self._labels))
        self.most = _most(self._model.config)

    def _detect(self, image: Image) -> list[Detection]:
        inputs = self._processor(images=image, return_tensors="pt").to(self._device)
        (found,) = self._processor.post_process_object_detection(
            self._model(**inputs),
            threshold=self._confidence,
            target_sizes=[(image.height, image.width)],
        )
        labels = [self._labels[int(i)] for i in found["labels"]]
        return _detections(found, labels, self._overlap, image)


class ZeroShotDetector(_OneByOne):
    """Detects objects of given words with an `AutoModelForZeroShotObjectDetection` folder.

    OWL-ViT, OWLv2 and Grounding-DINO are such models. They can find nouns that COCO lacks.
    """

    def __init__(
        self,
        *,
        path: Path,
        device: str = "cpu",
        labels: str = "",
        grammar: str = "",
        confidence: Share = 0.2,
        overlap: Share = 0.5,
        label_map: str = "",
    ) -> None:
        """Load a model.

        Args:
            path: a folder with config.json, safetensors weights and a processor.
            device: where it runs.
            labels: words to look for, separated by commas: "sea otter, lawn mower"; "" if
                `grammar` is given.
            grammar: a grammar whose labels of objects and people are looked for, in place of
                `labels`: a shipped name, or a path that ends in .yaml.
            confidence: least confidence of a detection, 0 to 1.
            overlap: largest IoU of two boxes with one label, 0 to 1; of two boxes above it, the
                less confident one is dropped.
            label_map: name of a JSON file in the folder that renames the words in the detections;
                "" for none.

        Raises:
            ModelMissingError: if there is no such folder.
            ConfigError: if the folder is no zero-shot detector or does not take so many words, not
                exactly one of `labels` and `grammar` is given, or the label map is wrong.
        """
        self._words = words_to_find(labels, grammar)
        self._processor, self._model = load_folder(
            path, AutoProcessor, AutoModelForZeroShotObjectDetection, "object detector"
        )
        self._model.to(device)
        self._device, self._confidence, self._overlap = device, confidence, overlap
        self._check_room(path)
        names = mapped(path, self._words, label_map)
        self._names: dict[str | None, str] = dict(zip(self._words, names, strict=True))
        self.labels = tuple(dict.fromkeys(names))
        self.most = _most(self._model.config)

    def _detect(self, image: Image) -> list[Detection]:
        words = [list(self._words)]
        inputs = self._processor(images=image, text=words, return_tensors="pt").to(self._device)
        (found,) = self._processor.post_process_grounded_object_detection(
            self._model(**inputs),
            threshold=self._confidence,
            target_sizes=[(image.height, image.width)],
            text_labels=words,
        )
        # Grounding-DINO answers with pieces of its text, which need not be one of the words.
        phrases = [phrase_of(text, self._words) for text in found["text_labels"]]
        named = [self._names.get(phrase) for phrase in phrases]
        return _detections(found, named, self._overlap, image)

    def _check_room(self, path: Path) -> None:
        """Raise `ConfigError` if all words together have more tokens than the model takes."""
        room = getattr(self._model.config, "max_text_len", None)
        if room is None:
            return
        text = " ".join(f"{word}." for word in self._words)
        needed = len(self._processor.tokenizer(text)["input_ids"])
        if needed > room:
            raise ConfigError(
                f"{path} takes {room} tokens, and {len(self._words)} labels have {needed}: give "
                "fewer labels, or use a model that reads each label by itself, such as OWLv2"
            )


def _most(config: Any) -> int | None:
    """Return the largest number of boxes that a model gives for an image; None if unknown."""
    found = getattr(config, "num_queries", None) or getattr(config, "num_detection_tokens", None)
    return found if isinstance(found, int) else None


def _detections(
    found: dict[str, Any], labels: Sequence[str | None], overlap: float, image: Image
) -> list[Detection]:
    """Return detections without duplicates or boxes without a label, the most confident first."""
    kinds = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    kind = torch.tensor([kinds[label] for label in labels], dtype=torch.long)
    size = torch.tensor([image.width, image.height] * 2)
    boxes = found["boxes"].cpu().reshape(-1, 4).clamp(min=0).minimum(size)
    scores = found["scores"].cpu()
    kept = batched_nms(boxes, scores, kind, overlap).tolist()
    return [
        Detection(label=label, confidence=float(scores[i]), box=tuple(boxes[i].tolist()))
        for i in kept
        if (label := labels[i]) is not None
    ]
