"""Diffusion pipelines of tiny random models: what is asked of diffusers, not what is drawn."""

import copy
import functools
import inspect
import json
import logging
import shutil
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from diffusers import (
    AutoencoderTiny,
    DDIMScheduler,
    EulerAncestralDiscreteScheduler,
    StableDiffusionPipeline,
)
from PIL import Image

from rldf.errors import ConfigError, ModelMissingError, RldfError
from rldf.generators import loading
from rldf.generators.diffusion import DiffusionGenerator, _hasten
from rldf.generators.loading import check_steps
from rldf.generators.prompts import Texts
from rldf.models.repo_files import wanted
from tests.generators.pipelines import (
    autoencoder,
    stable_diffusion,
)

# diffusers 0.42 hands numpy 2 a tensor of torch; users do not see it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(params=["sd", "sd2", "sdxl", "flow"])
def any_folder(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["sd", "sdxl"])
def folder(request):
    return request.getfixturevalue(request.param)


def small(path, **options):
    return DiffusionGenerator(path=path, steps=2, size=16, **options)


def pixels(image):
    return np.asarray(image, np.int16)


def difference(one, other):
    return np.abs(pixels(one) - pixels(other)).max()


def test_an_image_does_not_depend_on_its_batch(any_folder):
    generator = small(any_folder)
    batch = generator.generate(["a cat", "two dogs", "a cat"], [5, 6, 7])
    alone = generator.generate(["two dogs"], [6])[0]
    assert batch[1].size == (16, 16)
    assert batch[1].mode == "RGB"
    assert difference(batch[1], alone) <= 1
    assert difference(batch[0], batch[2]) > 1  # the seed decides
    again = small(any_folder).generate(["a cat"], [5])[0]
    assert difference(batch[0], again) <= 1


def test_the_papers_scheduler_is_chosen_where_it_fits(folder):
    assert small(folder).identity["scheduler"] == "DPMSolverMultistepScheduler"


def test_velocities_stay_velocities_under_the_papers_scheduler(sd2):
    scheduler = small(sd2)._pipeline.scheduler
    assert type(scheduler).__name__ == "DPMSolverMultistepScheduler"
    assert scheduler.config.prediction_type == "v_prediction"


def test_flow_matching_keeps_its_scheduler(flow):
    assert small(flow).identity["scheduler"] == "FlowMatchEulerDiscreteScheduler"
    with pytest.raises(ConfigError, match="made for FlowMatchEulerDiscreteScheduler"):
        small(flow, scheduler="dpm-solver")


def test_a_model_of_few_steps_keeps_its_scheduler_unless_asked(sd, tmp_path):
    """Such models say that their steps are spaced from the last one on."""
    turbo = shutil.copytree(sd, tmp_path / "turbo")
    config = turbo / "scheduler" / "scheduler_config.json"
    said = json.loads(config.read_text()) | {"timestep_spacing": "trailing"}
    config.write_text(json.dumps(said))
    kept = DiffusionGenerator(path=turbo, steps=4, size=16)
    assert kept.identity["scheduler"] == "PNDMScheduler"
    asked = small(turbo, scheduler="dpm-solver")
    assert asked.identity["scheduler"] == "DPMSolverMultistepScheduler"


def test_the_pipelines_own_scheduler_can_be_asked_for(sd):
    own = DiffusionGenerator(path=sd, steps=4, size=16, scheduler="own")
    assert own.identity["scheduler"] == "PNDMScheduler"


@pytest.mark.parametrize(
    ("asked", "steps", "times"),
    [("ddim-trailing", 4, [999, 749, 499, 249]), ("lcm", 4, [999, 759, 499, 259])],
)
def test_schedulers_for_loras_of_few_steps(sd, flow, asked, steps, times):
    """Times as the authors of such LoRAs use them: the first is that of pure noise."""
    generator = DiffusionGenerator(path=sd, steps=steps, size=16, guidance=1.0, scheduler=asked)
    batch = generator.generate(["a cat", "two dogs"], [1, 2])
    scheduler = generator._pipeline.scheduler
    assert scheduler.timesteps.tolist() == times
    assert not scheduler.config.clip_sample  # of latents
    alone = generator.generate(["two dogs"], [2])[0]
    assert difference(batch[1], alone) <= 1  # the noise between steps is its own, too
    usual = DiffusionGenerator(path=sd, steps=steps, size=16, guidance=1.0)
    assert difference(batch[1], usual.generate(["two dogs"], [2])[0]) > 1
    with pytest.raises(ConfigError, match=f"{asked}: ZImagePipeline is made for FlowMatch"):
        small(flow, scheduler=asked)


def test_two_spacings_of_one_scheduler_have_two_names(sd, tmp_path):
    """They draw different pictures, so the cache must tell them apart."""
    ddim = shutil.copytree(sd, tmp_path / "ddim")
    pipeline = StableDiffusionPipeline.from_pretrained(sd, local_files_only=True)
    scheduler = DDIMScheduler.from_config(pipeline.scheduler.config, clip_sample=False)
    scheduler.save_pretrained(ddim / "scheduler")
    index = ddim / "model_index.json"
    index.write_text(index.read_text().replace("PNDMScheduler", "DDIMScheduler"))
    own, trailing = small(ddim, scheduler="own"), small(ddim, scheduler="ddim-trailing")
    assert own.identity["scheduler"] == "DDIMScheduler"
    assert trailing.identity["scheduler"] == "ddim-trailing"
    drawn = [generator.generate(["a cat"], [1])[0] for generator in (own, trailing)]
    assert difference(*drawn) > 1


@pytest.mark.parametrize(
    ("asked", "steps", "kind"),
    [
        ("lcm", 51, "LCMScheduler"),  # it has 50
        ("dpm-solver", 1000, "DPMSolverMultistepScheduler"),  # divides by zero: a black image
        ("own", 3, "PNDMScheduler"),  # shapes that do not fit
        ("own", 1000, "PNDMScheduler"),  # an index out of bounds
    ],
)
def test_steps_that_a_scheduler_cannot_take_are_named(sd, asked, steps, kind):
    with pytest.raises(ConfigError, match=f"{kind} cannot draw with steps: {steps} ") as caught:
        DiffusionGenerator(path=sd, steps=steps, size=16, scheduler=asked)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    advised = int(str(caught.value).rsplit(" ", 1)[1])
    made = DiffusionGenerator(path=sd, steps=advised, size=16, scheduler=asked)
    assert np.ptp(pixels(made.generate(["a cat"], [1])[0])) > 0


@pytest.mark.parametrize(
    ("option", "value"),
    [("timestep_spacing", "odd"), ("prediction_type", "noise"), ("beta_schedule", "none")],
)
def test_an_option_of_a_scheduler_that_it_does_not_know_is_named(sd, tmp_path, option, value):
    folder = Path(shutil.copytree(sd, tmp_path / "sd"))
    config = folder / "scheduler" / "scheduler_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {option: value}))
    with pytest.raises(ConfigError, match=rf"{option}: {value}|{value} is not") as caught:
        DiffusionGenerator(path=folder, steps=4, size=16)
    assert "\n" not in str(caught.value)


def test_trying_a_scheduler_changes_no_image_and_no_random_source(sd):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    generator = small(sd)
    before = generator.generate(["a cat"], [1])[0]
    check_steps(generator._pipeline.scheduler, 20)
    assert difference(before, generator.generate(["a cat"], [1])[0]) == 0
    check_steps(EulerAncestralDiscreteScheduler(), 5)  # one that draws noise
    assert torch.equal(torch.rand(1), expected)


def test_a_size_that_a_family_does_not_draw_is_one_line(flow):
    generator = DiffusionGenerator(path=flow, steps=1, size=18)
    with pytest.raises(ConfigError, match=r"ZImagePipeline cannot draw .* divisible by 4"):
        generator.generate(["a cat"], [1])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_draws_nearly_the_same(any_folder, dtype, recwarn):
    whole = small(any_folder).generate(["a cat"], [1])[0]
    half = small(any_folder, dtype=dtype).generate(["a cat"], [1])[0]
    assert np.abs(pixels(whole) - pixels(half)).mean() < 4  # of 255
    assert not [w for w in recwarn if "upcast_vae" in str(w.message)]


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
    generator._texts.encode("a cat")
    generator._texts.encode("a cat")
    assert asked == ["a cat"]
    assert generator._texts.encode.cache_info().maxsize == 512


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


def test_embeddings_alone_are_no_place_for_a_negative_prompt(sd, caplog):
    """As in FLUX.2 klein: it takes them, but what they are is known to it alone."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = ("prompt", "prompt_embeds", "negative_prompt_embeds", "guidance_scale")
    takes = {name: inspect.Parameter(name, kind, default=None) for name in names}
    pipeline = SimpleNamespace(encode_prompt=lambda prompt: prompt, tokenizer=None)
    Texts(pipeline, takes, "", 4.0)
    assert not caplog.records
    Texts(pipeline, takes, "fog", 4.0)
    assert "takes no negative prompt" in caplog.text


def test_a_processor_reads_with_its_tokenizer(sd):
    """As in FLUX.2, whose own call would take the sentence for an image."""
    generator = small(sd)
    processor = Mock(spec=["tokenizer"], tokenizer=generator._pipeline.tokenizer)
    pipeline = SimpleNamespace(tokenizer=processor)
    assert Texts(pipeline, {}, "", 1.0).cut("long " * 50) != "long " * 50


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


def test_a_flow_matching_pipeline_reads_sentence_and_negative_prompt(flow):
    plain = small(flow, guidance=30.0).generate(["a cat"], [1])[0]
    other = small(flow, guidance=30.0).generate(["9 buses"], [1])[0]
    negative = small(flow, guidance=30.0, negative_prompt="fog").generate(["a cat"], [1])[0]
    assert difference(plain, other) > 0
    assert difference(plain, negative) > 0


def test_an_autoencoder_of_its_own_takes_the_place_of_the_pipelines(sd, tmp_path):
    torch.manual_seed(9)
    autoencoder().save_pretrained(tmp_path / "vae")
    own = small(sd).generate(["a cat"], [1])[0]
    other = small(sd, vae=tmp_path / "vae").generate(["a cat"], [1])[0]
    assert other.size == own.size
    assert difference(own, other) > 1
    with pytest.raises(ConfigError, match="no autoencoder"):
        small(sd, vae=sd / "unet")


def test_of_an_autoencoder_in_two_precisions_the_full_one_is_taken_as_by_a_pull(sd, tmp_path):
    for seed, folder, variant in (
        (9, "both", None), (10, "both", "fp16"), (9, "full", None), (10, "half", "fp16"),
    ):  # fmt: skip
        torch.manual_seed(seed)
        autoencoder().save_pretrained(tmp_path / folder, variant=variant)
    both, full, half = (
        small(sd, vae=tmp_path / name).generate(["a cat"], [1])[0]
        for name in ("both", "full", "half")
    )
    assert difference(both, full) == 0
    assert difference(both, half) > 1


def test_of_a_component_in_two_precisions_half_is_taken_as_by_a_pull(sd, tmp_path):
    folder = Path(shutil.copytree(sd, tmp_path / "sd"))
    torch.manual_seed(9)
    autoencoder().save_pretrained(tmp_path / "vae")
    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    other = tmp_path / "vae" / weights.name
    shutil.copy(other, weights.with_name("diffusion_pytorch_model.fp16.safetensors"))
    assert "vae/diffusion_pytorch_model.fp16.safetensors" in wanted(
        "diffusion", [str(p.relative_to(folder)) for p in folder.rglob("*.*")], None,
        json.loads((folder / "model_index.json").read_text()),
    )  # fmt: skip
    drawn = small(folder).generate(["a cat"], [1])[0]
    assert difference(drawn, small(sd, vae=tmp_path / "vae").generate(["a cat"], [1])[0]) == 0


@pytest.mark.parametrize(
    "name", ["unet/diffusion_pytorch_model.non_ema.fp16.safetensors", "old/model.fp16.safetensors"]
)
def test_weights_that_no_pull_takes_are_no_precision_of_a_pipeline(sd, tmp_path, name):
    folder = Path(shutil.copytree(sd, tmp_path / "sd"))
    (folder / name).parent.mkdir(exist_ok=True)
    shutil.copy(folder / "unet" / "diffusion_pytorch_model.safetensors", folder / name)
    drawn = small(folder).generate(["a cat"], [1])[0]
    assert difference(drawn, small(sd).generate(["a cat"], [1])[0]) == 0


def test_a_tiny_autoencoder_draws_previews(sd, tmp_path):
    torch.manual_seed(9)
    AutoencoderTiny(
        encoder_block_out_channels=(4, 4),
        decoder_block_out_channels=(4, 4),
        num_encoder_blocks=(1, 1),
        num_decoder_blocks=(1, 1),
    ).save_pretrained(tmp_path / "taesd")
    image = small(sd, vae=tmp_path / "taesd").generate(["a cat"], [1])[0]
    assert image.size == (16, 16)
    assert difference(image, small(sd).generate(["a cat"], [1])[0]) > 1


@pytest.mark.parametrize(
    ("defaults", "negative", "sent"),
    [
        ({"guidance_scale": 7.5}, "", {"guidance_scale": 4.0}),
        ({"guidance_scale": 7.5}, "fog", {"guidance_scale": 4.0}),
        # a distilled scale beside the true one, which needs a negative prompt (Flux)
        ({"guidance_scale": 3.5, "true_cfg_scale": 1.0}, "", {"guidance_scale": 4.0}),
        ({"guidance_scale": 3.5, "true_cfg_scale": 1.0}, "fog", {"true_cfg_scale": 4.0}),
        # made for the true one (Qwen-Image): without a text it would leave the guidance out
        ({"guidance_scale": None, "true_cfg_scale": 4.0}, "", {"true_cfg_scale": 4.0}),
        # has the true one alone (Qwen-Image 2.1)
        ({"true_cfg_scale": 1.0}, "", {"true_cfg_scale": 4.0}),
        ({}, "", {}),
    ],
)
def test_guidance_goes_by_the_name_that_the_pipeline_gives_it(sd, defaults, negative, sent):
    generator = small(sd, guidance=4.0, negative_prompt=negative)
    names = {"self": None, "prompt": None, "negative_prompt": None, **defaults}
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    takes = {n: inspect.Parameter(n, kind, default=value) for n, value in names.items()}
    calls = []

    def call(**options):
        calls.append(options)
        return SimpleNamespace(images=[Image.new("RGB", (16, 16))])

    generator._texts = Texts(generator._pipeline, takes, negative, 4.0)
    generator._takes, generator._pipeline = takes, call
    generator.generate(["a cat"], [1])
    assert {k: v for k, v in calls[0].items() if "scale" in k} == sent
    wanted = [negative or " "] if negative or "true_cfg_scale" in sent else None
    assert calls[0].get("negative_prompt") == wanted


def test_what_one_of_two_readers_reads_whole_is_not_cut(sd, caplog):
    generator = small(sd)
    generator._pipeline.tokenizer_2 = copy.copy(generator._pipeline.tokenizer)
    generator._pipeline.tokenizer_2.model_max_length = 10_000
    generator.generate(["long " * 50], [1])
    assert not [r for r in caplog.records if r.name.startswith("rldf")]
    generator._pipeline.tokenizer_2.model_max_length = 77
    generator.generate(["longer " * 50], [1])
    assert [r for r in caplog.records if r.name.startswith("rldf")]


def test_a_batch_too_large_for_memory_is_halved_and_no_image_is_lost(sd, monkeypatch, caplog):
    called = StableDiffusionPipeline.__call__
    sizes = []

    @functools.wraps(called)
    def narrow(self, **options):
        sizes.append(len(options["generator"]))
        if sizes[-1] > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return called(self, **options)

    sentences, seeds = [f"{n} cats" for n in range(5)], list(range(5))
    whole = small(sd).generate(sentences, seeds)
    monkeypatch.setattr(StableDiffusionPipeline, "__call__", narrow)
    generator = small(sd)
    drawn = generator.generate(sentences, seeds)
    assert sizes == [5, 2, 2, 1]
    assert [difference(*pair) <= 1 for pair in zip(drawn, whole, strict=True)] == [True] * 5
    generator.generate(sentences, seeds)  # it remembers
    assert sizes[4:] == [2, 2, 1]
    told = [r.getMessage() for r in caplog.records if r.name.startswith("rldf")]
    assert told == ["no memory for 5 images at once: drawing 2"]


def test_no_memory_for_one_image_is_one_line(sd, monkeypatch):
    generator = small(sd)
    monkeypatch.setattr(generator._texts, "arguments", Mock(side_effect=MemoryError))
    with pytest.raises(RldfError, match="smaller size"):
        generator.generate(["a cat"], [1])


def test_no_memory_for_the_pipeline_is_one_line(sd, monkeypatch):
    def too_much(self, device):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")

    monkeypatch.setattr(StableDiffusionPipeline, "to", too_much)
    with pytest.raises(RldfError, match=r"no memory on cpu for the pipeline .*--models pocket"):
        DiffusionGenerator(path=sd)


def test_other_errors_are_not_taken_for_a_lack_of_memory(sd, monkeypatch):
    generator = small(sd)
    broken = Mock(side_effect=RuntimeError("shapes do not match"))
    monkeypatch.setattr(generator._texts, "arguments", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        generator.generate(["a cat", "a dog"], [1, 2])
    assert broken.call_count == 1


def test_compiling_is_asked_of_model_and_decoder(sd, flow, monkeypatch):
    compiled = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: compiled.append(type(self)))
    small(sd)
    assert compiled == []
    small(sd, compile=True)
    small(flow, compile=True)
    names = [kind.__name__ for kind in compiled]
    assert names == ["UNet2DConditionModel", "Decoder", "ZImageTransformer2DModel", "Decoder"]


def test_the_memory_format_of_a_gpu_changes_no_picture(any_folder):
    plain, hastened = small(any_folder), small(any_folder)
    _hasten(hastened._pipeline, on_gpu=True, compiled=False)
    drawn = [generator.generate(["a cat"], [1])[0] for generator in (plain, hastened)]
    assert difference(*drawn) <= 1
    weights = [p for p in hastened._pipeline.vae.parameters() if p.dim() == 4]
    last = [p.is_contiguous(memory_format=torch.channels_last) for p in weights]
    assert all(last) is (any_folder.name != "z-image")


@pytest.mark.parametrize(
    ("folder_name", "device", "dtype"),
    [
        ("sd", "cpu", "float32"),
        ("flow", "cpu", "float32"),
        ("sd", "cuda", "float16"),
        ("sdxl", "cuda:1", "float16"),
        ("flow", "cuda", "bfloat16"),
        ("sd", "mps", "float32"),
        ("flow", "mps", "float32"),
    ],
)
def test_the_number_format_fits_device_and_model(request, monkeypatch, folder_name, device, dtype):
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation: True)
    assert loading.default_dtype(request.getfixturevalue(folder_name), device) == dtype
