"""Loads a model and its processor from a folder of transformers, without running code from it."""

from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers.utils import logging as transformers_logging

from rldf.errors import ConfigError, ModelMissingError
from rldf.io.text import one_line

_COUNTER = "num_batches_tracked"  # of training; old weights have none
_TRIAL = (64, 48)  # px; size of an image on which the processor is tried


def load_folder(path: Path, processor: Any, model: Any, what: str) -> tuple[Any, Any]:
    """Load a processor and its model, and try the processor on an image.

    Args:
        path: the folder.
        processor: the processor's class, such as `AutoImageProcessor`.
        model: the model's class.
        what: the kind of model for messages, such as "object detector".

    Returns:
        The processor and the model.

    Raises:
        ModelMissingError: if there is no such folder.
        ConfigError: if the folder holds no such model, or some of its weights are missing.
    """
    if not path.is_dir():
        raise ModelMissingError(f"no {what} at {path}: check the model set's path")
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()  # it draws a table of what does not fit
    local = {"local_files_only": True, "trust_remote_code": False}
    try:
        prepares = processor.from_pretrained(path, **local)
        images = getattr(prepares, "image_processor", prepares)
        images(images=Image.new("RGB", _TRIAL), return_tensors="pt")
        loaded, told = model.from_pretrained(
            path, **local, use_safetensors=True, dtype=torch.float32, output_loading_info=True
        )
        lacking = {key for key in told["missing_keys"] if not key.endswith(_COUNTER)}
        if lacking:  # transformers would give them random numbers
            raise ValueError(f"its weights lack {min(lacking)}")
    except Exception as error:  # a broken folder may raise anything; the user needs one line
        raise ConfigError(f"{path} is no {what}: {one_line(error)}") from error
    return prepares, loaded.eval()
