"""The benchmark of the diffusion generator, tried on tiny models."""

import functools
import importlib
import json
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline

# diffusers 0.42 hands numpy 2 a tensor of torch; users do not see it.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("fits", "at_once"), [(8, 8), (3, 2), (0, None)])
def test_what_memory_does_not_hold_is_shown(monkeypatch, tmp_path, capsys, fits, at_once):
    called = StableDiffusionPipeline.__call__

    @functools.wraps(called)
    def narrow(self, prompt=None, **options):
        if len(options["generator"]) > fits:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return called(self, prompt, **options)

    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    benchmark = importlib.import_module("generator")
    monkeypatch.setattr(StableDiffusionPipeline, "__call__", narrow)
    monkeypatch.setattr(benchmark, "difference", lambda ways: {})
    out = tmp_path / "out.json"
    words = ["--tiny", "--steps", "1", "--rounds", "1", "--batches", "8", "--device", "cpu"]
    monkeypatch.setattr("sys.argv", ["generator.py", *words, "--out", str(out)])
    benchmark.main()
    rows = json.loads(out.read_text())["batches"]["8"]
    assert (rows["ours"] or {}).get("at_once") == at_once
    assert (rows["plain"] is None) is (fits < 8)
    table = [line.split() for line in capsys.readouterr().out.splitlines()]
    ours = next(cells for cells in table if "ours" in cells)
    assert ours[2:] == ["no", "memory", *"----"] or ours[4] == str(at_once)
