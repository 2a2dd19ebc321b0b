"""An ultralytics YOLO model as a detector, from a local .onnx or .pt file; no code of it is run."""

import contextlib
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from PIL import Image
from pydantic import Field

from rldf.errors import ConfigError, ModelMissingError
from rldf.interfaces import Detection
from rldf.io.paths import cache_folder
from rldf.io.text import one_line
from rldf.perception.labels import mapped, refuse_placeholders
from rldf.sharing import Remade

_ENVIRONMENT = {  # all are read when ultralytics is imported
    "ULTRALYTICS_SAFE_LOAD": "1",  # a .pt is a pickle: without this it may run any code
    "YOLO_OFFLINE": "1",  # no telemetry, no update check, no download of a missing weight
    "YOLO_AUTOINSTALL": "0",
    "YOLO_VERBOSE": "0",
    "ULTRALYTICS_SKIP_REQUIREMENTS_CHECKS": "1",
}
_MOST = 300  # boxes per image; ultralytics' default
_SUFFIXES = (".pt", ".onnx")  # ultralytics reads other kinds of files, some of which are code


class YoloDetector(Remade):
    """Detects objects with a YOLO model."""

    def __init__(
        self,
        *,
        path: Path,
        device: str = "cpu",
        size: Annotated[int, Field(ge=32, le=4096, multiple_of=32)] = 640,
        confidence: Annotated[float, Field(ge=0, le=1)] = 0.25,
        overlap: Annotated[float, Field(ge=0, le=1)] = 0.7,
        label_map: str = "",
    ) -> None:
        """Load a model.

        Args:
            path: an existing .pt or .onnx file.
            device: where it runs.
            size: side of the model's input, px.
            confidence: least confidence of a detection, 0 to 1.
            overlap: largest IoU of two boxes with one label, 0 to 1; of two boxes above it, the
                less confident one is dropped.
            label_map: name of a JSON file beside the model that renames its labels; "" for none.

        Raises:
            ModelMissingError: if there is no such file.
            ConfigError: if the file is no detector, or cannot be loaded without running code; if
                its labels are numbers only, or the label map is wrong.
        """
        if not path.is_file():
            raise ModelMissingError(f"no detector at {path}: check the model set's path")
        if path.suffix not in _SUFFIXES:
            raise ConfigError(f"{path} is no detector: give a .pt or an .onnx file")
        self._one_by_one = path.suffix == ".onnx"  # exported for one image a call
        self._options = {
            "imgsz": size, "conf": confidence, "iou": overlap, "max_det": _MOST, "verbose": False,
            "device": device,
        }  # fmt: skip
        self._model, own = _load(path, self._options)
        named = mapped(path.parent, own, label_map)
        refuse_placeholders(named, str(path))
        self._names = dict(zip(own, named, strict=True))
        self.labels, self.most = tuple(dict.fromkeys(named)), _MOST

    def detect(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        """Return the detections in each image, the most confident first."""
        if not images:
            return []
        batches = [[image] for image in images] if self._one_by_one else [list(images)]
        results = [r for batch in batches for r in _predict(self._model, batch, self._options)]
        return [_detections(result, self._names) for result in results]


def import_ultralytics() -> Any:
    """Import ultralytics with settings that forbid code in weights, requests and installations."""
    settings = {"YOLO_CONFIG_DIR": str(cache_folder() / "ultralytics")}  # not the user's own
    for name, value in (_ENVIRONMENT | settings).items():
        os.environ.setdefault(name, value)
    os.environ["ULTRALYTICS_SAFE_LOAD"] = "1"
    opener, saver = Image.open, torch.save
    with _as_before():
        import ultralytics
        from ultralytics.utils import SETTINGS, patches

    # ultralytics replaces these, the first by one that may install packages; here or in an
    # earlier import.
    Image.open = getattr(patches, "_image_open", opener)
    torch.save = getattr(patches, "_torch_save", saver)
    dict.__setitem__(SETTINGS, "sync", False)
    return ultralytics


@contextlib.contextmanager
def _as_before() -> Iterator[None]:
    """Restore the environment and the global settings that ultralytics changes in a block."""
    environment, shown = dict(os.environ), copy(torch._tensor_str.PRINT_OPTS)
    loadable = torch.serialization.get_safe_globals()  # of weights_only: it adds what a .pt names
    with np.printoptions(), warnings.catch_warnings():
        try:
            yield
        finally:
            for name in os.environ.keys() - environment.keys():
                del os.environ[name]
            os.environ.update(environment)
            torch.serialization.clear_safe_globals()
            torch.serialization.add_safe_globals(loadable)
            torch._tensor_str.PRINT_OPTS.__dict__.update(vars(shown))


def _load(path: Path, options: dict[str, Any]) -> tuple[Any, list[str]]:
    """Load a model, and return it with the names of its labels."""
    ultralytics = import_ultralytics()
    if path.suffix == ".pt" and not getattr(ultralytics.utils, "SAFE_LOAD", False):
        raise ConfigError(
            f"{path} could run code: ultralytics was imported before rldf and without "
            "ULTRALYTICS_SAFE_LOAD: set ULTRALYTICS_SAFE_LOAD=1 before this program starts"
        )
    try:
        with _as_before():
            model = ultralytics.YOLO(str(path), task="detect")
            # An .onnx file is first read when it is first used.
            (result,) = _predict(model, [Image.new("RGB", (64, 64))], options)
    except Exception as error:
        # Whatever a broken or hostile file raises, the user needs one line.
        raise ConfigError(f"{path} cannot be loaded safely: {one_line(error)}") from error
    if result.boxes is None:
        raise ConfigError(
            f"{path} is no detector, its task is {model.task}: give a model for task detect"
        )
    return model, [str(name) for name in result.names.values()]


def _predict(model: Any, images: list[Image.Image], options: dict[str, Any]) -> list[Any]:
    """Run a model on images, then restore torch's number of threads, which ultralytics changes."""
    threads = torch.get_num_threads()
    try:
        found: list[Any] = model.predict(images, **options)
    finally:
        torch.set_num_threads(threads)
    return found


def _detections(result: Any, names: Mapping[str, str]) -> list[Detection]:
    boxes = result.boxes
    rows = zip(boxes.cls.tolist(), boxes.conf.tolist(), boxes.xyxy.tolist(), strict=True)
    found = [
        Detection(
            label=names[str(result.names[int(label)])], confidence=float(sure), box=tuple(xyxy)
        )
        for label, sure, xyxy in rows
    ]
    return sorted(found, key=lambda detection: -detection.confidence)
