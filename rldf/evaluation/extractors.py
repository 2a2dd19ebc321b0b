"""Which extractor a person means, and where its files lie; nothing here downloads."""

import os
import shlex
import zipfile
from pathlib import Path

from rldf.errors import ModelMissingError, UsageError
from rldf.evaluation.features import FeatureExtractor
from rldf.evaluation.networks import dinov2, inception, model_set_clip, open_clip_folder, script

NAMES = ("pocket", "clip", "dinov2", "inception")
DINOV2 = "facebook/dinov2-large"
INCEPTION_VARIABLE = "RLDF_INCEPTION"
INCEPTION_FILE = "weights-inception-2015-12-05-6726825d.pth"
_INCEPTION_URL = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0"


def find_extractor(name: str, models: str = "pocket", device: str = "auto") -> FeatureExtractor:
    """Find an extractor by what a person typed.

    Args:
        name: one of NAMES, or the path of a TorchScript or Inception file or of a model's folder.
        models: the model set whose CLIP `clip` is.
        device: where it runs; "auto" is a GPU if there is one.

    Returns:
        The extractor; its model is loaded when first used.

    Raises:
        UsageError: there is no such extractor.
        ModelMissingError: its files are not there; tells what to type.
    """
    if name == "pocket":
        return model_set_clip("pocket", "pocket", device)
    if name == "clip":
        return model_set_clip("clip", models, device)
    if name == "dinov2":
        return dinov2(_cached_dinov2(), device)
    if name == "inception":
        return inception(_inception_file(), device)
    return _by_path(name, device)


def _by_path(name: str, device: str) -> FeatureExtractor:
    path = Path(name)
    if (path / "open_clip_config.json").is_file():
        return open_clip_folder(path, device)
    if (path / "config.json").is_file():
        return dinov2(path, device)
    if path.is_dir():
        raise UsageError(f"--features {name}: the folder is of no open_clip and no DINOv2 model")
    if path.is_file():
        return script(path, device) if _is_torchscript(path) else inception(path, device)
    if path.suffix or len(path.parts) > 1:
        raise ModelMissingError(f"--features {name}: no such file or folder")
    raise UsageError(f"--features {name}: name one of {', '.join(NAMES)}, or give a file's path")


def _cached_dinov2() -> Path:
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(DINOV2, "config.json")
    weights = try_to_load_from_cache(DINOV2, "model.safetensors")
    if isinstance(config, str) and isinstance(weights, str):
        return Path(config).parent
    raise ModelMissingError(
        f"--features dinov2: no {DINOV2} in the local cache; type 'hf download {DINOV2}', "
        "or give --features the folder of a DINOv2"
    )


def _inception_file() -> Path:
    named = os.environ.get(INCEPTION_VARIABLE)
    caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    torch_home = Path(os.environ.get("TORCH_HOME") or caches / "torch")
    file = Path(named) if named else torch_home / "hub" / "checkpoints" / INCEPTION_FILE
    if file.is_file():
        return file
    raise ModelMissingError(
        f"--features inception: no weights at {file}; type 'curl -L --create-dirs -o "
        f"{shlex.quote(str(file))} {_INCEPTION_URL}/{INCEPTION_FILE}', or name a file with "
        f"--features or {INCEPTION_VARIABLE}"
    )


def _is_torchscript(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(part == "code" for name in archive.namelist() for part in name.split("/"))
    except (zipfile.BadZipFile, OSError):
        return False
