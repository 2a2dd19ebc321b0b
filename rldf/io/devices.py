"""What models run on, and in which number format: the one place that decides it.

A GPU of Nvidia comes first, then one of Apple (MPS), then the CPU.
"""

import os
from typing import Literal

# Read when torch is imported: what Apple's GPUs lack is then computed on the CPU.
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")

Dtype = Literal["float32", "bfloat16", "float16"]
"""Number formats by the names of torch."""


def resolve(device: str, *, apple: bool = True) -> str:
    """Say what a model runs on."""
    if device != "auto":
        return device
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if apple and torch.backends.mps.is_available() else "cpu"


def is_cuda(device: str) -> bool:
    """Tell whether a device is a GPU of Nvidia."""
    return resolve(device).startswith("cuda")


def usual_dtype(device: str, *, wide: bool) -> Dtype:
    """Choose the number format in which images are drawn.

    On Apple's GPUs both short formats are reported to give black or broken images with some
    models and versions, so full precision is used unless another one is asked for.
    """
    if not is_cuda(device):
        return "float32"
    return "bfloat16" if wide else "float16"


def gpu_name() -> str | None:
    """Name the GPU."""
    import torch

    kind = resolve("auto")
    if kind == "cuda":
        return str(torch.cuda.get_device_name())
    return str(torch.backends.mps.get_name()) if kind == "mps" else None


def free_memory() -> None:
    """Have the GPU give back memory that is no longer used."""
    import torch

    kind = resolve("auto")
    if kind == "cuda":
        torch.cuda.empty_cache()
    elif kind == "mps":
        torch.mps.empty_cache()
