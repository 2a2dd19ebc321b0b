"""Fuses a LoRA into a pipeline: products of small matrices are added to its weights.

The pipeline then runs as fast as without a LoRA. See https://arxiv.org/abs/2106.09685.
"""

import json
import math
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rldf.errors import ConfigError
from rldf.io.text import one_line

_ONE_PAIR = re.compile(r"(lora_B|lora_up|\.up)\.weight$")  # in peft, kohya and older diffusers
_METADATA = "lora_adapter_metadata"  # where diffusers writes what peft's configuration was


def fuse_lora(pipeline: Any, file: Path) -> None:
    """Add a LoRA to a pipeline's weights.

    Raises:
        ConfigError: if any pair of the LoRA's matrices has no place in the pipeline.
    """
    kind = type(pipeline).__name__
    if not hasattr(pipeline, "load_lora_weights"):
        raise ConfigError(f"lora {file}: {kind} takes no LoRA: leave the component lora out")
    tensors = _read(file)
    pairs = sum(_ONE_PAIR.search(name) is not None for name in tensors)
    try:
        fused = _fuse(pipeline, tensors)
    except Exception as error:  # what does not fit may raise anything; the user needs one line
        raise ConfigError(_misfit(file, kind, one_line(error))) from error
    if fused < max(1, pairs):
        raise ConfigError(_misfit(file, kind, f"{fused} of {pairs} pairs of matrices have a place"))


def _misfit(file: Path, kind: str, why: str) -> str:
    return f"lora {file} does not fit {kind} ({why}): give one that was made for this model"


def _fuse(pipeline: Any, tensors: Mapping[str, Any]) -> int:
    """Load a LoRA, add it to the weights, unload it, and return the number of changed weights."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    parts = {name: getattr(pipeline, name, None) for name in pipeline._lora_loadable_modules}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names without a place, which are counted here
        pipeline.load_lora_weights(dict(tensors))
        counts = {
            name: sum(isinstance(module, BaseTunerLayer) for module in part.modules())
            for name, part in parts.items()
            if part is not None
        }
        found = [name for name, n in counts.items() if n]
        if found:
            pipeline.fuse_lora(components=found, safe_fusing=True)  # refuses what is not a number
        pipeline.unload_lora_weights()
    return sum(counts.values())


def _read(file: Path) -> dict[str, Any]:
    """Read a LoRA's matrices, multiplied by the scale that the file's configuration states.

    Nothing else of that configuration is used, and peft is not given it.
    """
    from safetensors import safe_open

    if file.is_dir():
        raise ConfigError(f"lora {file} is a folder: name one .safetensors file in it")
    try:
        with safe_open(file, framework="pt") as opened:
            stated = json.loads((opened.metadata() or {}).get(_METADATA) or "{}")
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        return {name: tensor * _scale(name, tensor, stated) for name, tensor in tensors.items()}
    except Exception as error:  # a damaged file may raise anything
        raise ConfigError(f"{file} is no LoRA of safetensors: {one_line(error)}") from error


def _scale(name: str, tensor: Any, stated: Mapping[str, Any]) -> float:
    """Return a matrix's scale: alpha / rank, or alpha / sqrt(rank) for rsLoRA.

    It is 1 for the lower matrix of a pair, and where the configuration states no alpha.
    """
    part = name.partition(".")[0]
    alpha = stated.get(f"{part}.lora_alpha")
    if alpha is None or not name.endswith("lora_B.weight"):
        return 1.0
    if stated.get(f"{part}.alpha_pattern") or stated.get(f"{part}.use_dora"):
        raise ValueError("its matrices have scales of their own")
    rank = int(tensor.shape[1])
    return float(alpha) / (math.sqrt(rank) if stated.get(f"{part}.use_rslora") else rank)
