"""Official Places365 checkpoints become folders that say the same as torchvision's networks."""

import json
import os
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import models as torchvision_models
from torchvision import transforms

from rldf.cli.models import import_places365 as command
from rldf.errors import ConfigError, UsageError
from rldf.grammar.grammar import load_grammar
from rldf.io.text import plain_label
from rldf.models.places365 import import_places365, places365, transformers_name
from rldf.perception.encoder import Encoder
from rldf.perception.scene import TransformersScene
from rldf.pocket import WEIGHTS
from tests.doubles import Scripted, picture

MATERIAL = os.environ.get("RLDF_TEST_MATERIAL")


def network(name, seed=0, classes=365):
    """Build a torchvision network whose every tensor is random, the running statistics too."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = getattr(torchvision_models, name)(num_classes=classes)
        for key, value in model.state_dict().items():
            if key.endswith(("running_mean", "running_var", "bias")):
                value.copy_(torch.rand_like(value) + (0.5 if key.endswith("var") else 0.0))
    return model.eval()


def write_bytes(pickler, text):
    data = text.encode("latin1")
    pickler.write(pickle.SHORT_BINSTRING + bytes([len(data)]) + data)
    pickler.memoize(text)


class Python2Pickler(pickle._Pickler):
    """Writes strings as Python 2 did: bytes of no known encoding."""

    dispatch: ClassVar = {**pickle._Pickler.dispatch, str: write_bytes}


def save(model, path, arch):
    """Save as the authors did: Python 2, torch's old format, keys of DataParallel, no counters."""
    state = {
        f"module.{key}": value
        for key, value in model.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    held = {"epoch": 90, "arch": arch, "state_dict": state, "best_prec1": 54.2, "by": "Zoë"}
    python2 = SimpleNamespace(__name__="old", Pickler=Python2Pickler, dump=pickle.dump)
    torch.save(held, path, pickle_module=python2, _use_new_zipfile_serialization=False)
    return path


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_an_imported_network_gives_the_outputs_of_torchvision(tmp_path, name):
    model = network(name)
    file = save(model, tmp_path / f"{name}_places365.pth.tar", name)
    told = import_places365(file, tmp_path / "places")
    assert (told.network, told.scenes) == (name, 365)
    scene = TransformersScene(path=tmp_path / "places")
    pixels = torch.from_numpy(np.random.default_rng(1).normal(size=(2, 3, 224, 224))).float()
    with torch.inference_mode():
        wanted, given = model(pixels), scene._model(pixels).logits
    assert (wanted - given).abs().max() < 1e-5 * wanted.abs().max()
    assert not list(tmp_path.glob(".rldf-*"))


def test_a_photograph_is_prepared_as_the_authors_did(tmp_path):
    model = network("resnet18", seed=3)
    file = save(model, tmp_path / "resnet18_places365.pth.tar", "resnet18")
    import_places365(file, tmp_path / "places")
    pixels = np.random.default_rng(2).integers(0, 255, (40, 60, 3), np.uint8)
    image = Image.fromarray(pixels).resize((640, 480), Image.Resampling.BICUBIC)
    authors = transforms.Compose(
        [
            transforms.Resize((256, 256)),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    with torch.inference_mode():
        wanted = model(authors(image)[None]).softmax(-1)[0]
    (found,) = TransformersScene(path=tmp_path / "places").classify([image])
    assert list(found) == list(places365())
    assert sum(found.values()) == pytest.approx(1)
    assert max(abs(a - float(b)) for a, b in zip(found.values(), wanted, strict=True)) < 2e-3
    assert max(found.values()) > 0.1  # the networks agree on more than noise


def test_the_same_import_again_leaves_the_folder_and_another_is_refused(tmp_path):
    file = save(network("resnet18"), tmp_path / "a.pth.tar", "resnet18")
    told = import_places365(file, tmp_path / "places")
    before = (tmp_path / "places" / "model.safetensors").stat().st_mtime_ns
    assert import_places365(file, tmp_path / "places") == told
    assert (tmp_path / "places" / "model.safetensors").stat().st_mtime_ns == before
    other = save(network("resnet18", seed=1), tmp_path / "b.pth.tar", "resnet18")
    with pytest.raises(UsageError, match=r"made of another checkpoint: name another --out"):
        import_places365(other, tmp_path / "places")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"name another --out"):
        import_places365(file, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_the_command_says_what_a_model_set_is_to_name(tmp_path, capsys):
    file = save(network("resnet18"), tmp_path / "resnet18_places365.pth.tar", "resnet18")
    command(file, tmp_path / "places")
    assert capsys.readouterr().out.splitlines() == [
        f"resnet18 with 365 scenes in {tmp_path / 'places'}",
        f'in a model set: scene: {{class: image-classification, path: "{tmp_path / "places"}", '
        "license: CC BY}",
    ]
    command(file, tmp_path / "places", as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["out"] == str(tmp_path / "places")
    assert len(told["sha256"]) == 64


SET = """
name: mine
domain: drawings
generator: {{class: diffusion, path: {weights}/sd, options: {{steps: 1, size: 64}}}}
detector: {{class: yolo, path: {weights}/detector/detector.pt, options: {{size: 128}}}}
{scene}
clip: {{class: open-clip, path: {weights}/clip}}
"""


def test_an_imported_network_is_the_scene_classifier_of_a_set(call, tmp_path):
    file = save(network("resnet18"), tmp_path / "resnet18_places365.pth.tar", "resnet18")
    code, out, err = call("models", "import-places365", file, "--out", "places")
    assert code == 0, err
    scene = out.splitlines()[1].removeprefix("in a model set: ")
    (tmp_path / "mine.yaml").write_text(SET.format(weights=WEIGHTS, scene=scene))
    code, out, err = call("models", "check", tmp_path / "mine.yaml", "--json")
    assert code == 0, err
    assert json.loads(out)["parts"]["scene"]["found"] == "365 places; 8 of 8 labels of grammar base"
    code, out, _ = call("models", "show", tmp_path / "mine.yaml", "--json")
    assert json.loads(out)["parts"]["scene"]["license"] == "CC BY"


def test_every_label_of_an_imported_network_is_a_place_of_the_grammar(tmp_path):
    file = save(network("resnet18"), tmp_path / "resnet18_places365.pth.tar", "resnet18")
    import_places365(file, tmp_path / "places")
    id2label = json.loads((tmp_path / "places" / "config.json").read_text())["id2label"]
    grammar = load_grammar("coco-places")
    axis = grammar.reading("scene")
    scenes = {i: {id2label[str(i)]: 1.0} for i in range(365)}
    encoder = Encoder(grammar, Scripted({}, scenes))
    found = [encoder.words(encoder.detect([picture(i)])[0])[axis.symbol] for i in range(365)]
    assert sorted(found) == list(range(365)), "each has a place of its own on the axis"
    assert [axis.values[k].labels[0] for k in found] == list(places365())


class Hostile:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (Path.touch, (self.marker,))


def test_a_checkpoint_that_carries_code_is_refused_and_its_code_does_not_run(tmp_path):
    marker = tmp_path / "code-ran"
    torch.save({"state_dict": {}, "arch": Hostile(marker)}, tmp_path / "evil.pth.tar")
    with pytest.raises(ConfigError, match=r"no checkpoint that loads safely") as caught:
        import_places365(tmp_path / "evil.pth.tar", tmp_path / "places")
    assert "\n" not in str(caught.value)
    assert not marker.exists()
    assert not (tmp_path / "places").exists()


def test_other_networks_and_other_files_are_told(tmp_path):
    wrong = save(network("resnet18", classes=1000), tmp_path / "imagenet.pth.tar", "resnet18")
    with pytest.raises(ConfigError, match=r"resnet18 or resnet50 with 365 scenes"):
        import_places365(wrong, tmp_path / "places")
    for held in ([1, 2], {"epoch": 3}, {"state_dict": {"fc.bias": 3}}):
        torch.save(held, tmp_path / "other.pth.tar")
        with pytest.raises(ConfigError, match=r"no state_dict of tensors"):
            import_places365(tmp_path / "other.pth.tar", tmp_path / "places")
    (tmp_path / "text.pth.tar").write_text("<html>404</html>")
    with pytest.raises(ConfigError, match=r"no checkpoint that loads safely"):
        import_places365(tmp_path / "text.pth.tar", tmp_path / "places")
    with pytest.raises(UsageError, match=r"no checkpoint at"):
        import_places365(tmp_path / "none.pth.tar", tmp_path / "places")


@pytest.mark.parametrize(
    ("torchvision_name", "name"),
    [
        ("conv1.weight", "resnet.embedder.embedder.convolution.weight"),
        (
            "layer2.0.downsample.1.running_var",
            "resnet.encoder.stages.1.layers.0.shortcut.normalization.running_var",
        ),
        ("layer4.2.conv3.weight", "resnet.encoder.stages.3.layers.2.layer.2.convolution.weight"),
        ("fc.bias", "classifier.1.bias"),
        ("layer1.0.se.weight", "layer1.0.se.weight"),
    ],
)
def test_names_of_tensors(torchvision_name, name):
    assert transformers_name(torchvision_name) == name


@pytest.mark.parametrize("name", ["/a/airplane_cabin", "airplane cabin", "Airplane-Cabin"])
def test_spellings_of_one_place(name):
    assert plain_label(name) == plain_label("airplane_cabin")


@pytest.mark.material
@pytest.mark.skipif(MATERIAL is None, reason="RLDF_TEST_MATERIAL names no folder")
def test_the_scenes_are_numbered_as_in_the_official_list():
    lines = (Path(MATERIAL) / "places365" / "categories_places365.txt").read_text().splitlines()
    assert [f"/{name[0]}/{name} {i}" for i, name in enumerate(places365())] == lines
    assert len({plain_label(name) for name in places365()}) == 365
