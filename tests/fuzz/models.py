"""Models with spoilt files: weights, configuration, words."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from rldf.pocket import WEIGHTS
from tests.fuzz.corpus import (
    EXAMPLE,
    Bases,
    Case,
    Words,
    copied,
    spoilt,
    spoilt_head,
    spoilt_json_text,
)  # fmt: skip
from tests.models.hostile import model_set

_HEAD = 400  # bytes, where the places of the tensors stand
_FOUND = {  # these were once no single line
    ("open_clip_config.json", 2),
    ("open_clip_config.json", 7),
    ("open_clip_config.json", 14),
    ("scheduler/scheduler_config.json", 3),
}
_ROLES = {"scene": "scene", "clip": "clip", "sd": "generator"}


Data = Callable[[], bytes]  # made when the case is run, for weights are large


def _folder(role: str, file: str, data: Data):
    def build(bases: Bases, folder: Path) -> Words:
        copied(WEIGHTS / role, folder, role)
        (folder / role / file).write_bytes(data())
        models = model_set(folder, _ROLES[role], folder / role)
        if role == "sd":
            return ["search", EXAMPLE, "--models", models, "--renders", 4, "--quiet"]
        return ["encode", EXAMPLE, "--models", models]

    return build


def _detector(data: Data, ending: str):
    def build(bases: Bases, folder: Path) -> Words:
        (folder / f"mine{ending}").write_bytes(data())
        return [
            "encode", EXAMPLE, "--models", model_set(folder, "detector", folder / f"mine{ending}"),
        ]  # fmt: skip

    return build


def _handmade() -> Iterator[tuple[str, str, dict[str, object]]]:
    yield "scene", "config.json", {"num_hidden_layers": -1}
    yield "scene", "config.json", {"model_type": "nothing"}
    yield "scene", "config.json", {"id2label": {"0": "\u001b[31m"}}
    yield "scene", "config.json", {"hidden_sizes": [10**9, 10**9]}
    yield "scene", "preprocessor_config.json", {"size": {"height": 0, "width": 0}}
    yield "scene", "preprocessor_config.json", {"image_processor_type": "Nothing"}
    yield "scene", "config.json", {"base_model_name_or_path": ".."}
    yield "clip", "open_clip_config.json", {"model_cfg": {"embed_dim": 10**9}}
    yield "clip", "open_clip_config.json", {"model_cfg": None}
    yield "clip", "tokenizer.json", {"model": {"type": "BPE", "vocab": {}, "merges": [["a", "b"]]}}
    yield "sd", "model_index.json", {"unet": ["diffusers", "Nothing"]}
    yield "sd", "model_index.json", {"unet": ["diffusers", "DDPMPipeline"]}
    yield "sd", "model_index.json", {"_class_name": "FluxPipeline"}
    yield "sd", "unet/config.json", {"block_out_channels": [0, 0]}


def _weights(name: str) -> bytes:
    return spoilt((WEIGHTS / "detector" / "detector.pt").read_bytes(), name)


def _tensors(name: str, head: int | None) -> bytes:
    data = (WEIGHTS / "scene" / "model.safetensors").read_bytes()
    return spoilt(data, name) if head is None else spoilt_head(data, name, head)


def _case(role: str, file: str, name: str, data: Data, full: bool) -> Case:
    command = "search --models" if role == "sd" else "encode --models"
    return Case(command, f"{role}/{file}: {name}", _folder(role, file, data), full=full)


def cases() -> Iterator[Case]:
    """List the models, for the commands that load them."""
    for i, (role, file, entries) in enumerate(_handmade()):
        record = json.loads((WEIGHTS / role / file).read_text("utf-8"))
        data = json.dumps(record | entries).encode()
        name = f"{next(iter(entries))} {i}"
        yield _case(role, file, name, partial(bytes, data), full=False)
    for role, file, n in (
        ("scene", "config.json", 3),
        ("scene", "preprocessor_config.json", 2),
        ("clip", "open_clip_config.json", 2),
        ("clip", "tokenizer.json", 1),
        ("clip", "tokenizer_config.json", 1),
        ("sd", "model_index.json", 3),
        ("sd", "unet/config.json", 1),
        ("sd", "scheduler/scheduler_config.json", 1),
    ):
        text = (WEIGHTS / role / file).read_text("utf-8")
        for i in range(10 * n):
            name = f"{file} {i}"
            data = partial(spoilt_json_text, text, name)
            full = i >= n and (file, i) not in _FOUND
            yield _case(role, file, f"spoilt {i}", data, full=full)
    for i in range(40):
        data = partial(_tensors, f"scene {i}", _HEAD if i % 4 else None)
        yield _case("scene", "model.safetensors", f"spoilt {i}", data, full=i >= 6)
    for i in range(20):
        build = _detector(partial(_weights, f"detector {i}"), ".pt")
        yield Case("encode --models", f"detector.pt: spoilt {i}", build, full=i >= 2)
    for ending in (".pt", ".onnx", ".yaml"):
        for name, data in (("nothing", b""), ("noise", bytes(range(256)) * 40)):
            build = _detector(partial(bytes, data), ending)
            yield Case("encode --models", f"mine{ending}: {name}", build)
