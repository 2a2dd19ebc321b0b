"""Checkpoints in one file: tiny random ones, with the names of the original program."""

import shutil
import socket
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import save_file

from rldf.cli.main import main
from rldf.errors import ConfigError
from rldf.generators.diffusion import DiffusionGenerator
from rldf.models.model_sets import load_model_set
from tests.generators import one_file
from tests.generators.pipelines import autoencoder

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("asked for the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="module")
def file(sd, tmp_path_factory):
    return one_file.write(sd, tmp_path_factory.mktemp("one") / "model.safetensors")


def image(path, **options):
    made = DiffusionGenerator(path=path, steps=2, size=16, **options)
    return np.asarray(made.generate(["a cat"], [1])[0])


def texts_of(folder, target):
    """A folder with configuration and tokenizer alone."""
    weights = shutil.ignore_patterns("*.safetensors")
    return Path(shutil.copytree(folder, target, ignore=weights))


def test_it_draws_what_the_pipeline_in_a_folder_draws(sd, file, tmp_path):
    expected = image(sd)
    assert np.array_equal(image(file, config=sd), expected)
    assert np.array_equal(image(file, config=texts_of(sd, tmp_path / "texts")), expected)


def test_it_is_a_part_of_a_model_set(sd, file, tmp_path, pocket, monkeypatch, capsys):
    shipped = yaml.safe_load(Path(pocket.folder, "pocket.yaml").read_text())
    for role in ("detector", "scene", "clip"):
        shipped[role]["path"] = str(pocket.path(role))
    del shipped["photographs"]
    generator = {"class": "diffusion", "path": str(file), "options": {"steps": 2, "size": 16}}
    named = tmp_path / "mine.yaml"
    named.write_text(yaml.safe_dump(shipped | {"name": "mine", "generator": generator}))
    monkeypatch.setattr("sys.argv", ["rldf", "models", "check", str(named)])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr().err
    assert (ended.value.code, told.count("\n")) == (2, 1)
    assert "in one file, without configuration" in told
    assert "components: {config: {path: FOLDER}}" in told
    generator["components"] = {"config": {"path": str(sd)}}
    named.write_text(yaml.safe_dump(shipped | {"name": "mine", "generator": generator}))
    models = load_model_set(str(named))
    assert np.array_equal(models.generator.generate(["a cat"], [1])[0], image(sd))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0


def test_an_autoencoder_of_its_own_takes_the_place_of_the_files(sd, file, tmp_path):
    torch.manual_seed(9)
    autoencoder().save_pretrained(tmp_path / "vae")
    drawn = image(file, config=sd, vae=tmp_path / "vae")
    assert np.array_equal(drawn, image(sd, vae=tmp_path / "vae"))
    bare = one_file.write(sd, tmp_path / "bare.safetensors", without="first_stage_model.")
    assert np.array_equal(image(bare, config=sd, vae=tmp_path / "vae"), drawn)


@pytest.mark.parametrize(
    "without", ["first_stage_model.", "cond_stage_model.", "model.diffusion_model.middle_block.1."]
)
def test_weights_that_the_file_lacks_come_from_nowhere_else(sd, tmp_path, without):
    """The folder of the configuration has them, but of another model."""
    part = one_file.write(sd, tmp_path / "part.safetensors", without=without)
    with pytest.raises(ConfigError, match="no checkpoint of the StableDiffusionPipeline") as caught:
        image(part, config=sd)
    assert "\n" not in str(caught.value)


def test_what_is_no_checkpoint_is_one_line(sd, sd2, sdxl, flow, file, tmp_path):
    lone = tmp_path / "lone.safetensors"
    save_file({"weight": torch.zeros(3)}, lone)
    old = tmp_path / "old.ckpt"
    old.touch()
    for path, config, said in (
        (lone, sd, "no checkpoint of the StableDiffusionPipeline"),
        (file, sdxl, "no checkpoint of the StableDiffusionXLPipeline"),
        (old, sd, "no .safetensors file"),
        (file, tmp_path, "it goes with a checkpoint"),
        (sd, sd, "it goes with a checkpoint"),
    ):
        with pytest.raises(ConfigError, match=said) as caught:
            image(path, config=config)
        assert "\n" not in str(caught.value)
        assert caught.value.exit_code == 2
