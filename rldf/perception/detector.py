"""Ultralytics YOLO as a detector, from a local .pt (loaded without running its code) or .onnx."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from rldf.errors import ConfigError, ModelMissingError
from rldf.ports import Detection

_ENVIRONMENT = {  # all are read when ultralytics is imported
    "ULTRALYTICS_SAFE_LOAD": "1",  # a .pt is a pickle: without this it may run any code
    "YOLO_OFFLINE": "1",  # no telemetry, no update check, no download of a missing weight
    "YOLO_AUTOINSTALL": "0",
    "YOLO_VERBOSE": "0",
    "ULTRALYTICS_SKIP_REQUIREMENTS_CHECKS": "1",
}


class YoloDetector:
    """Finds things with a YOLO model."""

    def __init__(
        self,
        *,
        path: Path,
        device: str = "cpu",
        size: int = 640,
        confidence: float = 0.25,
        overlap: float = 0.7,
    ) -> None:
        """Load a model.

        Args:
            path: an existing .pt or .onnx file.
            device: where it runs.
            size: side of the model's input, px.
            confidence: detections below it are dropped, 0 to 1.
            overlap: of two boxes of a label that overlap more, one is dropped (IoU, 0 to 1).

        Raises:
            ModelMissingError: if there is no such file.
            ConfigError: if the file is no model, or carries code.
        """
        if not path.is_file():
            raise ModelMissingError(f"no detector at {path}: check the model set's path")
        self._one_by_one = path.suffix == ".onnx"  # exported for one image a call
        self._options = {
            "imgsz": size, "conf": confidence, "iou": overlap, "verbose": False, "device": device,
        }  # fmt: skip
        self._model = _load(path)

    def detect(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        """List what is in each image.

        Args:
            images: RGB.

        Returns:
            Detections, most confident first.
        """
        if not images:
            return []
        batches = [[image] for image in images] if self._one_by_one else [list(images)]
        results = [r for batch in batches for r in self._model.predict(batch, **self._options)]
        return [_detections(result) for result in results]


def _load(path: Path) -> Any:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    os.environ["ULTRALYTICS_SAFE_LOAD"] = "1"
    opener = Image.open
    from ultralytics import YOLO
    from ultralytics.utils import SETTINGS

    Image.open = opener  # ultralytics replaces it by one that may install packages
    dict.__setitem__(SETTINGS, "sync", False)
    try:
        model = YOLO(str(path), task="detect")
    except Exception as error:
        # Whatever a broken or hostile file raises, the user needs one line.
        reason = " ".join(str(error).split())[:160]
        raise ConfigError(f"{path} is not a model that loads safely: {reason}") from error
    return model


def _detections(result: Any) -> list[Detection]:
    boxes = result.boxes
    rows = zip(boxes.cls.tolist(), boxes.conf.tolist(), boxes.xyxy.tolist(), strict=True)
    found = [
        Detection(label=result.names[int(label)], confidence=float(sure), box=tuple(xyxy))
        for label, sure, xyxy in rows
    ]
    return sorted(found, key=lambda detection: -detection.confidence)
