"""The detector on real files: refused ones, the pocket one, and a real YOLO on photographs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from rldf.errors import ConfigError, ModelMissingError
from rldf.grammar.grammar import load_grammar
from rldf.io.images import read_image
from rldf.perception.detector import YoloDetector
from rldf.perception.encoder import Encoder
from rldf.pocket import WEIGHTS
from rldf.pocket.world.drawing import draw
from tests.doubles import Scripted

MATERIAL = os.environ.get("RLDF_TEST_MATERIAL")
material = pytest.mark.skipif(MATERIAL is None, reason="RLDF_TEST_MATERIAL names no folder")


class Hostile:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (Path.touch, (self.marker,))


def test_a_file_that_carries_code_is_refused_and_its_code_does_not_run(tmp_path):
    marker = tmp_path / "code-ran"
    torch.save({"model": Hostile(marker)}, tmp_path / "evil.pt")
    with pytest.raises(ConfigError, match=r"evil\.pt cannot be loaded safely") as caught:
        YoloDetector(path=tmp_path / "evil.pt")
    assert "\n" not in str(caught.value)
    assert not marker.exists()


def test_the_trap_is_real(tmp_path):
    marker = tmp_path / "code-ran"
    torch.save({"model": Hostile(marker)}, tmp_path / "evil.pt")
    torch.load(tmp_path / "evil.pt", weights_only=False)
    assert marker.exists()


def test_a_missing_or_broken_file_is_told(tmp_path):
    with pytest.raises(ModelMissingError, match=r"none\.pt"):
        YoloDetector(path=tmp_path / "none.pt")
    (tmp_path / "broken.pt").write_bytes(b"not a model")
    with pytest.raises(ConfigError, match=r"broken\.pt"):
        YoloDetector(path=tmp_path / "broken.pt")


@pytest.mark.parametrize("name", ["model.yaml", "model.torchscript", "model.PT", "model"])
def test_other_kinds_of_files_are_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"not a model")
    with pytest.raises(ConfigError, match=r"give a \.pt or an \.onnx file"):
        YoloDetector(path=tmp_path / name)


def test_a_damaged_onnx_file_is_told_when_it_is_loaded(tmp_path):
    (tmp_path / "broken.onnx").write_bytes(b"not a model")
    with pytest.raises(ConfigError, match=r"broken\.onnx") as caught:
        YoloDetector(path=tmp_path / "broken.onnx")
    assert "\n" not in str(caught.value)


def test_an_ultralytics_of_somebody_else_is_not_trusted(tmp_path):
    """In a process of its own: what ultralytics reads at import stays for the whole process."""
    marker = tmp_path / "code-ran"
    torch.save({"model": Hostile(marker)}, tmp_path / "evil.pt")
    code = f"""
from PIL import Image
opener = Image.open
import ultralytics
assert Image.open is not opener
from pathlib import Path
from rldf.errors import ConfigError
from rldf.perception.detector import YoloDetector
try:
    YoloDetector(path=Path({str(tmp_path / "evil.pt")!r}))
except ConfigError as error:
    assert "ULTRALYTICS_SAFE_LOAD=1" in str(error)
else:
    raise SystemExit("not refused")
assert Image.open is opener
"""
    environment = {k: v for k, v in os.environ.items() if k != "ULTRALYTICS_SAFE_LOAD"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert not marker.exists()


def test_detecting_leaves_torch_its_threads():
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        detector = YoloDetector(path=WEIGHTS / "detector" / "detector.pt", size=128)
        detector.detect([Image.new("RGB", (128, 128))])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


def test_loading_leaves_pillow_as_it_was():
    opener = Image.open
    YoloDetector(path=WEIGHTS / "detector" / "detector.pt", size=128)
    assert Image.open is opener


def test_the_pocket_detector_finds_what_was_drawn():
    detector = YoloDetector(path=WEIGHTS / "detector" / "detector.pt", size=128, confidence=0.4)
    drawing = draw("a photo of one zebra and no people on a beach", 1_000_000_321)
    alone, twice = detector.detect([drawing.image]), detector.detect([drawing.image] * 2)
    assert [found.label for found in alone[0]] == ["zebra"]
    box, wanted = alone[0][0].box, drawing.boxes[0].xyxy
    assert max(abs(a - b) for a, b in zip(box, wanted, strict=True)) < 8
    assert [len(found) for found in twice] == [1, 1]


@pytest.mark.material
@material
def test_a_real_yolo_reads_real_photographs():
    """Class presence on COCO photographs; small detectors are too noisy for exact counts."""
    root = Path(MATERIAL)
    detector = YoloDetector(path=root / "detectors" / "yolov8n_int8.onnx", confidence=0.25)
    truth = json.loads((root / "coco" / "instances.json").read_text(encoding="utf-8"))
    names = {category["id"]: category["name"] for category in truth["categories"]}
    wanted: dict[int, set[str]] = {}
    for box in truth["annotations"]:
        wanted.setdefault(box["image_id"], set()).add(names[box["category_id"]])
    right = missed = extra = 0
    for row in truth["images"][:30]:
        image = read_image(root / "coco" / "images" / row["file_name"])
        found = {detection.label for detection in detector.detect([image])[0]}
        true = wanted.get(row["id"], set())
        right += len(found & true)
        missed += len(true - found)
        extra += len(found - true)
    assert right / (right + missed) > 0.45
    assert right / (right + extra) > 0.65


@pytest.mark.material
@material
def test_a_photograph_of_a_dog_is_encoded_as_a_dog():
    root = Path(MATERIAL)
    real = YoloDetector(path=root / "detectors" / "yolov8n_int8.onnx", confidence=0.25)
    readers = Scripted({}, {})
    readers.detect = real.detect  # scene and CLIP need weights that no test material has
    reading = Encoder(load_grammar("base"), readers).encode(
        read_image(root / "photos" / "azure" / "dog.jpg")
    )
    assert load_grammar("base").decode(reading.encoding)["Noun"] == "dog"
