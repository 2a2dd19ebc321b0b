"""The safety checker of a Stable Diffusion pipeline, apart from the pipeline.

The pipeline would paint what it flags black; here it only tells, so that the image is drawn anew.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL.Image import Image

from rldf.dataset.plan import PlannedImage
from rldf.errors import ConfigError
from rldf.models.model_sets import ModelSet

_CHECKER, _PROCESSOR = "safety_checker", "feature_extractor"


def has_safety_checker(models: ModelSet) -> bool:
    """Tell whether a model set's pipeline ships a safety checker.

    Args:
        models: the set.

    Returns:
        True if its generator is a folder, or a model of the hub, whose index names one.
    """
    index = _index(models)
    library, name = (index.get(_CHECKER) or (None, None))[:2]
    return library is not None and name is not None


def _index(models: ModelSet) -> dict[str, Any]:
    folder, options = models.path("generator"), models.file.generator.options
    if folder is not None:
        try:
            found: dict[str, Any] = json.loads((folder / "model_index.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found
    if "id" not in options:
        return {}
    from diffusers import DiffusionPipeline

    try:
        found = DiffusionPipeline.load_config(options["id"], revision=options.get("revision"))
    except OSError:  # the generator tells of a model that is not in reach
        return {}
    return found


class SafetyInspector:
    """Turns down what the safety checker flags."""

    def __init__(self, models: ModelSet, device: str) -> None:
        """Load the checker.

        Args:
            models: a set whose pipeline ships one.
            device: where it runs; "auto" is the GPU if there is one.

        Raises:
            ConfigError: its files are not as they should be.
        """
        import torch
        from diffusers.pipelines.stable_diffusion.safety_checker import (
            StableDiffusionSafetyChecker,
        )
        from diffusers.utils import logging
        from transformers import CLIPImageProcessor

        logging.set_verbosity_error()  # it tells that images were blackened, which they are not
        source, where = _source(models)
        try:
            self._processor = CLIPImageProcessor.from_pretrained(
                source, subfolder=_PROCESSOR, **where
            )
            checker = StableDiffusionSafetyChecker.from_pretrained(
                source, subfolder=_CHECKER, use_safetensors=True, **where
            )
        except Exception as error:  # a broken folder may raise anything
            said = " ".join(str(error).split())[:160]
            raise ConfigError(
                f"the safety checker of model set {models.file.name} cannot be loaded ({said}): "
                "complete it, or type --no-safety-checker"
            ) from error
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self._checker = checker.to(device).eval()
        self._torch = torch

    def __call__(self, images: Sequence[Image], planned: Sequence[PlannedImage]) -> list[str]:
        """Check images.

        Args:
            images: RGB.
            planned: what they are; unused.

        Returns:
            "flagged" or "" for each.
        """
        if not images:
            return []
        pixels = self._processor(list(images), return_tensors="pt").pixel_values
        blanks = [np.zeros(1) for _ in images]  # the checker would blacken what it is given here
        with self._torch.inference_mode():
            _, flagged = self._checker(
                clip_input=pixels.to(self._checker.device, self._checker.dtype), images=blanks
            )
        return ["flagged" if flag else "" for flag in flagged]


def _source(models: ModelSet) -> tuple[Any, dict[str, Any]]:
    folder, options = models.path("generator"), models.file.generator.options
    if folder is not None:
        return folder, {"local_files_only": True}
    return options["id"], {"revision": options.get("revision")}
