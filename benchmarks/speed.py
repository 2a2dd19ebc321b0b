"""What a user waits for: `rldf --help`, one render, a search of 100 unique renders.

`python benchmarks/speed.py`  prints seconds beside the bars of the project.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

from rldf.generators.diffusion import DiffusionGenerator
from rldf.models.model_sets import load_model_set
from rldf.pocket.fidelity import render_seconds

EXAMPLE = next(iter(sorted(Path("examples").glob("*.png"))))


def seconds(command: list[str], environment: dict[str, str] | None = None) -> float:
    """Time a command.

    Args:
        command: the program and its arguments.
        environment: variables beside the present ones.

    Returns:
        Wall-clock seconds.
    """
    begun = time.perf_counter()
    subprocess.run(
        command, check=True, stdout=subprocess.PIPE, env={**os.environ, **(environment or {})}
    )
    return time.perf_counter() - begun


def main() -> None:
    """Measure and print."""
    rldf = [sys.executable, "-m", "rldf"]
    seconds([*rldf, "--help"])  # the first start compiles the modules
    helped = statistics.median(seconds([*rldf, "--help"]) for _ in range(5))
    render = render_seconds(load_model_set("pocket").generator)
    with tempfile.TemporaryDirectory() as folder:
        empty = {"RLDF_CACHE": str(Path(folder) / "cache")}
        search = ["search", str(EXAMPLE), "--agent", "random", "--renders", "100", "--continue"]
        out = ["--json", "--out", str(Path(folder) / "run")]
        searched = seconds([*rldf, *search, *out], empty)
    rows = [
        {"what": "rldf --help", "seconds": round(helped, 3), "bar": 0.5},
        {"what": "one render, batch 1", "seconds": render, "bar": 0.4},
        {"what": "search of 100 unique renders", "seconds": round(searched, 1), "bar": 90},
    ]
    rows += [
        {"what": "one render in float32", "seconds": seconds_in("float32"), "bar": None},
        {"what": "one render in bfloat16", "seconds": seconds_in("bfloat16"), "bar": None},
    ]
    print(json.dumps(rows, indent=1))


def seconds_in(dtype: Literal["float32", "bfloat16"]) -> float:
    """Time a render at batch 1 in one number format, beside the other in the same run."""
    models = load_model_set("pocket")
    path = models.path("generator")
    assert path is not None
    return render_seconds(DiffusionGenerator(path=path, size=128, guidance=3.0, dtype=dtype))


if __name__ == "__main__":
    main()
