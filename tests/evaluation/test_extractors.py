"""Extractors: what a person may name, where each looks, and what each gives."""

import os
import pickle
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import torch_fidelity

from rldf.errors import ConfigError, ModelMissingError, UsageError
from rldf.evaluation.extractors import dinov2, find_extractor, inception, script
from rldf.pocket import WEIGHTS
from tests.evaluation.sets import noisy, write_set


def images(n=5, side=48):
    return [noisy((40 * k, 90, 200 - 30 * k), k, side) for k in range(n)]


def check_extractor(extractor, dimensions):
    """Any extractor: (n, d) float32, each row the image's own, whatever stands beside it."""
    found = extractor(images())
    assert (found.shape, found.dtype) == ((5, dimensions), np.float32)
    assert np.isfinite(found).all()
    assert len(np.unique(found.round(3), axis=0)) == 5
    alone = np.concatenate([extractor([image]) for image in images()])
    assert np.allclose(alone, found, rtol=1e-3, atol=1e-4)
    return found


def test_pocket_is_the_image_tower_of_the_pocket_clip_with_rows_of_one_length(pocket):
    extractor = find_extractor("pocket")
    embedded = pocket.clip.embed_images(images())
    found = check_extractor(extractor, embedded.shape[1])
    assert np.allclose(found, embedded * embedded.shape[1] ** 0.5, atol=1e-4)


def test_clip_is_that_of_the_named_model_set_and_of_a_folder(tmp_path):
    ours = find_extractor("clip", "pocket")
    assert (ours.name, ours.identity) == ("clip", find_extractor("pocket").identity)
    shutil.copytree(WEIGHTS / "clip", tmp_path / "mine")
    mine = find_extractor(str(tmp_path / "mine"))
    assert mine.name == "clip mine"
    assert np.allclose(mine(images()), ours(images()))
    os.utime(tmp_path / "mine" / "open_clip_config.json", (1, 1))
    moved = shutil.move(tmp_path / "mine", tmp_path / "moved")
    assert find_extractor(str(moved)).identity == mine.identity


def test_an_extractor_is_described_without_being_loaded(monkeypatch):
    from rldf.models.model_set import ModelSet

    monkeypatch.setattr(ModelSet, "_load", lambda *_: pytest.fail("it was loaded"))
    assert find_extractor("pocket").identity


@pytest.fixture
def tiny_dinov2(tmp_path):
    from transformers import Dinov2Config, Dinov2Model

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Dinov2Model(
            Dinov2Config(
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                image_size=224,
                patch_size=56,
                mlp_ratio=2,
            )
        )
    model.save_pretrained(tmp_path / "dino")
    return tmp_path / "dino"


def test_dinov2_is_read_from_a_folder(tiny_dinov2):
    extractor = find_extractor(str(tiny_dinov2))
    assert extractor.name == "dinov2"
    check_extractor(extractor, 16)


def test_other_weights_are_another_extractor(tiny_dinov2):
    before = dinov2(tiny_dinov2).identity
    weights = tiny_dinov2 / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert dinov2(tiny_dinov2).identity != before


class Means(torch.nn.Module):
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels.mean((2, 3))


class Everything(torch.nn.Module):
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels.mean((0, 2, 3))


class Wrong(torch.nn.Module):
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels @ pixels[:, :1, :2]


def scripted(module, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated; people still have such files
        torch.jit.save(torch.jit.script(module), str(path))
    return path


def test_a_torchscript_gets_pixels_from_0_to_255(tmp_path):
    extractor = find_extractor(str(scripted(Means(), tmp_path / "means.pt")))
    found = check_extractor(extractor, 3)
    means = [np.asarray(image, np.float64).mean((0, 1)) for image in images()]
    assert np.allclose(found, means, atol=0.5)


@pytest.mark.parametrize("module", [Everything, Wrong])
def test_a_torchscript_that_gives_no_row_for_each_image_is_refused(tmp_path, module):
    extractor = script(scripted(module(), tmp_path / "all.pt"))
    with pytest.raises(
        ConfigError, match=r"all\.pt does not return a row of features for each image"
    ):
        extractor(images())


@pytest.mark.parametrize(
    ("name", "error", "told"),
    [
        ("vgg", UsageError, "name one of pocket, clip, dinov2, inception, or type a path"),
        ("none.pt", ModelMissingError, "no such file or folder"),
        ("no/where", ModelMissingError, "no such file or folder"),
        (".", UsageError, "holds neither an open_clip nor a DINOv2 model"),
    ],
)
def test_what_is_no_extractor_is_refused(tmp_path, monkeypatch, name, error, told):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=told):
        find_extractor(name)


def test_missing_weights_end_with_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "my torch"))
    with pytest.raises(ModelMissingError, match=r"type 'curl -L --create-dirs -o '.*my torch"):
        find_extractor("inception")
    monkeypatch.setenv("RLDF_INCEPTION", str(tmp_path / "none.pth"))
    with pytest.raises(ModelMissingError, match=r"no weights at .*none\.pth"):
        find_extractor("inception")
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)
    with pytest.raises(ModelMissingError, match="type 'hf download facebook/dinov2-large'"):
        find_extractor("dinov2")


@pytest.mark.parametrize("content", ["text", "pickle", "zip"])
def test_a_file_that_holds_no_network_is_refused_and_never_run(tmp_path, content):
    path, trace = tmp_path / "model.pt", tmp_path / "trace"

    class Bad:
        def __reduce__(self):
            return (Path.touch, (trace,))

    if content == "zip":
        torch.save({"Conv2d_1a_3x3.conv.weight": torch.zeros(2)}, path)
    else:
        path.write_bytes(b"no model" if content == "text" else pickle.dumps(Bad()))
    with pytest.raises(ConfigError, match=r"model\.pt holds no Inception weights"):
        find_extractor(str(path))(images())
    assert not trace.exists()


def test_broken_folders_are_refused(tmp_path, tiny_dinov2):
    (tiny_dinov2 / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ConfigError, match="no valid safetensors file"):
        find_extractor(str(tiny_dinov2))(images())
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / "open_clip_config.json").write_text("{}")
    with pytest.raises(ModelMissingError, match="no CLIP weights"):
        find_extractor(str(tmp_path / "clip"))(images())


@pytest.mark.slow
def test_inception_is_torch_fidelitys_own(tmp_path, monkeypatch):
    """With weights of no training: the architecture, the resizing and the loading are compared."""
    network = torch_fidelity.FeatureExtractorInceptionV3
    weights = tmp_path / "inception.pth"
    torch.save({}, weights)
    with torch.random.fork_rng(devices=[]), monkeypatch.context() as patched:
        torch.manual_seed(0)
        patched.setattr(network, "load_state_dict", lambda *_, **__: None)
        bare = network("inception-v3-compat", ["2048"], feature_extractor_weights_path=str(weights))
        for module in bare.modules():  # or features of no training would vanish in its depth
            if isinstance(module, torch.nn.Conv2d):
                torch.nn.init.kaiming_normal_(module.weight)
    torch.save(bare.state_dict(), weights)
    check_extractor(inception(weights), 2048)

    ours, real = (write_set(tmp_path / str(seed), {"": 5}, seed=seed) for seed in (0, 1))
    theirs = torch_fidelity.calculate_metrics(
        input1=str(ours), input2=str(real), cuda=False, fid=True, cache=False, verbose=False,
        samples_find_deep=True, feature_extractor_weights_path=str(weights), save_cpu_ram=True,
    )  # fmt: skip
    from rldf.evaluation import metrics as distances
    from rldf.evaluation.features import extract
    from rldf.evaluation.image_sets import open_images

    first, second = (
        distances.statistics(extract(open_images(root), 15, inception(weights), lambda *_: None))
        for root in (ours, real)
    )
    expected = theirs["frechet_inception_distance"]
    assert distances.fid(first, second) == pytest.approx(expected, rel=1e-4)
