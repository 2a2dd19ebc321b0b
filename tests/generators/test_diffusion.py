"""Diffusion pipelines of tiny random models: what is asked of diffusers, not what is drawn."""

import inspect
import logging

import huggingface_hub.constants
import numpy as np
import pytest
import torch

from rldf.errors import ConfigError, ModelMissingError
from rldf.generators import diffusion
from rldf.generators.diffusion import DiffusionGenerator
from tests.generators.pipelines import stable_diffusion, stable_diffusion_xl

# diffusers 0.42 hands numpy 2 a tensor of torch; users do not see it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def sd(tmp_path_factory):
    return stable_diffusion(tmp_path_factory.mktemp("sd"))


@pytest.fixture(scope="module")
def sdxl(tmp_path_factory):
    return stable_diffusion_xl(tmp_path_factory.mktemp("sdxl"))


@pytest.fixture(params=["sd", "sdxl"])
def folder(request):
    return request.getfixturevalue(request.param)


def small(path, **options):
    return DiffusionGenerator(path=path, steps=2, size=16, **options)


def pixels(image):
    return np.asarray(image, np.int16)


def difference(one, other):
    return np.abs(pixels(one) - pixels(other)).max()


def test_an_image_does_not_depend_on_its_batch(folder):
    generator = small(folder)
    batch = generator.generate(["a cat", "two dogs", "a cat"], [5, 6, 7])
    alone = generator.generate(["two dogs"], [6])[0]
    assert batch[1].size == (16, 16)
    assert batch[1].mode == "RGB"
    assert difference(batch[1], alone) <= 1
    assert difference(batch[0], batch[2]) > 1  # the seed decides
    again = small(folder).generate(["a cat"], [5])[0]
    assert difference(batch[0], again) <= 1


def test_the_papers_scheduler_is_chosen_where_it_fits(folder):
    assert small(folder).identity["scheduler"] == "DPMSolverMultistepScheduler"


def test_a_scheduler_that_does_not_fit_is_kept(sd, monkeypatch):
    monkeypatch.setattr("diffusers.PNDMScheduler._compatibles", [])
    assert small(sd).identity["scheduler"] == "PNDMScheduler"


def test_the_sentence_and_the_negative_prompt_reach_the_pipeline(folder):
    plain = small(folder, guidance=30.0).generate(["a cat"], [1])[0]
    other = small(folder, guidance=30.0).generate(["9 buses"], [1])[0]
    negative = small(folder, guidance=30.0, negative_prompt="fog").generate(["a cat"], [1])[0]
    assert difference(plain, other) > 0
    assert difference(plain, negative) > 0


def test_embeddings_are_what_the_pipeline_makes_of_the_texts(sd):
    generator = small(sd, negative_prompt="fog")
    drawn = generator.generate(["a cat", "two dogs"], [1, 2])
    wanted = generator._pipeline(
        ["a cat", "two dogs"],
        negative_prompt=["fog", "fog"],
        generator=[torch.Generator("cpu").manual_seed(seed) for seed in (1, 2)],
        num_inference_steps=2,
        guidance_scale=7.5,
        height=16,
        width=16,
    ).images
    assert [difference(*pair) for pair in zip(drawn, wanted, strict=True)] == [0, 0]


def test_each_text_is_encoded_once(sd, monkeypatch):
    generator = small(sd, negative_prompt="fog")
    asked = []
    encode = generator._pipeline.encode_prompt

    def remember(prompt=None, **options):
        if prompt is not None:  # the pipeline itself passes embeddings through it
            asked.append(prompt)
        return encode(prompt, **options)

    monkeypatch.setattr(generator._pipeline, "encode_prompt", remember)
    generator._encode("a cat")
    generator._encode("a cat")
    assert asked == ["a cat"]
    assert generator._encode.cache_info().maxsize == 512


def test_without_guidance_nothing_negative_is_used(sd):
    plain = small(sd, guidance=1.0).generate(["a cat"], [1])[0]
    negative = small(sd, guidance=1.0, negative_prompt="fog").generate(["a cat"], [1])[0]
    assert difference(plain, negative) == 0


def test_what_the_pipeline_cuts_off_is_told_once(folder, caplog):
    generator = small(folder)
    generator.generate(["a cat"], [1])
    assert not caplog.records
    generator.generate(["long " * 50], [1])
    generator.generate(["longer " * 50], [1])
    told = [r.getMessage() for r in caplog.records if r.name.startswith("rldf")]
    assert len(told) == 1
    assert "77 tokens" in told[0]


def test_a_pipeline_without_negative_prompts_draws_and_says_so(sd, monkeypatch, caplog):
    from diffusers import StableDiffusionPipeline

    called = StableDiffusionPipeline.__call__
    signature = inspect.signature(called)
    left = [p for name, p in signature.parameters.items() if "negative" not in name]

    def narrow(self, **options):
        assert not [name for name in options if "negative" in name]
        return called(self, **options)

    narrow.__signature__ = signature.replace(parameters=left)
    monkeypatch.setattr(StableDiffusionPipeline, "__call__", narrow)
    generator = small(sd, negative_prompt="fog")
    assert len(generator.generate(["a cat"], [1]) + generator.generate(["a dog"], [1])) == 2
    told = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert len(told) == 1
    assert "takes no negative prompt" in told[0]


def test_loading_is_silent(folder, capfd):
    small(folder).generate(["a cat"], [1])
    assert capfd.readouterr() == ("", "")


def test_a_folder_of_pickles_alone_is_refused(tmp_path):
    path = stable_diffusion(tmp_path)
    weights = path / "unet" / "diffusion_pytorch_model.safetensors"
    weights.unlink()
    torch.save({}, path / "unet" / "diffusion_pytorch_model.bin")
    with pytest.raises(ConfigError, match="no text-to-image pipeline") as caught:
        small(path)
    assert "\n" not in str(caught.value)


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(ModelMissingError, match="none"):
        small(tmp_path / "none")


def test_a_hub_model_that_is_not_cached_names_the_next_command(monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelMissingError, match=f"hf download me/none --revision {REVISION}"):
        DiffusionGenerator(id="me/none", revision=REVISION)


def test_a_hub_model_is_asked_for_by_its_commit_and_identified_by_it(sd, monkeypatch):
    asked = []
    load = diffusion.AutoPipelineForText2Image.from_pretrained

    def fetch(source, *, revision, **options):
        asked.append((source, revision, options["use_safetensors"]))
        return load(sd, **options)

    monkeypatch.setattr(diffusion.AutoPipelineForText2Image, "from_pretrained", fetch)
    generator = DiffusionGenerator(id="me/mine", revision=REVISION, steps=2, size=16)
    assert asked == [("me/mine", REVISION, True)]
    assert generator.identity["id"] == "me/mine"
    assert generator.identity["revision"] == REVISION


def test_a_folder_that_is_named_as_a_hub_model_is_not_taken_for_it(sd, monkeypatch):
    monkeypatch.chdir(sd.parent.parent)
    name = f"{sd.parent.name}/{sd.name}"
    with pytest.raises(ConfigError, match="give it as the generator's path"):
        DiffusionGenerator(id=name, revision=REVISION)


@pytest.mark.parametrize("where", [{}, {"id": "me/mine"}, {"path": "sd", "id": "me/mine"}])
def test_a_generator_needs_one_place_to_load_from(where):
    with pytest.raises(ConfigError, match="needs a path, or the options id and revision"):
        DiffusionGenerator(**where)
