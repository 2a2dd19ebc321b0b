"""What may not be in a model: code, names of code, pickles alone, safetensors that lie."""

import contextlib
import json
import struct

import pytest
import torch

from rldf.errors import ConfigError
from rldf.models.safety import check_model
from rldf.pocket import WEIGHTS
from tests.models.hostile import copy, lie, nested, squeezed, swelling, with_key


def refused(path, *told):
    with pytest.raises(ConfigError) as caught:
        check_model(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    for words in told:
        assert words in str(caught.value)


@pytest.mark.parametrize("part", ["sd", "scene", "clip", "detector", "detector/detector.pt"])
def test_honest_models_are_let_through(part):
    if part == "detector":
        refused(WEIGHTS / part, "detector.pt", "safetensors")  # as a folder it is a pickle alone
    else:
        check_model(WEIGHTS / part)


def test_what_is_not_there_is_left_to_its_loader(tmp_path):
    check_model(tmp_path / "none")


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "model.pth", "m.pth.tar", "m.ckpt", "m.PT", "m.pkl"]
)
def test_a_pickle_alone_is_refused_and_one_beside_safetensors_is_not_read(tmp_path, name):
    scene = copy(tmp_path, "scene")
    (scene / name).write_bytes(b"pickle")
    check_model(scene)
    (scene / "model.safetensors").unlink()
    refused(scene, name, "give a model with .safetensors")


@pytest.mark.parametrize("component", ["unet", "vae", "text_encoder"])
def test_a_component_with_a_pickle_alone_is_refused(tmp_path, component):
    pipeline = copy(tmp_path, "sd")
    for weights in (pipeline / component).glob("*.safetensors"):
        weights.rename(weights.with_suffix(".bin"))
    refused(pipeline, component, ".bin")


@pytest.mark.parametrize(
    ("file", "entries"),
    [
        ("scene/config.json", {"auto_map": {"AutoConfig": "evil.Config"}}),
        ("scene/config.json", {"vision_config": {"auto_map": {"AutoModel": "them/theirs--m.M"}}}),
        ("scene/config.json", {"_attn_implementation": "them/kernel"}),
        ("scene/config.json", {"attn_implementation": {"": "them/kernel:layer"}}),
        ("scene/preprocessor_config.json", {"auto_map": {"AutoImageProcessor": "evil.P"}}),
        ("clip/open_clip_config.json", {"a": [{"tokenizer_kwargs": {"trust_remote_code": True}}]}),
        ("clip/tokenizer_config.json", {"auto_map": {"AutoTokenizer": [None, "evil.T"]}}),
        ("sd/unet/config.json", {"auto_map": {"AutoModel": "evil.M"}}),
        ("sd/model_index.json", {"custom_pipeline": "them/theirs"}),
    ],
)
def test_names_of_code_are_refused_wherever_they_stand(tmp_path, file, entries):
    part = copy(tmp_path, file.split("/")[0])
    with_key(tmp_path / file, **entries)
    refused(part, file.split("/")[-1], "code")


@pytest.mark.parametrize("place", ["scene", "sd", "sd/text_encoder"])
def test_an_adapter_is_no_model(tmp_path, place):
    part = copy(tmp_path, place.split("/")[0])
    (tmp_path / place / "adapter_config.json").write_text("{}")
    refused(part, "adapter_config.json", "give the whole model")


@pytest.mark.parametrize(
    ("file", "entries"),
    [
        ("config.json", {"base_model_name_or_path": "/else/where"}),
        (
            "preprocessor_config.json",
            {"audio_tokenizer": {"audio_tokenizer_name_or_path": "them/theirs"}},
        ),
    ],
)
def test_a_model_that_names_another_to_load_is_refused(tmp_path, file, entries):
    scene = copy(tmp_path, "scene")
    with_key(scene / file, _name_or_path="/where/it/was/trained", audio_tokenizer=None)
    check_model(scene)
    with_key(scene / file, **entries)
    refused(scene, file, "names another model to load")


@pytest.mark.parametrize(
    "entries",
    [
        {"_class_name": ["my_pipeline", "MyPipeline"]},
        {"_class_name": "../my_pipeline"},
        {"_class_name": None},
        {"unet": ["os", "system"]},
        {"unet": ["evil", "Evil"]},
        {"unet": ["../../evil", "Evil"]},
        {"unet": ["subprocess", "Popen"]},
        {"unet": [["diffusers"], "UNet2DConditionModel"]},
        {"../../elsewhere": ["diffusers", "UNet2DConditionModel"]},
    ],
)
def test_pipelines_of_foreign_parts_are_refused(tmp_path, entries):
    pipeline = copy(tmp_path, "sd")
    with_key(pipeline / "model_index.json", **entries)
    refused(pipeline, "model_index.json")


def test_a_pipeline_in_a_pipeline_is_refused_by_its_class_and_by_its_folder(tmp_path):
    pipeline = copy(tmp_path, "sd")
    unet = json.loads((pipeline / "model_index.json").read_text())["unet"]
    nested(pipeline, "unet")
    refused(pipeline, "model_index.json", "unet is a pipeline itself (DDPMPipeline")
    with_key(pipeline / "model_index.json", unet=unet)
    refused(pipeline, "unet is a pipeline where one model is expected")


def test_pipelines_that_load_another_from_where_their_readme_says_are_refused(tmp_path):
    from diffusers.pipelines import auto_pipeline

    mapping = auto_pipeline.AUTO_TEXT2IMAGE_PIPELINES_MAPPING
    names = {
        kind.__name__ for kinds in auto_pipeline.SUPPORTED_TASKS_MAPPINGS for kind in kinds.values()
    }
    loaded = {}
    for name in names:
        with contextlib.suppress(ValueError):  # it draws from no text
            loaded[name] = auto_pipeline._get_task_class(mapping, name)._load_connected_pipes
    assert set(loaded.values()) == {True, False}
    pipeline = copy(tmp_path, "sd")
    for name, another in loaded.items():
        with_key(pipeline / "model_index.json", _class_name=name)
        if another:
            refused(pipeline, "model_index.json", name, "README")
        else:
            check_model(pipeline)


def test_parts_that_diffusers_keeps_beside_its_pipelines_are_its_own(tmp_path):
    pipeline = copy(tmp_path, "sd")
    checker = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    with_key(pipeline / "model_index.json", safety_checker=checker)
    check_model(pipeline)


@pytest.mark.parametrize("place", ["sd/evil.py", "sd/unet/evil.py", "scene/evil.py", "clip/e.py"])
def test_code_in_a_folder_is_refused(tmp_path, place):
    part = copy(tmp_path, place.split("/")[0])
    (tmp_path / place).write_text("")
    refused(part, ".py", "never run")


def _first(header):
    return next(entry for name, entry in header.items() if name != "__metadata__")


def _set(key, value):
    def change(header):
        _first(header)[key] = value

    return change


LIES = {
    "no header": lambda header: b"",
    "no JSON": lambda header: b"{",
    "a list": lambda header: b"[1, 2]",
    "nested": lambda header: b"[" * 100_000,
    "beyond the file": _set("data_offsets", [0, 1 << 40]),
    "negative": _set("data_offsets", [-8, 0]),
    "backwards": _set("data_offsets", [8, 0]),
    "all at one place": lambda header: {
        name: entry | {"data_offsets": [0, 8]} if name != "__metadata__" else entry
        for name, entry in header.items()
    },
    "negative shape": _set("shape", [-1, -1]),
    "shape too large": _set("shape", [1 << 40, 1 << 40]),
    "shape of words": _set("shape", ["many"]),
    "another type": _set("dtype", "BOOL"),
    "no type": _set("dtype", "PICKLE"),
    "one left out": lambda header: dict(list(header.items())[1:-1]),
}


@pytest.mark.parametrize("name", LIES)
def test_a_safetensors_header_that_lies_is_refused(tmp_path, name):
    scene = copy(tmp_path, "scene")
    lie(scene / "model.safetensors", LIES[name])
    refused(scene, "model.safetensors", "no valid safetensors file")


@pytest.mark.parametrize("length", [0, 1, 7, 1 << 30, (1 << 64) - 1])
def test_a_safetensors_length_that_lies_is_refused(tmp_path, length):
    file = tmp_path / "model.safetensors"
    file.write_bytes(struct.pack("<Q", length) + b"{}      ")
    refused(file, "no valid safetensors file")


@pytest.mark.parametrize("size", [0, 3, 8, 100, 5000])
def test_a_safetensors_file_that_was_cut_is_refused(tmp_path, size):
    scene = copy(tmp_path, "scene")
    whole = (scene / "model.safetensors").read_bytes()
    (scene / "model.safetensors").write_bytes(whole[:size])
    refused(scene, "model.safetensors")


@pytest.mark.parametrize(
    "shard", ["../../secret.safetensors", "/etc/passwd", "evil.bin", 7, None, ["a.safetensors"]]
)
def test_shards_are_files_of_the_folder(tmp_path, shard):
    scene = copy(tmp_path, "scene")
    index = scene / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"layer": "model.safetensors"}}))
    check_model(scene)
    index.write_text(json.dumps({"weight_map": {"layer": shard}}))
    refused(scene, "is no safetensors file of this folder")


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "[" * 100_000, '{"a": ' * 50_000, "\x00"])
def test_configuration_that_is_none_is_refused(tmp_path, text):
    scene, pipeline = copy(tmp_path, "scene"), copy(tmp_path, "sd")
    (scene / "config.json").write_text(text)
    refused(scene, "config.json")
    (pipeline / "model_index.json").write_text(text)
    refused(pipeline, "model_index.json")


@pytest.mark.parametrize(
    ("file", "entries"),
    [
        ("scene/config.json", {"num_hidden_layers": 10**9}),
        ("scene/config.json", {"hidden_sizes": [16, 10**9]}),
        ("scene/preprocessor_config.json", {"size": {"height": 10**5, "width": 10**5}}),
        ("scene/preprocessor_config.json", {"crop_size": 10**5}),
        ("clip/open_clip_config.json", {"model_cfg": {"embed_dim": 10**9}}),
        ("sd/scheduler/scheduler_config.json", {"num_train_timesteps": 1e12}),
    ],
)
def test_numbers_beyond_any_model_are_refused(tmp_path, file, entries):
    part = copy(tmp_path, file.split("/")[0])
    with_key(tmp_path / file, **entries)
    refused(part, file.split("/")[-1], "larger than in any")


def test_the_bombs_of_pickles_are_real(tmp_path):
    """torch's safe loading fills the memory from a few bytes; here with little."""
    for path in (swelling(tmp_path / "a.pt", 10**7), squeezed(tmp_path / "b.pt", 10**7)):
        assert path.stat().st_size < 20_000
        held = torch.load(path, weights_only=True)["state_dict"]
        assert len(held if isinstance(held, bytearray) else held["a"]) == 10**7


@pytest.mark.parametrize("name", ["m.pt", "m.PTH", "m.pth.tar", "m.bin", "m.ckpt"])
def test_a_pickle_that_grows_as_it_is_read_is_refused(tmp_path, name):
    refused(swelling(tmp_path / name, 10**12), name, "can exhaust memory")
    refused(swelling(tmp_path / name, 10**12, old=True), name, "can exhaust memory")
    refused(squeezed(tmp_path / name, 10**7), name, "is compressed")
    torch.save({"state_dict": {"a": torch.zeros(10**6)}}, tmp_path / name)
    check_model(tmp_path / name)
    for data in (b"", b"PK\x05\x06" + bytes(18)):
        (tmp_path / name).write_bytes(data)
        check_model(tmp_path / name)  # its loader tells
    (tmp_path / name).write_bytes(b"PK\x03\x04")
    refused(tmp_path / name, name, "no valid archive")


def test_a_folder_without_end_is_no_model(tmp_path):
    for i in range(2_001):
        (tmp_path / f"{i}.txt").touch()
    refused(tmp_path, "more than 2000 files")


def test_a_packed_archive_that_this_reader_cannot_count_is_refused(tmp_path):
    """Of a version to come, which zipfile turns down and torch's own reader does not look at."""
    path = squeezed(tmp_path / "a.pt", 10**6)
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")  # in the directory at the end
    data[entry + 6 : entry + 8] = (99).to_bytes(2, "little")
    path.write_bytes(data)
    assert torch.load(path, weights_only=True)["state_dict"]["a"].numel() == 10**6
    refused(path, "a.pt", "no valid archive")
