"""The safety checker of a Stable Diffusion pipeline, apart from the pipeline.

The pipeline would paint what it flags black; here it only tells, so that the image is drawn anew.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL.Image import Image

from rldf.dataset.plan import PlannedImage
from rldf.errors import ConfigError
from rldf.io.distributed import resolve
from rldf.io.files import parse_json, read_file
from rldf.io.text import one_line
from rldf.models.model_sets import ModelSet
from rldf.models.repo_files import INDEX, components, has_weights
from rldf.models.safety import check_model

_CHECKER, _PROCESSOR = "safety_checker", "feature_extractor"


def has_safety_checker(models: ModelSet) -> bool:
    """Tell whether a model set's pipeline ships a safety checker.

    Args:
        models: the set.

    Returns:
        True if its generator is a folder whose index names one.

    Raises:
        ConfigError: the index names parts of other libraries.
    """
    return _CHECKER in components(_index(models))


def _index(models: ModelSet) -> dict[str, Any]:
    folder = models.path("generator")
    if folder is None:
        return {}
    try:
        found = parse_json(read_file(folder / INDEX))
    except (OSError, ValueError):  # the generator tells of a folder that is not as it should be
        return {}
    return found if isinstance(found, dict) else {}


class SafetyInspector:
    """Turns down what the safety checker flags."""

    def __init__(self, models: ModelSet, device: str) -> None:
        """Load the checker.

        Args:
            models: a set whose pipeline ships one.
            device: where it runs; "auto" is the GPU if there is one.

        Raises:
            ConfigError: its files are not as they should be, or name code.
        """
        import torch
        from diffusers.pipelines.stable_diffusion.safety_checker import (
            StableDiffusionSafetyChecker,
        )
        from diffusers.utils import logging
        from transformers import CLIPImageProcessor

        logging.set_verbosity_error()  # it tells that images were blackened, which they are not
        folder = models.path("generator")
        assert folder is not None, "has_safety_checker found one"
        # A pulled folder has one precision alone; it runs in single precision either way.
        half = has_weights((file.name for file in (folder / _CHECKER).glob("*")), half=True)
        try:
            for part in (_CHECKER, _PROCESSOR):  # the generator is loaded without them
                check_model(folder / part)
            self._processor = CLIPImageProcessor.from_pretrained(
                folder, subfolder=_PROCESSOR, local_files_only=True
            )
            checker = StableDiffusionSafetyChecker.from_pretrained(
                folder, subfolder=_CHECKER, use_safetensors=True, local_files_only=True,
                variant="fp16" if half else None, dtype=torch.float32,
            )  # fmt: skip
        except Exception as error:  # a broken folder may raise anything
            raise ConfigError(
                f"the safety checker of model set {models.file.name} cannot be loaded "
                f"({one_line(error)}): complete it, or type --no-safety-checker"
            ) from error
        self._checker = checker.to(resolve(device)).eval()
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
