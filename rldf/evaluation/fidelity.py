"""Our extractors as those of torch-fidelity, so that its own program can check our figures."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rldf.evaluation.feature_cache import key_of
from rldf.evaluation.features import FeatureExtractor

if TYPE_CHECKING:
    import torch


def register(extractor: FeatureExtractor) -> str:
    """Register an extractor with torch-fidelity.

    `torch_fidelity.calculate_metrics(feature_extractor=register(extractor), ...)` then computes
    over folders what `rldf evaluate` computes, without our cache and without our reading of files.
    It takes PNG and JPEG files, all of one size.

    Args:
        extractor: one of ours.

    Returns:
        The name to give to torch-fidelity; the same for the same extractor.
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
