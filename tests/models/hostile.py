"""Models that would run code, or that lie, made from the pocket ones."""

import json
import shutil
import struct
import zipfile
from pathlib import Path

import torch

from rldf.pocket import WEIGHTS

SET = """
name: hostile
domain: drawings
generator: {generator}
detector: {detector}
scene: {scene}
clip: {clip}
"""
PARTS = {
    "generator": {"class": "diffusion", "path": str(WEIGHTS / "sd"), "options": {"size": 64}},
    "detector": {
        "class": "yolo",
        "path": str(WEIGHTS / "detector" / "detector.pt"),
        "options": {"size": 128},
    },
    "scene": {"class": "image-classification", "path": str(WEIGHTS / "scene")},
    "clip": {"class": "open-clip", "path": str(WEIGHTS / "clip")},
}


class Payload:
    """What a pickle runs when it is loaded: it makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def model_set(folder: Path, role: str, path: Path) -> Path:
    """Write a model set whose one part is a stranger's."""
    parts = PARTS | {role: PARTS[role] | {"path": str(path)}}
    file = folder / "hostile.yaml"
    file.write_text(SET.format(**{name: json.dumps(part) for name, part in parts.items()}))
    return file


def copy(folder: Path, part: str) -> Path:
    """Copy a pocket model, so that it can be spoilt."""
    return Path(shutil.copytree(WEIGHTS / part, folder / part))


def pickled(path: Path, marker: Path) -> Path:
    """Write a pickle that runs code."""
    torch.save({"state_dict": Payload(marker), "model": Payload(marker)}, path)
    return path


def zipped(path: Path, pickle: bytes) -> Path:
    """Write a file of torch by hand, around any pickle."""
    with zipfile.ZipFile(path, "w") as file:
        for name, data in ("data.pkl", pickle), ("byteorder", b"little"), ("version", b"3\n"):
            file.writestr(zipfile.ZipInfo(f"archive/{name}"), data)  # without the time
    return path


def swelling(path: Path, size: int, *, old: bool = False) -> Path:
    """Write a pickle that makes bytes out of a number, which torch's safe loading lets it."""
    call = b"cbuiltins\nbytearray\n\x8a\x08" + struct.pack("<q", size) + b"\x85R"
    pickle = b"\x80\x02}X\x0a\x00\x00\x00state_dict" + call + b"s."
    if old:
        path.write_bytes(pickle)
        return path
    return zipped(path, pickle)


def squeezed(path: Path, size: int) -> Path:
    """Write weights, all zeros, in a packed archive, which torch reads."""
    torch.save({"state_dict": {"a": torch.zeros(size, dtype=torch.uint8)}}, path)
    with zipfile.ZipFile(path) as file:
        held = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in held.items():
            file.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return path


def with_key(file: Path, **entries: object) -> None:
    """Set keys of a JSON file."""
    record = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(record | entries), encoding="utf-8")


def nested(folder: Path, part: str) -> Path:
    """Make a component of a pipeline a pipeline itself; give the folder of its own component."""
    index = {
        "_class_name": "DDPMPipeline",
        "unet": ["diffusers", "UNet2DModel"],
        "scheduler": ["diffusers", "DDPMScheduler"],
    }
    (folder / part / "model_index.json").write_text(json.dumps(index), encoding="utf-8")
    with_key(folder / "model_index.json", **{part: ["diffusers", "DDPMPipeline"]})
    shutil.copytree(folder / "scheduler", folder / part / "scheduler")
    inside = folder / part / "unet"
    inside.mkdir()
    return inside


def adapter(folder: Path, base: Path) -> None:
    """Make a model an adapter of another one, which transformers would load from its own place."""
    (folder / "config.json").unlink()
    entries = {"peft_type": "LORA", "base_model_name_or_path": str(base)}
    (folder / "adapter_config.json").write_text(json.dumps(entries), encoding="utf-8")


def python(file: Path, marker: Path) -> None:
    """Write a module that runs code when it is imported, and has any class."""
    file.write_text(
        f"from pathlib import Path\nPath({str(marker)!r}).touch()\n"
        "def __getattr__(name):\n    return type(name, (), {})\n"
    )


def lie(file: Path, change) -> None:
    """Rewrite the header of a safetensors file; the numbers stay."""
    data = file.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    changed = change(header)
    text = changed if isinstance(changed, bytes) else json.dumps(changed or header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
