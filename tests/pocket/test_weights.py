"""The shipped weights: real formats, real libraries, fixed seeds."""

import json

import numpy as np
import pytest
import torch

from rldf.generators.diffusion import DiffusionGenerator
from rldf.grammar.grammar import load_grammar
from rldf.perception.encoder import Encoder
from rldf.pocket import WEIGHTS
from rldf.pocket.fidelity import CHECK_SEEDS, cells_of
from rldf.pocket.world.drawing import draw
from rldf.pocket.world.sampling import sample_encoding
from rldf.seeding import rng

SENTENCES = [
    "a photo of one dog and no people in a park",
    "a photo of many umbrellas and one person on a beach",
    "a photo of one zebra and many people in a snowfield",
]
SEEDS = [0, 7, 1_000_000_123]


def gap(a, b):
    """Largest difference of two images, as a share of full scale."""
    return np.abs(np.asarray(a, float) - np.asarray(b, float)).max() / 255


def test_the_pipeline_loads_with_stable_diffusions_own_class():
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(
        WEIGHTS / "sd", use_safetensors=True, local_files_only=True, dtype=torch.float32
    )
    names = {name: type(part).__name__ for name, part in pipeline.components.items() if part}
    assert names == {
        "vae": "AutoencoderKL",
        "text_encoder": "CLIPTextModel",
        "tokenizer": names["tokenizer"],
        "unet": "UNet2DConditionModel",
        "scheduler": "DPMSolverMultistepScheduler",
    }
    assert "CLIPTokenizer" in names["tokenizer"]


@pytest.mark.parametrize("folder", ["sd/tokenizer", "clip"])
def test_both_forms_of_a_tokenizer_give_words_the_same_numbers(folder):
    """Libraries load one or the other; the embeddings were learned for these numbers."""
    fast = json.loads((WEIGHTS / folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    slow = json.loads((WEIGHTS / folder / "vocab.json").read_text(encoding="utf-8"))
    merges = (WEIGHTS / folder / "merges.txt").read_text(encoding="utf-8").splitlines()[1:]
    assert fast["vocab"] == slow
    assert [pair if isinstance(pair, str) else " ".join(pair) for pair in fast["merges"]] == merges


def test_weights_are_half_precision_and_small():
    from safetensors import safe_open

    total = sum(file.stat().st_size for file in WEIGHTS.rglob("*") if file.is_file())
    assert total <= 60_000_000
    files = list(WEIGHTS.rglob("*.safetensors"))
    assert len(files) == 6
    for file in files:
        with safe_open(file, framework="np") as weights:
            kinds = {str(weights.get_slice(name).get_dtype()) for name in weights.keys()}  # noqa: SIM118
        assert kinds <= {"F16", "I64"}, file


def test_an_image_does_not_depend_on_its_batch(pocket):
    together = pocket.generator.generate(SENTENCES, SEEDS)
    alone = [
        pocket.generator.generate([sentence], [seed])[0]
        for sentence, seed in zip(SENTENCES, SEEDS, strict=True)
    ]
    turned = pocket.generator.generate(SENTENCES[::-1], SEEDS[::-1])[::-1]
    for one, two, three in zip(together, alone, turned, strict=True):
        assert gap(one, two) <= 1 / 255 + 1e-9  # 1e-3 of full scale, then rounded to 8 bits
        assert gap(one, three) <= 1 / 255 + 1e-9


def test_latents_agree_within_a_thousandth_for_any_batch(pocket):
    pipeline = pocket.generator._pipeline

    def pixels(sentences, seeds):
        sources = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
        return pipeline(
            sentences, generator=sources, num_inference_steps=20, guidance_scale=3.0,
            height=128, width=128, output_type="np",
        ).images  # fmt: skip

    together = pixels(SENTENCES, SEEDS)
    for k in range(3):
        assert np.abs(together[k] - pixels(SENTENCES[k : k + 1], SEEDS[k : k + 1])[0]).max() < 1e-3


def test_the_same_question_has_the_same_answer(pocket):
    first, again = (pocket.generator.generate(SENTENCES[:1], [5])[0] for _ in range(2))
    assert first.tobytes() == again.tobytes()
    other = pocket.generator.generate(SENTENCES[:1], [6])[0]
    assert gap(first, other) > 0.1


def test_a_number_format_is_part_of_the_identity():
    plain = DiffusionGenerator(path=WEIGHTS / "sd", size=128)
    half = DiffusionGenerator(path=WEIGHTS / "sd", size=128, dtype="bfloat16")
    assert plain.identity["dtype"] == "float32"
    assert plain.identity != half.identity


def test_the_readers_read_fresh_drawings(pocket):
    grammar = load_grammar("base")
    encoder = Encoder(grammar, pocket)
    seeds = range(CHECK_SEEDS + 500_000, CHECK_SEEDS + 500_040)
    states = [sample_encoding(grammar, rng(seed, "sentence")) for seed in seeds]
    exact = [
        encoder.encode(draw(grammar.derive(state), seed).image).encoding == state
        for state, seed in zip(states, seeds, strict=True)
    ]
    assert np.mean(exact) >= 0.9


def test_the_pipeline_draws_what_sentences_say(pocket):
    """A sample of what `rldf pocket check` measures on all 960 cells."""
    grammar = load_grammar("base")
    encoder = Encoder(grammar, pocket)
    cells = cells_of(grammar, 0)[::40]
    images = pocket.generator.generate([c.sentence for c in cells], [c.seed for c in cells])
    seen = encoder.detect(images)
    words = [grammar.decode(cell.encoding) for cell in cells]
    pairs = list(zip(seen, words, strict=True))
    nouns = [bool(s.objects) and s.objects[0].value == w["Noun"] for s, w in pairs]
    scenes = [s.scene == w["Scene"] for s, w in pairs]
    assert np.mean(nouns) >= 0.75
    assert np.mean(scenes) >= 0.9


def test_any_string_is_legal(pocket):
    image = pocket.generator.generate(["Ünïcode 🦄 and a very long tale " * 20], [1])[0]
    assert image.size == (128, 128)


@pytest.mark.parametrize("role", ["generator", "detector", "scene", "clip"])
def test_every_model_has_a_checksum(pocket, role):
    assert len(pocket.checksum(role)) == 64
