"""Which files of a repository are taken."""

import pytest

from rldf.errors import ConfigError
from rldf.models.repo_files import components, wanted

INDEX = {
    "_class_name": "P",
    "_diffusers_version": "0.42",
    "transformer": ["diffusers", "T"],
    "scheduler": ["diffusers", "S"],
    "safety_checker": ["stable_diffusion", "C"],
    "text_encoder_3": [None, None],
    "requires_safety_checker": True,
}
PLAIN = ["model_index.json", "scheduler/scheduler_config.json", "transformer/config.json"]


def shards(stem, n):
    return [f"transformer/{stem}-{i:05}-of-{n:05}.safetensors" for i in range(1, n + 1)]


def test_components_are_the_folders_that_the_index_fills():
    assert components(INDEX) == ["transformer", "scheduler", "safety_checker"]
    assert components({"sizes": [1, 2, 3], "_x": ["os", "a"], "y": [None, None], "z": "of"}) == []


@pytest.mark.parametrize("name", ["../x", "/etc", "a/b", "", "a.b"])
def test_a_component_is_a_folder_of_the_pipeline(name):
    with pytest.raises(ConfigError, match=r"^model_index.json: .* is of diffusers"):
        components({name: ["diffusers", "T"]})


@pytest.mark.parametrize("made", ["DDPMPipeline", "DiffusionPipeline", "AutoPipelineForText2Image"])
def test_a_component_is_no_pipeline(made):
    with pytest.raises(ConfigError, match=rf"transformer is a pipeline itself \({made}"):
        components({**INDEX, "transformer": ["diffusers", made]})


@pytest.mark.parametrize(
    "value", [["os", "system"], ["", "T"], ["../x", "T"], [7, "T"], [[], "T"], ["diffusers", None]]
)
def test_what_is_no_part_of_a_known_library_is_neither_fetched_nor_loaded(value):
    with pytest.raises(ConfigError, match="only components of diffusers and transformers"):
        wanted("diffusion", PLAIN, None, {**INDEX, "transformer": value})


def test_shards_come_with_their_index_in_one_precision():
    half = [*shards("diffusion_pytorch_model.fp16", 2),
            "transformer/diffusion_pytorch_model.safetensors.index.fp16.json"]  # fmt: skip
    full = [*shards("diffusion_pytorch_model", 3),
            "transformer/diffusion_pytorch_model.safetensors.index.json"]  # fmt: skip
    assert wanted("diffusion", [*PLAIN, *full], None, INDEX) == sorted([*PLAIN, *full])
    assert wanted("diffusion", [*PLAIN, *full, *half], None, INDEX) == sorted([*PLAIN, *half])


def test_a_pickled_safety_checker_is_left_out_and_a_safe_one_is_taken():
    files = [*PLAIN, "transformer/diffusion_pytorch_model.safetensors"]
    pickled = ["safety_checker/config.json", "safety_checker/pytorch_model.bin"]
    safe = ["safety_checker/config.json", "safety_checker/model.safetensors"]
    assert wanted("diffusion", [*files, *pickled], None, INDEX) == sorted(files)
    assert wanted("diffusion", [*files, *safe], None, INDEX) == sorted([*files, *safe])


def test_code_and_folders_in_folders_are_never_taken():
    files = [*PLAIN, "transformer/diffusion_pytorch_model.safetensors"]
    others = ["pipeline.py", "transformer/t.py", "transformer/old/config.json", "x/y.json"]
    assert wanted("diffusion", [*files, *others], None, INDEX) == sorted(files)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([*PLAIN, "transformer/diffusion_pytorch_model.bin"], "in transformer/"),
        ([*PLAIN, "transformer/diffusion_pytorch_model.non_ema.safetensors"], "in transformer/"),
        (["model_index.json"], "in transformer/"),
    ],
)
def test_a_component_without_safe_weights_is_refused(files, told):
    with pytest.raises(ConfigError, match=told):
        wanted("diffusion", files, None, INDEX)


def test_single_files_and_single_models():
    files = ["config.json", "model.safetensors", "model.onnx", "pytorch_model.bin", "a.fp16.bin"]
    assert wanted("object-detection", files, None, None) == ["config.json", "model.safetensors"]
    assert wanted("yolo", files, "model.onnx", None) == ["model.onnx"]
    for file, told in (("other.onnx", "has no file"), ("pytorch_model.bin", "name a")):
        with pytest.raises(ConfigError, match=told):
            wanted("yolo", files, file, None)
    with pytest.raises(ConfigError, match="no weights as safetensors"):
        wanted("open-clip", files, None, None)


def test_a_repository_of_single_files_says_how_to_name_one():
    names = ["few-steps.safetensors", "README.md"]
    assert wanted("", names, "few-steps.safetensors", None) == ["few-steps.safetensors"]
    with pytest.raises(ConfigError, match="name it as file"):
        wanted("", names, None, None)
