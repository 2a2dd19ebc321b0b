# ruff: noqa: TID253 (only benchmarks import it)
"""What a benchmark ran on."""

import os
from typing import Any

import torch

from rldf.io.provenance import versions


def machine(device: str) -> dict[str, Any]:
    """Describe the machine and the libraries.

    Args:
        device: where the models run.

    Returns:
        Device, cores, threads and versions.
    """
    known = versions()
    return {
        "device": torch.cuda.get_device_name() if device.startswith("cuda") else "CPU",
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "versions": {name: known.get(name) for name in ("rldf", "torch", "diffusers")},
    }
