"""Measures the pocket models: does the pipeline draw what sentences say, do the readers see it?

Everything is drawn with seeds that were never trained on (`CHECK_SEEDS` and above).
"""

import itertools
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL.Image import Image

from rldf.grammar.encoding import Encoding
from rldf.grammar.grammar import Grammar, load_grammar
from rldf.interfaces import ImageGenerator
from rldf.models.model_set import ModelSet
from rldf.perception.detector import import_ultralytics
from rldf.perception.encoder import Encoder
from rldf.perception.reading import photograph_hint
from rldf.pocket import WEIGHTS
from rldf.pocket.world.drawing import Drawing, draw
from rldf.pocket.world.sampling import CHECK_SEEDS, sample_encoding
from rldf.seeding import rng as seeded
from rldf.stats import Figure, read_figure, share

_BATCH = 8


@dataclass(frozen=True, slots=True)
class Cell:
    """One sentence to draw and read back.

    Attributes:
        encoding: what should be read.
        sentence: what is drawn.
        seed: the image seed.
    """

    encoding: Encoding
    sentence: str
    seed: int


def cells_of(grammar: Grammar, n: int) -> list[Cell]:
    """Choose what to draw: every state twice in a small world, else a sample."""
    if grammar.n_states <= 1000:
        states = itertools.product(*(range(size) for size in grammar.shape))
        pairs = [(state, CHECK_SEEDS + k) for state in states for k in range(2)]
    else:
        pairs = [(_nth_sample(grammar, k), CHECK_SEEDS + k) for k in range(n)]
    return [Cell(state, grammar.derive(state), seed) for state, seed in pairs]


def _nth_sample(grammar: Grammar, k: int) -> Encoding:
    """Sample a state whose noun is the k-th in turn, so that every noun is drawn as often."""
    rng, noun = seeded(CHECK_SEEDS + k, "sentence"), grammar.axis("Noun")
    while True:
        words = grammar.decode(sample_encoding(grammar, rng))
        words["Noun"] = noun.values[k % len(noun.values)].name
        if words["Noun"] != words.get("Companion"):
            return grammar.canonical(grammar.encode(words))


def check(models: ModelSet, grammar_name: str, n: int = 500) -> dict[str, Any]:
    """Measure everything that `rldf pocket check` prints.

    Returns:
        Shares from 0 to 1, with the record of each under "figures"; the share of each noun under
        "per_noun"; "sharpness", the mean gradient energy of renders as a share of that of drawings
        of the same sentences; "psnr_db" of the autoencoder on the drawings; seconds of a render at
        batch 1, and megabytes of weights.
    """
    grammar = load_grammar(grammar_name)
    encoder = Encoder(grammar, models)
    cells = cells_of(grammar, n)
    shares, rendered = _read_back(encoder, models, cells)
    read, found = _readers(encoder, models, n)
    shares |= read
    return (
        {"grammar": grammar_name, "renders": len(cells), "drawings": n}
        | {name: _rounded(figure.value) for name, figure in shares.items()}
        | found
        | rendered
        | {
            "imagenet_nouns": sum(
                value.wnid is not None for value in load_grammar("pocket").axis("Noun").values
            ),
            "render_seconds": render_seconds(models.generator),
            "megabytes": round(
                sum(f.stat().st_size for f in WEIGHTS.rglob("*") if f.is_file()) / 1e6, 1
            ),
            "figures": {name: figure.document() for name, figure in shares.items()},
        }
    )


def measured(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Write down what was measured for people."""
    figures = found.get("figures", {})
    shares = {name: read_figure(record) for name, record in figures.items()}
    shown = {name: str(share) if share.n else "-" for name, share in shares.items()}
    return [
        (name, shown.get(name, str(value))) for name, value in found.items() if name != "figures"
    ]


def render_seconds(generator: ImageGenerator, n: int = 5) -> float:
    """Time a render at batch 1, after one that warms up.

    Returns:
        Median wall-clock seconds.
    """
    sentence = load_grammar("base").derive((0, 0, 0, 0))
    times = []
    for k in range(n + 1):
        begun = time.perf_counter()
        generator.generate([sentence], [CHECK_SEEDS + k])
        times.append(time.perf_counter() - begun)
    return round(float(np.median(times[1:])), 3)


def _read_back(
    encoder: Encoder, models: ModelSet, cells: Sequence[Cell]
) -> tuple[dict[str, Figure], dict[str, Any]]:
    right: dict[str, list[bool]] = {}
    per_noun: dict[str, list[bool]] = {}
    energy = np.zeros(2)  # of renders and of drawings
    for start in range(0, len(cells), _BATCH):
        batch = cells[start : start + _BATCH]
        images = models.generator.generate([c.sentence for c in batch], [c.seed for c in batch])
        for cell, image in zip(batch, images, strict=True):
            for name, ok in _compare(encoder, cell, image):
                right.setdefault(name, []).append(ok)
                if name == "noun":
                    noun = encoder.grammar.decode(cell.encoding)["Noun"]
                    per_noun.setdefault(noun, []).append(ok)
            energy += gradient_energy(image), gradient_energy(draw(cell.sentence, cell.seed).image)
    names = {"noun": 0, "scene": 1, "frequency": 2, "density": 3}
    order = sorted(right, key=lambda name: names.get(name, len(names)))
    return {name: _share(right[name]) for name in order}, {
        "sharpness": round(float(energy[0] / energy[1]), 4),
        "per_noun": {noun: round(sum(found) / len(found), 4) for noun, found in per_noun.items()},
    }


def gradient_energy(image: Image) -> float:
    """Compute the mean squared difference of neighbouring pixels of the grey image.

    Args:
        image: RGB.

    Returns:
        In squared grey levels (0 to 255).
    """
    grey = np.asarray(image.convert("L"), np.float64)
    return float(np.square(np.diff(grey, axis=0)).mean() + np.square(np.diff(grey, axis=1)).mean())


def _compare(encoder: Encoder, cell: Cell, image: Image) -> Iterable[tuple[str, bool]]:
    """Tell which axes of one rendered cell are read as they should be.

    A colour that the sentence leaves open, and a second object that it does not ask for, are not
    counted.
    """
    grammar, reading = encoder.grammar, encoder.encode_drawn(image)
    words, seen = grammar.decode(cell.encoding), reading.seen
    first = seen.objects[0] if seen.objects else None
    yield "noun", first is not None and first.value == words["Noun"]
    yield "scene", seen.scene == words["Scene"]
    right = next((thing for thing in seen.objects if thing.value == words["Noun"]), None)
    yield "frequency", right is not None and _in_bin(encoder, "Frequency", words, right.count)
    yield "density", _in_bin(encoder, "Density", words, seen.people)
    if words.get("Companion", "nothing") != "nothing":
        yield "companion", any(thing.value == words["Companion"] for thing in seen.objects)
    for i, axis in enumerate(grammar.axes):
        asked = axis.kind.reader == "CLIP" and grammar.uses(i, cell.encoding)
        if asked and words[axis.symbol] != "any":
            yield axis.symbol.lower(), reading.nearest[i] == cell.encoding[i]


def _in_bin(encoder: Encoder, symbol: str, words: dict[str, str], count: int | None) -> bool:
    axis = encoder.grammar.axis(symbol)
    low, high = axis.values[axis.index(words[symbol])].count or (0, None)
    return count is not None and low <= count and (high is None or count <= high)


def _readers(
    encoder: Encoder, models: ModelSet, n: int
) -> tuple[dict[str, Figure], dict[str, Any]]:
    grammar = encoder.grammar
    seeds = range(CHECK_SEEDS + 100_000, CHECK_SEEDS + 100_000 + n)
    states = [sample_encoding(grammar, seeded(seed, "sentence")) for seed in seeds]
    drawings = [draw(grammar.derive(s), seed) for s, seed in zip(states, seeds, strict=True)]
    images = [drawing.image for drawing in drawings]
    readings = [encoder.encode_drawn(image) for image in images]
    places = models.scene.classify(images)
    scene = [
        max(found, key=found.__getitem__) == drawing.scene
        for found, drawing in zip(places, drawings, strict=True)
    ]
    zero_shot, choices = _zero_shot(models, grammar, images, states)
    shares = {
        "encoder_exact": _share([r.encoding == s for r, s in zip(readings, states, strict=True)]),
        "scene_accuracy": _share(scene),
        "photograph_hints": _share([bool(photograph_hint(models.file, r)) for r in readings]),
    }
    return shares | zero_shot, {
        "clip_choices": choices,
        "map50": map50(models, drawings),
        "psnr_db": psnr_db(models, images),
    }


def psnr_db(models: ModelSet, images: Sequence[Image]) -> float:
    """Measure how well the autoencoder gives images back.

    Args:
        models: whose generator is a pipeline of diffusers.
        images: RGB, of one size.

    Returns:
        Peak signal-to-noise ratio of all pixels together, dB.
    """
    import torch
    from diffusers import AutoencoderKL

    pipeline = models.path("generator")
    assert pipeline is not None, "the pocket models have files"
    vae = AutoencoderKL.from_pretrained(pipeline / "vae", dtype=torch.float32)
    pixels = torch.from_numpy(np.stack([np.asarray(image) for image in images]))
    errors = []
    with torch.inference_mode():
        for part in torch.split(pixels, _BATCH):
            x = part.permute(0, 3, 1, 2).float() / 127.5 - 1
            rebuilt = vae.decode(vae.encode(x).latent_dist.mean).sample.clamp(-1, 1)
            errors += ((rebuilt - x) / 2).square().mean((1, 2, 3)).tolist()
    return round(-10 * float(np.log10(np.mean(errors))), 2)


def _zero_shot(
    models: ModelSet, grammar: Grammar, images: Sequence[Image], states: Sequence[Encoding]
) -> tuple[dict[str, Figure], int]:
    """CLIP picks each image's sentence: among all of a small world, else among those drawn."""
    if grammar.n_states <= 1000:
        choices = list(itertools.product(*(range(size) for size in grammar.shape)))
    else:
        choices = list(dict.fromkeys(states))
    texts = models.clip.embed_texts([grammar.derive(state) for state in choices])
    picked = (models.clip.embed_images(images) @ texts.T).argmax(1)
    symbols = [axis.symbol for axis in grammar.axes]
    pair = [symbols.index("Noun"), symbols.index("Scene")]
    found = [choices[i] for i in picked]
    shares = {
        "clip_sentence": _share([a == b for a, b in zip(found, states, strict=True)]),
        "clip_pair": _share(
            [all(a[i] == b[i] for i in pair) for a, b in zip(found, states, strict=True)]
        ),
    }
    return shares, len(choices)


def map50(models: ModelSet, drawings: Sequence[Drawing]) -> float:
    """Measure the detector's mean average precision at IoU 0.5, by ultralytics' own `val`."""
    from rldf.pocket.yolo_set import write_picture, write_set_file

    import_ultralytics()
    from ultralytics import YOLO

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for k, drawing in enumerate(drawings):
            boxes = [(box.label, box.xyxy) for box in drawing.boxes]
            write_picture(root, f"{k:05d}", drawing.image, boxes)
        model = YOLO(str(models.path("detector")))
        found = model.val(
            data=str(write_set_file(root)), imgsz=128, batch=16, workers=0, plots=False,
            verbose=False, project=str(root / "val"), device="cpu",
        )  # fmt: skip
    return round(float(found.box.map50), 4)


def _share(right: Sequence[bool]) -> Figure:
    return share(sum(right) / len(right) if right else None, len(right))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
