"""Measures the pocket models: generated images against their sentences, readers against drawings.

All seeds are `CHECK_SEEDS` or above, which were not used in training.
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

from rldf.grammar.contents import SceneContents
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
    """One image to generate and to read.

    Attributes:
        encoding: the encoding that should be read in the image.
        sentence: the encoding's sentence, from which the image is generated.
        seed: seed of the image.
    """

    encoding: Encoding
    sentence: str
    seed: int


def cells_of(grammar: Grammar, n: int) -> list[Cell]:
    """Choose the images to generate: two of every state, or `n` of sampled states.

    Every state is taken if the grammar has 1000 states or fewer.
    """
    if grammar.n_states <= 1000:
        states = itertools.product(*(range(size) for size in grammar.shape))
        pairs = [(state, CHECK_SEEDS + k) for state in states for k in range(2)]
    else:
        pairs = [
            (sample_encoding(grammar, seeded(CHECK_SEEDS + k, "sentence")), CHECK_SEEDS + k)
            for k in range(n)
        ]
    return [Cell(state, grammar.derive(state), seed) for state, seed in pairs]


def check(models: ModelSet, grammar_name: str, n: int = 500) -> dict[str, Any]:
    """Measure everything that `rldf pocket check` prints.

    Args:
        models: the model set to measure.
        grammar_name: the grammar of the generated images.
        n: number of drawings, and of generated images for a grammar with over 1000 states.

    Returns:
        Shares of correct readings, 0 to 1, and under "figures" the record of each; the seconds to
        generate one image, and the megabytes of all weights.
    """
    grammar = load_grammar(grammar_name)
    encoder = Encoder(grammar, models)
    cells = cells_of(grammar, n)
    shares = _read_back(encoder, models, cells)
    read, found = _readers(encoder, models, n)
    shares |= read
    return (
        {"grammar": grammar_name, "renders": len(cells), "drawings": n}
        | {name: _rounded(figure.value) for name, figure in shares.items()}
        | found
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
    """Return the name and the printed value of each measurement in the result of `check`."""
    figures = found.get("figures", {})
    shares = {name: read_figure(record) for name, record in figures.items()}
    shown = {name: str(share) if share.n else "-" for name, share in shares.items()}
    return [
        (name, shown.get(name, str(value))) for name, value in found.items() if name != "figures"
    ]


def render_seconds(generator: ImageGenerator, n: int = 5) -> float:
    """Return the median wall-clock seconds to generate one image, of `n` after a first one."""
    sentence = load_grammar("base").derive((0, 0, 0, 0))
    times = []
    for k in range(n + 1):
        begun = time.perf_counter()
        generator.generate([sentence], [CHECK_SEEDS + k])
        times.append(time.perf_counter() - begun)
    return round(float(np.median(times[1:])), 3)


def _read_back(encoder: Encoder, models: ModelSet, cells: Sequence[Cell]) -> dict[str, Figure]:
    right: dict[str, list[bool]] = {
        name: [] for name in ("noun", "scene", "frequency", "density", "attributes")
    }
    for start in range(0, len(cells), _BATCH):
        batch = cells[start : start + _BATCH]
        images = models.generator.generate([c.sentence for c in batch], [c.seed for c in batch])
        for cell, image, seen in zip(batch, images, encoder.detect(images), strict=True):
            for name, ok in _compare(encoder, cell, image, seen):
                right[name].append(ok)
    return {name: _share(found) for name, found in right.items()}


def _compare(
    encoder: Encoder, cell: Cell, image: Image, seen: SceneContents
) -> Iterable[tuple[str, bool]]:
    """Yield the name of each reading of a cell's image, and whether the reading is correct."""
    words = encoder.grammar.decode(cell.encoding)
    first = seen.objects[0] if seen.objects else None
    yield "noun", first is not None and first.value == words["Noun"]
    yield "scene", seen.scene == words["Scene"]
    right = next((thing for thing in seen.objects if thing.value == words["Noun"]), None)
    yield "frequency", right is not None and _in_bin(encoder, "Frequency", words, right.count)
    yield "density", _in_bin(encoder, "Density", words, seen.people)
    axes = [axis for axis in encoder.grammar.axes if axis.kind.reader == "CLIP"]
    if axes:
        read = encoder.encode_drawn(image).encoding
        for axis in axes:
            i = encoder.grammar.axes.index(axis)
            if not axis.kind.needs_people or words["Density"] != "no":
                yield "attributes", read is not None and read[i] == cell.encoding[i]


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
    return shares | zero_shot, {"clip_choices": choices, "map50": map50(models, drawings)}


def _zero_shot(
    models: ModelSet, grammar: Grammar, images: Sequence[Image], states: Sequence[Encoding]
) -> tuple[dict[str, Figure], int]:
    """Measure how often CLIP finds an image's sentence, and return the number of sentences too.

    It chooses among all sentences of a grammar with 1000 states or fewer, else among `states`.
    """
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
    """Measure the detector's mean average precision at IoU 0.5 with ultralytics' `val`."""
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
