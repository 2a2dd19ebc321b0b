"""Any transformers object detector as a detector: of fixed labels, or of words that are given."""

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
    """Looks at images one by one, since photographs differ in size."""

    @torch.inference_mode()
    def detect(self, images: Sequence[Image]) -> list[list[Detection]]:
        """List what is in each image."""
        return [self._detect(image) for image in images]

    @abstractmethod
    def _detect(self, image: Image) -> list[Detection]:
        """List what is in one image."""


class ObjectDetector(_OneByOne):
    """Finds things with an `AutoModelForObjectDetection` folder: DETR, RT-DETR, YOLOS and others.

    Its id2label names them.
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
            confidence: detections below it are dropped, 0 to 1.
            overlap: of two boxes of a label that overlap more, one is dropped (IoU, 0 to 1).
            label_map: a JSON file of the folder that gives the model's labels other names, such as
                those of a grammar.

        Raises:
            ModelMissingError: if there is no such folder.
            ConfigError: if the folder is no object detector, its labels are no names, or the label
                map is wrong.
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
    """Finds what it is told to with an `AutoModelForZeroShotObjectDetection` folder.

    OWL-ViT, OWLv2 and Grounding-DINO are such models: they find nouns that COCO does not have.
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
            labels: what to look for, with commas between: "sea otter, lawn mower".
            grammar: look for the labels of this grammar's objects and people: a shipped name, or a
                path that ends in .yaml. One of the two is given.
            confidence: detections below it are dropped, 0 to 1.
            overlap: of two boxes of a label that overlap more, one is dropped (IoU, 0 to 1).
            label_map: a JSON file of the folder that gives what was found other names.

        Raises:
            ModelMissingError: if there is no such folder.
            ConfigError: if the folder is no such detector, does not take so many labels, or the
                label map is wrong.
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
        """Refuse more words than a model takes that reads them all in one text."""
        room = getattr(self._model.config, "max_text_len", None)
        if room is None:
            return
        text = " ".join(f"{word}." for word in self._words)
        needed = len(self._processor.tokenizer(text)["input_ids"])
        if needed > room:
            raise ConfigError(
                f"{path} reads {room} tokens and {len(self._words)} labels make {needed}: give "
                "fewer labels, or take a model that reads each by itself, such as OWLv2"
            )


def _most(config: Any) -> int | None:
    """Give how many boxes a model has, by the names that transformers' models have for it."""
    found = getattr(config, "num_queries", None) or getattr(config, "num_detection_tokens", None)
    return found if isinstance(found, int) else None


def _detections(
    found: dict[str, Any], labels: Sequence[str | None], overlap: float, image: Image
) -> list[Detection]:
    """Drop boxes without a label and those that say the same twice; most confident first."""
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
