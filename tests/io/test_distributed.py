"""What models run on: Nvidia's GPUs, Apple's, the CPU."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from rldf.cli import doctor
from rldf.dataset import render
from rldf.evaluation import extractors
from rldf.generators.batching import Portions
from rldf.io import distributed
from rldf.models import model_sets
from rldf.models.auto import choose
from rldf.models.model_sets import auto_choice

ROOT = Path(distributed.__file__).resolve().parents[2]


@pytest.fixture(params=["cuda", "mps", "cpu"])
def machine(request, monkeypatch):
    """Pretend to be a machine with such a device."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: request.param == "cuda")
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "N1")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: request.param == "mps")
    monkeypatch.setattr(torch.backends.mps, "get_name", lambda: "Apple M9", raising=False)
    return request.param


def test_a_gpu_is_used_whoever_made_it(machine):
    assert distributed.resolve("auto") == machine
    assert distributed.resolve("cuda:1") == "cuda:1"
    assert distributed.is_cuda("auto") is (machine == "cuda")


def test_judges_and_training_run_on_nvidias_gpus_or_the_cpu(machine):
    wanted = "cuda" if machine == "cuda" else "cpu"
    assert distributed.resolve("auto", apple=False) == wanted
    assert extractors._resolve("auto") == wanted


def test_the_doctor_names_the_gpu(machine):
    names = {"cuda": "N1", "mps": "Apple M9", "cpu": None}
    found = doctor.device()
    assert (found["kind"], found["name"]) == (machine, names[machine])


def test_real_models_are_taken_where_there_is_a_gpu(machine, monkeypatch):
    complete = SimpleNamespace(lacks=list)
    monkeypatch.setattr(model_sets, "load_model_set", lambda name: complete)
    choice = auto_choice()
    assert choice.name == ("pocket" if machine == "cpu" else "sd14")
    assert ("no GPU" in choice.why) is (machine == "cpu")
    assert choose(lambda name: True, lambda: True).name == "sd14"


def test_half_precision_is_usual_on_nvidias_gpus_alone(machine):
    short = machine == "cuda"
    assert distributed.default_dtype("auto", wide=False) == ("float16" if short else "float32")
    assert distributed.default_dtype("auto", wide=True) == ("bfloat16" if short else "float32")


def test_a_gpu_without_bfloat16_of_its_own_draws_wide_numbers_in_full_precision(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    assert distributed.default_dtype("cuda", wide=True) == "float32"
    assert distributed.default_dtype("cuda", wide=False) == "float16"
    assert not distributed.has_fast_bfloat16("cuda:1")


@pytest.mark.parametrize("fast", [True, False])
def test_a_cpu_says_itself_whether_it_has_bfloat16(monkeypatch, fast):
    cpu = SimpleNamespace(_is_mkldnn_bf16_supported=lambda: fast)
    monkeypatch.setattr(torch.ops, "mkldnn", cpu, raising=False)
    assert distributed.has_fast_bfloat16("cpu") is fast


def test_large_batches_are_for_nvidias_gpus(machine):
    models = SimpleNamespace(file=SimpleNamespace(generator=SimpleNamespace(kind="diffusion")))
    assert render._usual_batch(models, "auto") == (16 if machine == "cuda" else 8)
    assert render._usual_batch(models, "cpu") == 8


def test_one_image_at_a_time_where_batches_may_be_wrong():
    seen = []
    assert Portions(most=1).map(lambda part: seen.append(len(part)) or list(part), [1, 2, 3])
    assert seen == [1, 1, 1]


def test_no_other_module_asks_torch_for_a_gpu():
    """One place decides; measurements outside the package may ask for themselves."""
    for file in (ROOT / "rldf").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert file.name == "distributed.py" or "is_available()" not in text, file


def test_what_apples_gpus_lack_is_computed_on_the_cpu():
    code = "import os, rldf.models.build; print(os.environ['PYTORCH_ENABLE_MPS_FALLBACK'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "1\n"
