"""Hostile models through the commands: one line, exit code 2 or 3, and no code that ran."""

import contextlib
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from rldf.errors import ConfigError
from rldf.evaluation.extractors import find_extractor
from tests.models.hostile import (
    Payload,
    adapter,
    copy,
    lie,
    model_set,
    nested,
    pickled,
    python,
    squeezed,
    swelling,
    with_key,
)

EXAMPLE = Path(__file__).parents[2] / "examples" / "dog-in-park.png"
SEARCH = ("search", EXAMPLE, "--renders", "4", "--quiet")


@pytest.fixture
def marker(tmp_path):
    marker = tmp_path / "code-ran"
    yield marker
    assert not marker.exists(), "code of a model ran"
    left = {path.name for path in (tmp_path / "here").iterdir()}
    assert left <= {"runs"}, "a refused model left something behind"


def refused(answer, *told):
    code, out, err = answer
    assert (code in (2, 3), out) == (True, ""), answer
    assert err.startswith("error: "), err
    assert err.count("\n") == 1, err
    for words in told:
        assert words in err


def command_of(role):
    return SEARCH if role == "generator" else ("encode", EXAMPLE)


def test_an_adapter_of_a_model_elsewhere(call, tmp_path, marker):
    folder, base = copy(tmp_path, "scene"), copy(tmp_path / "elsewhere", "scene")
    adapter(folder, base)
    answer = call("encode", EXAMPLE, "--models", model_set(tmp_path, "scene", folder))
    refused(answer, "adapter_config.json")


def test_the_payload_runs_where_pickles_are_trusted(tmp_path):
    torch.load(pickled(tmp_path / "evil.pt", tmp_path / "code-ran"), weights_only=False)
    assert (tmp_path / "code-ran").exists()


@pytest.mark.parametrize("name", ["evil.pt", "evil.pth.tar", "evil.bin"])
@pytest.mark.parametrize("command", [("encode", EXAMPLE), SEARCH])
def test_pickled_detectors(call, tmp_path, marker, name, command):
    pickled(tmp_path / name, marker)
    refused(call(*command, "--models", model_set(tmp_path, "detector", tmp_path / name)), name)


def test_a_pickled_detector_that_names_a_package_installs_none(call, tmp_path, marker):
    class Elsewhere:
        def __reduce__(self):
            return Path.touch, (marker,)

    Elsewhere.__module__ = "some_package_that_is_not_there"
    torch.save({"model": Elsewhere(), "train_args": Payload(marker)}, tmp_path / "evil.pt")
    models = model_set(tmp_path, "detector", tmp_path / "evil.pt")
    refused(call("encode", EXAMPLE, "--models", models))


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("name", ["pytorch_model.bin", "open_clip_pytorch_model.pth.tar"])
@pytest.mark.parametrize("role", ["scene", "clip"])
def test_pickled_weights_of_folders(call, tmp_path, marker, role, name, beside):
    """Alone they are refused; beside safetensors that lie they are no way out either."""
    folder = copy(tmp_path, role)
    pickled(folder / name, marker)
    (weights,) = folder.glob("*.safetensors")
    if beside:
        weights.write_bytes(struct.pack("<Q", 1 << 60) + b"{}")
    else:
        weights.unlink()
    refused(call("encode", EXAMPLE, "--models", model_set(tmp_path, role, folder)), str(folder))


def test_pickled_weights_of_a_pipeline(call, tmp_path, marker):
    folder = copy(tmp_path, "sd")
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    pickled(folder / "unet" / "diffusion_pytorch_model.bin", marker)
    refused(call(*SEARCH, "--models", model_set(tmp_path, "generator", folder)), "pickle")


def test_pickled_weights_of_a_pipeline_in_a_pipeline(call, tmp_path, marker):
    folder = copy(tmp_path, "sd")
    inside = nested(folder, "unet")
    (inside / "config.json").write_text('{"_class_name": "UNet2DModel"}')
    pickled(inside / "diffusion_pytorch_model.bin", marker)
    answer = call(*SEARCH, "--models", model_set(tmp_path, "generator", folder))
    refused(answer, "unet is a pipeline itself")


@pytest.mark.parametrize("role", ["scene", "clip"])
def test_remote_code_of_folders(call, tmp_path, marker, role):
    folder = copy(tmp_path, role)
    names = dict.fromkeys(("AutoConfig", "AutoModelForImageClassification"), "evil.Evil")
    if role == "clip":
        trusting_clip(folder, marker)
    else:
        python(folder / "evil.py", marker)
        with_key(folder / "config.json", model_type="evil", auto_map=names)
    refused(call("encode", EXAMPLE, "--models", model_set(tmp_path, role, folder)), "code")


def trusting_clip(folder, marker):
    python(folder / "evil.py", marker)
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"]["text_cfg"] |= {
        "hf_tokenizer_name": "evil",
        "tokenizer_kwargs": {"trust_remote_code": True},
    }
    with_key(folder / "open_clip_config.json", **config)
    with_key(folder / "tokenizer_config.json", auto_map={"AutoTokenizer": [None, "evil.Evil"]})
    return folder


def test_the_clip_of_features_is_looked_through_too(tmp_path, marker):
    extractor = find_extractor(str(trusting_clip(copy(tmp_path, "clip"), marker)))
    (tmp_path / "here").mkdir(exist_ok=True)
    with pytest.raises(ConfigError, match="code"):
        extractor([Image.new("RGB", (64, 64))])


def test_the_trap_of_open_clip_is_real(tmp_path):
    """open_clip lets a folder say itself that its code is to be trusted."""
    import open_clip

    folder = trusting_clip(copy(tmp_path, "clip"), tmp_path / "code-ran")
    with contextlib.suppress(Exception):
        open_clip.get_tokenizer(f"local-dir:{folder}")
    assert (tmp_path / "code-ran").exists()


@pytest.mark.parametrize(
    "entries",
    [
        {"_class_name": ["evil", "Evil"]},
        {"unet": ["evil", "Evil"]},
        {"unet": ["os", "system"]},
        {"_class_name": "Evil", "custom_pipeline": "them/theirs"},
    ],
)
def test_pipelines_of_foreign_code(call, tmp_path, marker, entries):
    folder = copy(tmp_path, "sd")
    for place in (folder, folder / "unet"):
        python(place / "evil.py", marker)
    with_key(folder / "model_index.json", **entries)
    refused(call(*SEARCH, "--models", model_set(tmp_path, "generator", folder)))
    for place in (folder, folder / "unet"):
        (place / "evil.py").unlink()
    refused(call(*SEARCH, "--models", model_set(tmp_path, "generator", folder)), "model_index.json")


def test_a_pipeline_that_diffusers_does_not_know(call, tmp_path, marker):
    folder = copy(tmp_path, "sd")
    with_key(folder / "model_index.json", _class_name="EvilPipeline")
    refused(call(*SEARCH, "--models", model_set(tmp_path, "generator", folder)), "pipeline")


@pytest.mark.parametrize("role", ["scene", "clip", "generator"])
def test_safetensors_that_lie(call, tmp_path, marker, role):
    folder = copy(tmp_path, "sd" if role == "generator" else role)
    weights = next(folder.rglob("*.safetensors"))

    def beyond(header):
        next(e for n, e in header.items() if n != "__metadata__")["data_offsets"] = [0, 1 << 50]

    lie(weights, beyond)
    models = model_set(tmp_path, role, folder)
    refused(call(*command_of(role), "--models", models), "no valid safetensors file")


def test_a_pickled_places365_checkpoint(call, tmp_path, marker):
    file = pickled(tmp_path / "resnet18_places365.pth.tar", marker)
    answer = call("models", "import-places365", file, "--out", tmp_path / "out")
    refused(answer, "cannot be loaded safely")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("make", [swelling, squeezed])
def test_pickles_that_fill_the_memory(call, tmp_path, marker, make):
    file = make(tmp_path / "resnet18_places365.pth.tar", 10**8)
    refused(call("models", "import-places365", file, "--out", tmp_path / "out"), file.name)
    models = model_set(tmp_path, "detector", make(tmp_path / "evil.pt", 10**8))
    answer = call("encode", EXAMPLE, "--models", models)
    refused(answer, "evil.pt")
    assert "loaded safely" not in answer[2], "it was loaded"


def test_a_classifier_with_a_hole_is_not_filled_with_random_numbers(call, tmp_path, marker):
    from safetensors.numpy import load_file, save_file

    folder = copy(tmp_path, "scene")
    weights = load_file(folder / "model.safetensors")
    lost = max(name for name in weights if name.endswith(".weight"))
    del weights[lost]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    models = model_set(tmp_path, "scene", folder)
    refused(call("encode", EXAMPLE, "--models", models), "its weights lack", lost)


CONTAINED = """
import logging, os, signal, socket, subprocess, sys, threading, warnings
import matplotlib
from pathlib import Path
import numpy as np, torch
from PIL import Image

told = []
def refuse(what):
    def call(*words, **named):
        told.append(f"{what}: {words[1:] or words}")
        raise OSError("not in this test")
    return call
socket.socket.connect = refuse("connect")
socket.getaddrinfo = refuse("getaddrinfo")
subprocess.Popen.__init__ = refuse("process")
os.system = refuse("process")
def state():
    options = vars(torch._tensor_str.PRINT_OPTS)
    quiet = ("YOLO_", "ULTRALYTICS_")
    return {
        "open": Image.open, "save": torch.save, "load": torch.load,
        "numpy": np.get_printoptions(), "torch": dict(options), "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "cudnn": (torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic),
        "loadable": sorted(map(str, torch.serialization.get_safe_globals())),
        "warnings": list(warnings.filters), "random": torch.get_rng_state().sum().item(),
        "numpy random": np.random.get_state()[2], "hooks": (sys.excepthook, threading.excepthook),
        "log": (logging.root.handlers[:], logging.root.level), "streams": (sys.stdout, sys.stderr),
        "signals": [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)],
        "environment": {k: v for k, v in os.environ.items() if not k.startswith(quiet)},
        "alive": threading.enumerate(), "style": dict(matplotlib.rcParams),
    }
torch.set_num_threads(2)
before = state()
from rldf.perception.detector import YoloDetector
detector = YoloDetector(path=Path(sys.argv[1]), size=128)
detector.detect([Image.new("RGB", (128, 128))])
after = state()
changed = {k: (before[k], after[k]) for k in before if before[k] != after[k]}
assert not changed, changed
installs = [line for line in told if "connect" in line or "getaddrinfo" in line or "pip" in line]
assert not installs, installs
import ultralytics.utils
assert ultralytics.utils.SAFE_LOAD and not ultralytics.utils.AUTOINSTALL
assert not ultralytics.utils.ONLINE
"""


def test_ultralytics_is_contained(tmp_path):
    """In a process and a home of its own: nothing sent, installed, written or left patched."""
    from rldf.pocket import WEIGHTS

    home = tmp_path / "home"
    home.mkdir()
    kept = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV")  # it sets OMP_NUM_THREADS
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= {"HOME": str(home), "RLDF_CACHE": str(tmp_path / "cache")}
    environment |= {"MPLCONFIGDIR": str(tmp_path / "matplotlib")}
    done = subprocess.run(
        [sys.executable, "-c", CONTAINED, str(WEIGHTS / "detector" / "detector.pt")],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert [path.relative_to(home) for path in home.rglob("*") if path.is_file()] == []
