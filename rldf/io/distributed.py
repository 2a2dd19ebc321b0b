"""What work runs on: ranks, devices and number formats.

Only this module asks torch what is there. A GPU of Nvidia comes first, then one of Apple (MPS),
then the CPU. The ranks of a launcher are read without loading torch.
"""

import os
from typing import Literal

# Read when torch is imported: what Apple's GPUs lack is then computed on the CPU.
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")

Dtype = Literal["float32", "bfloat16", "float16"]
"""Number formats by the names of torch."""


def rank() -> int:
    """Give the number of this process, 0 for the first or only one."""
    return int(os.environ.get("RANK", "0"))


def world() -> int:
    """Count the processes that the launcher started, 1 or more."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def cpu_share(most: int) -> int:
    """Give how many cores this process may use, 1 to `most`, where several share a machine."""
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(1, min(most, (os.cpu_count() or 1) // here))


def resolve(device: str, *, apple: bool = True) -> str:
    """Give the device of torch that a name stands for.

    Args:
        device: a device of torch, or "auto" for a GPU if there is one.
        apple: whether "auto" may be a GPU of Apple; training and the networks that judge images
            are not tested there.
    """
    if device != "auto":
        return device
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if apple and torch.backends.mps.is_available() else "cpu"


def is_cuda(device: str) -> bool:
    """Tell whether a device, or what "auto" stands for, is a GPU of Nvidia."""
    return resolve(device).startswith("cuda")


def has_fast_bfloat16(device: str) -> bool:
    """Tell whether a device computes in bfloat16 itself, where others imitate it slowly."""
    import torch

    kind = resolve(device)
    if kind.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if kind != "cpu" or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def default_dtype(device: str, *, wide: bool) -> Dtype:
    """Choose the number format in which images are drawn.

    On Apple's GPUs both short formats are reported to give black or broken images with some
    models and versions, so full precision is used unless another one is asked for; so it is on
    CPUs, and on GPUs of Nvidia that have no bfloat16 for numbers that need its range.

    Args:
        device: a device of torch, or "auto".
        wide: whether numbers get too large for float16, as in transformers.
    """
    if not is_cuda(device):
        return "float32"
    if not wide:
        return "float16"
    return "bfloat16" if has_fast_bfloat16(device) else "float32"


def gpu_name() -> str | None:
    """Give the GPU's name as its driver says it, None without a GPU."""
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
