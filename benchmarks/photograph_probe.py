"""Trains what tells photographs from drawings, and measures it on photographs that were held back.

`python benchmarks/photograph_probe.py --material FOLDER [--out FILE.safetensors]`

A linear probe (ridge regression) on the features of EfficientNet-Lite0: the photographs of the
material folder, whole, small and grey, against drawings of the pocket world and images of its
generator, some enlarged. Photographs are judged by five-fold cross-validation over photographs; the
figures are in `benchmarks/results/photograph_probe.json`.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image, Resampling

from rldf.grammar.grammar import load_grammar
from rldf.io.files import write_json
from rldf.io.images import read_image
from rldf.models.model_sets import load_model_set
from rldf.pocket import WEIGHTS
from rldf.pocket.world.drawing import draw
from rldf.pocket.world.sampling import CHECK_SEEDS, sample_encoding
from rldf.seeding import rng

PROBE = WEIGHTS / "photographs" / "probe.safetensors"
RESULT = Path(__file__).parent / "results" / "photograph_probe.json"
_FIRST_SEED = CHECK_SEEDS + 700_000
_DRAWINGS = {"base": 100, "pocket": 300}
_RENDERS = {"base": 24, "pocket": 40}
_FOLDS, _RIDGE = 5, 0.3  # the ridge as a part of the kernel's mean diagonal
_SMALL, _LARGE = 128, 512  # px
Rows = NDArray[np.float64]


def photographs(material: Path) -> list[Path]:
    """List the photographs of the material folder."""
    files = [*(material / "photos").rglob("*"), *(material / "coco" / "images").glob("*")]
    return sorted(file for file in files if file.suffix in (".jpg", ".png"))


def views(image: Image) -> dict[str, Image]:
    """Give a photograph as it is, as a thumbnail, as a small square, and without colour."""
    thumbnail = image.copy()
    thumbnail.thumbnail((160, 160))
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.crop((left, top, left + side, top + side)).resize((_SMALL, _SMALL))
    return {
        "photograph": image,
        "photograph, thumbnail": thumbnail,
        "photograph, 128 px": square,
        "photograph, grey": image.convert("L").convert("RGB"),
    }


def drawings() -> Iterator[tuple[str, Image]]:
    """Draw sentences of the pocket world: by its renderer, some enlarged, and by its generator."""
    generator = load_model_set("pocket").generator
    for name, count in _DRAWINGS.items():
        grammar = load_grammar(name)
        for seed in range(_FIRST_SEED, _FIRST_SEED + count):
            sentence = grammar.derive(sample_encoding(grammar, rng(seed, "sentence")))
            image = draw(sentence, seed).image
            yield f"drawing of {name}", image
            if seed % 4 == 0:
                large = image.resize((_LARGE, _LARGE), Resampling.BICUBIC)
                yield f"drawing of {name}, {_LARGE} px", large
            if seed < _FIRST_SEED + _RENDERS[name]:
                yield f"render of {name}", generator.generate([sentence], [seed])[0]


def fit(rows: Rows, signs: Rows) -> tuple[Rows, float]:
    """Fit a ridge regression in which photographs and drawings weigh the same.

    Args:
        rows: (n, d) features.
        signs: (n,) 1 for photographs and -1 for drawings.

    Returns:
        (d,) weights, and the bias.
    """
    weight = np.where(signs > 0, 0.5 / (signs > 0).mean(), 0.5 / (signs < 0).mean())
    mean = np.average(rows, axis=0, weights=weight)
    scaled = (rows - mean) * np.sqrt(weight)[:, None]
    kernel = scaled @ scaled.T
    ridge = _RIDGE * np.trace(kernel) / len(rows) * np.eye(len(rows))
    slope: Rows = scaled.T @ np.linalg.solve(kernel + ridge, signs * np.sqrt(weight))
    return slope, float(-mean @ slope)


def measure(kinds: NDArray[Any], rows: Rows, signs: Rows, groups: NDArray[Any]) -> dict[str, Any]:
    """Judge each fold by a probe of the others: shares taken for photographs, and scores."""
    scores = np.zeros(len(rows))
    for fold in range(_FOLDS):
        held = groups % _FOLDS == fold
        slope, bias = fit(rows[~held], signs[~held])
        scores[held] = rows[held] @ slope + bias
    return {
        str(kind): {
            "images": int((kinds == kind).sum()),
            "taken for photographs": int((scores[kinds == kind] > 0).sum()),
            "scores": [round(float(f(scores[kinds == kind])), 3) for f in (np.min, np.max)],
        }
        for kind in sorted(set(kinds))
    }


def main() -> None:
    """Train, measure and write."""
    from safetensors.numpy import save_file

    from rldf.perception.lite0 import EfficientNetLite0

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--material", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=PROBE)
    asked = parser.parse_args()
    path = load_model_set("pocket").path("photographs")
    assert path is not None, "the pocket set has a reader of photographs"
    network = EfficientNetLite0(path=path)
    kinds: list[str] = []
    groups: list[int] = []
    found: list[Any] = []
    for number, file in enumerate(photographs(asked.material)):
        for kind, image in views(read_image(file)).items():
            kinds, groups = [*kinds, kind], [*groups, number]
            found += network.features([image])
    for number, (kind, image) in enumerate(drawings()):
        kinds, groups = [*kinds, kind], [*groups, number]
        found += network.features([image])
    rows = np.stack([row.numpy() for row in found]).astype(np.float64)
    signs = np.array([1.0 if kind.startswith("photograph") else -1.0 for kind in kinds])
    result = measure(np.array(kinds), rows, signs, np.array(groups))
    slope, bias = fit(rows, signs)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    weights = {"weight": slope.astype(np.float16), "bias": np.array([bias], np.float16)}
    save_file(weights, str(asked.out))
    write_json(RESULT, result)
    for kind, row in result.items():
        print(f"{kind}: {row['taken for photographs']} of {row['images']}, scores {row['scores']}")


if __name__ == "__main__":
    main()
