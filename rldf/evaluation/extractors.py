"""Feature extractors: CLIP, DINOv2, Inception and TorchScript networks, from local files only.

An extractor is identified by the checksums of its files, so cached features cost no model loading;
the model is loaded with the first image. Nothing here downloads.
"""

import io
import os
import shlex
import warnings
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rldf.errors import ConfigError, ModelMissingError, UsageError
from rldf.evaluation.features import FeatureExtractor, Features
from rldf.interfaces import Json
from rldf.io import distributed
from rldf.io.cache import key_of
from rldf.io.files import sha256_file
from rldf.io.text import one_line
from rldf.models.model_sets import load_model_set
from rldf.models.safety import check_model

if TYPE_CHECKING:
    import torch

NAMES = ("pocket", "clip", "dinov2", "inception")
DINOV2 = "facebook/dinov2-large"
INCEPTION_VARIABLE = "RLDF_INCEPTION"
INCEPTION_FILE = "weights-inception-2015-12-05-6726825d.pth"
_INCEPTION_URL = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0"

_INCEPTION_SIDE, _DINOV2_SIDE = 299, 224  # px
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Embed = Callable[[Sequence[Image.Image]], Features]


def find_extractor(name: str, models: str = "pocket", device: str = "auto") -> FeatureExtractor:
    """Find a feature extractor; its model is loaded on first use.

    Args:
        name: pocket, clip, dinov2 or inception, or the path of a TorchScript or Inception file or
            of the folder of an open_clip or DINOv2 model.
        models: model set whose CLIP is used for "clip".
        device: torch device; "auto" is a GPU if there is one.

    Raises:
        UsageError: there is no such extractor.
        ModelMissingError: its files are not there; the message says what to type.
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


class LazyExtractor:
    """An extractor whose model is loaded with the first image."""

    def __init__(
        self, name: str, identity: Json, load: Callable[[], Embed], *, scaled: bool = False
    ) -> None:
        """Describe an extractor; `scaled` makes rows of length √d from rows of length 1."""
        self.name = name
        self.identity = identity
        self._load, self._scaled = load, scaled
        self._embed: Embed | None = None

    def __call__(self, images: Sequence[Image.Image]) -> Features:
        """Compute features of RGB images.

        Returns:
            (n, d) float32.
        """
        if self._embed is None:
            self._embed = self._load()
        rows = self._embed(images)
        return rows * np.float32(rows.shape[1] ** 0.5) if self._scaled else rows


def model_set_clip(name: str, models: str, device: str = "auto") -> FeatureExtractor:
    """Take the image tower of a model set's CLIP: rows of length √d.

    The direction is what CLIP learned, and equal lengths make a distance a cosine. With length √d
    a coordinate is about 1 in size, as the kernel of KID expects.
    """
    model_set = load_model_set(models, _resolve(device))
    part, path = model_set.file.clip, model_set.path("clip")
    if path is not None and not path.exists():
        raise ModelMissingError(
            f"--features {name}: model set {model_set.file.name} has no CLIP at {path}; "
            "type 'rldf doctor' to see which model sets are complete"
        )
    described: Json = [part.kind, dict(part.settings), model_set.checksum("clip")]
    identity: Json = ["clip", described]
    return LazyExtractor(name, identity, lambda: model_set.clip.embed_images, scaled=True)


def open_clip_folder(path: Path, device: str = "auto") -> FeatureExtractor:
    """Take the image tower of a CLIP in open_clip's layout: rows of length √d."""

    def load() -> Embed:
        from rldf.perception.clip import OpenClip

        check_model(path)
        return OpenClip(path=path, device=_resolve(device)).embed_images

    files = (path / "open_clip_config.json", *sorted(path.glob("*.safetensors")))
    return LazyExtractor(f"clip {path.name}", ["clip", _digests(files)], load, scaled=True)


def dinov2(path: Path, device: str = "auto") -> FeatureExtractor:
    """Take the class token of a DINOv2 in transformers' layout.

    Images are resized to 224 x 224 (bicubic), as in "Exposing flaws of generative model evaluation
    metrics and their unfair treatment of diffusion models", arXiv:2306.04675.
    """

    def load() -> Embed:
        import torch
        from transformers import Dinov2Model
        from transformers.utils import logging

        logging.disable_progress_bar()
        check_model(path)
        try:
            model = Dinov2Model.from_pretrained(path, local_files_only=True, use_safetensors=True)
        except Exception as error:  # a broken folder may raise anything; the user needs one line
            raise ConfigError(f"{path} is no DINOv2 model: {one_line(error)}") from error
        model = model.eval().to(_resolve(device))

        @torch.inference_mode()
        def embed(images: Sequence[Image.Image]) -> Features:
            pixels = np.stack([_resized(image, _DINOV2_SIDE) for image in images]) / 255
            pixels = (pixels - _IMAGENET_MEAN) / _IMAGENET_STD
            return _numpy(model(_tensor(pixels, model.device)).last_hidden_state[:, 0])

        return embed

    files = (path / "config.json", *sorted(path.glob("*.safetensors")))
    return LazyExtractor("dinov2", ["dinov2", _digests(files)], load)


def inception(file: Path, device: str = "auto") -> FeatureExtractor:
    """Take Inception's pool features, by torch-fidelity's own network and resizing."""

    def load() -> Embed:
        import torch
        from torch_fidelity import FeatureExtractorInceptionV3

        check_model(file)
        safe = io.BytesIO()  # torch-fidelity unpickles whatever a file says: it gets numbers alone
        try:
            torch.save(torch.load(file, map_location="cpu", weights_only=True), safe)
            safe.seek(0)
            network = FeatureExtractorInceptionV3(
                "inception-v3-compat", ["2048"], feature_extractor_weights_path=safe
            )
        except Exception as error:  # an untrusted file may raise anything
            raise ConfigError(f"{file} holds no Inception weights: {one_line(error)}") from error
        network = network.to(_resolve(device))

        @torch.inference_mode()
        def embed(images: Sequence[Image.Image]) -> Features:
            return np.concatenate(
                [_numpy(network(_bytes_tensor(image).to(_resolve(device)))[0]) for image in images]
            )

        return embed

    return LazyExtractor("inception", ["inception", sha256_file(file)], load)


def script(file: Path, device: str = "auto") -> FeatureExtractor:
    """Take any TorchScript network; with Inception's, the numbers are those of clean-fid.

    It gets float32 (n, 3, 299, 299) from 0 to 255, resized as clean-fid does (bicubic, antialiased,
    each channel in float), and gives (n, d). A script that has its network in `layers`, as the
    Inception of the StyleGAN metrics has, gets (pixels - 128) / 128 there. A script is a program:
    load none that you do not trust.
    """

    def load() -> Embed:
        import torch

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # TorchScript's deprecation is no news to a user
                load_script: Any = torch.jit.load  # which lacks types
                module = load_script(str(file), map_location=_resolve(device)).eval()
        except Exception as error:  # an untrusted file may raise anything
            raise ConfigError(f"{file} is no TorchScript: {one_line(error)}") from error

        @torch.inference_mode()
        def embed(images: Sequence[Image.Image]) -> Features:
            pixels = np.stack([_cleanly_resized(image, _INCEPTION_SIDE) for image in images])
            batch = _tensor(pixels, _resolve(device))
            layers = getattr(module, "layers", None)
            try:
                found = module(batch) if layers is None else layers((batch - 128) / 128)
                rows = _numpy(found.flatten(1))
                if len(rows) != len(images):
                    raise ValueError(f"{len(rows)} rows for {len(images)} images")
            except Exception as error:  # an untrusted program may raise anything
                raise ConfigError(
                    f"{file} gives no row of features for each image: {one_line(error)}"
                ) from error
            return rows

        return embed

    return LazyExtractor(file.name, ["torchscript", sha256_file(file)], load)


def _digests(files: Sequence[Path]) -> Json:
    return [[file.name, sha256_file(file)] for file in files]


def _resolve(device: str) -> str:
    return distributed.resolve(device, apple=False)


def _resized(image: Image.Image, side: int) -> NDArray[np.uint8]:
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC))


def _cleanly_resized(image: Image.Image, side: int) -> NDArray[np.float32]:
    """Resize each channel in float, without rounding to bytes: see arXiv:2104.11222."""
    channels = [channel.convert("F") for channel in image.split()]
    small = [channel.resize((side, side), Image.Resampling.BICUBIC) for channel in channels]
    return np.stack([np.asarray(channel) for channel in small], axis=-1)


def _tensor(pixels: NDArray[Any], device: "str | torch.device") -> "torch.Tensor":
    """Take (n, h, w, c) to a float32 tensor (n, c, h, w)."""
    import torch

    return torch.from_numpy(pixels.astype(np.float32)).permute(0, 3, 1, 2).to(device)


def _bytes_tensor(image: Image.Image) -> "torch.Tensor":
    import torch

    return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None]


def _numpy(rows: "torch.Tensor") -> Features:
    found: Features = rows.float().cpu().numpy()
    return found


def register(extractor: FeatureExtractor) -> str:
    """Register an extractor with torch-fidelity.

    `torch_fidelity.calculate_metrics(feature_extractor=register(extractor), ...)` then computes
    over folders what `rldf evaluate` computes, without our cache and without our reading of files.
    It takes PNG and JPEG files, all of one size.
    """
    import torch
    from PIL import Image
    from torch_fidelity import FeatureExtractorBase, register_feature_extractor
    from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY

    class Registered(FeatureExtractorBase):  # type: ignore[misc]  # torch_fidelity has no types
        def __init__(self, name: str, features_list: Sequence[str], **_: Any) -> None:
            super().__init__(name, features_list)

        def forward(self, pixels: "torch.Tensor") -> tuple["torch.Tensor"]:
            arrays = pixels.permute(0, 2, 3, 1).cpu().numpy()
            return (torch.from_numpy(extractor([Image.fromarray(array) for array in arrays])),)

        @staticmethod
        def get_provided_features_list() -> tuple[str]:
            return ("features",)

        @staticmethod
        def get_default_feature_layer_for_metric(metric: str) -> str:
            return "features"

        @staticmethod
        def can_be_compiled() -> bool:
            return False

    name = f"rldf-{key_of(extractor.name, extractor.identity)[:16]}"
    if name not in FEATURE_EXTRACTORS_REGISTRY:
        register_feature_extractor(name, Registered)
    return name
