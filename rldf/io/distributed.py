"""The hardware that models run on: processes, devices and number formats.

Only this module asks torch which devices exist. "auto" prefers an Nvidia GPU, then an Apple GPU
(MPS), then the CPU. The ranks that a launcher sets are read without loading torch.
"""

import os
from typing import Literal

# torch reads this when it is imported: it then runs on the CPU what Apple's GPUs cannot run.
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")

Dtype = Literal["float32", "bfloat16", "float16"]
"""Names of number formats in torch."""


def rank() -> int:
    """Return the number of this process; 0 for the first or only one."""
    return int(os.environ.get("RANK", "0"))


def world() -> int:
    """Return the number of processes that the launcher started; 1 without a launcher."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def cpu_share(most: int) -> int:
    """Return max(1, min(most, cores // processes)) for the cores and processes of this machine."""
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(1, min(most, (os.cpu_count() or 1) // here))


def resolve(device: str, *, apple: bool = True) -> str:
    """Return the torch device for a device name, which may be "auto".

    Args:
        device: name of a torch device, or "auto" for a GPU if there is one.
        apple: whether "auto" may be an Apple GPU; training and the networks that evaluate images
            are not tested on one.
    """
    if device != "auto":
        return device
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if apple and torch.backends.mps.is_available() else "cpu"


def is_cuda(device: str) -> bool:
    """Return whether a device is an Nvidia GPU; "auto" is resolved first."""
    return resolve(device).startswith("cuda")


def has_fast_bfloat16(device: str) -> bool:
    """Return whether a device computes in bfloat16 in hardware; emulation is slow."""
    import torch

    kind = resolve(device)
    if kind.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if kind != "cpu" or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def default_dtype(device: str, *, wide: bool) -> Dtype:
    """Return the default number format of a generator.

    It is float16 on an Nvidia GPU, or bfloat16 there if `wide`. It is float32 on an Nvidia GPU
    without bfloat16 if `wide`, on CPUs, and on Apple's GPUs, where the short formats are reported
    to give black or broken images with some models and versions.

    Args:
        device: name of a torch device, or "auto".
        wide: whether the model's numbers are too large for float16, as in transformers.
    """
    if not is_cuda(device):
        return "float32"
    if not wide:
        return "float16"
    return "bfloat16" if has_fast_bfloat16(device) else "float32"


def gpu_name() -> str | None:
    """Return the name of the GPU from its driver; None without a GPU."""
    import torch

    kind = resolve("auto")
    if kind == "cuda":
        return str(torch.cuda.get_device_name())
    return str(torch.backends.mps.get_name()) if kind == "mps" else None


def free_memory() -> None:
    """Release GPU memory that torch caches and no longer uses."""
    import torch

    kind = resolve("auto")
    if kind == "cuda":
        torch.cuda.empty_cache()
    elif kind == "mps":
        torch.mps.empty_cache()
