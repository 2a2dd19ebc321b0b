# ruff: noqa: TID253 (a program: nothing imports it)
"""How fast does the diffusion generator draw, beside the plain pipeline of diffusers?

`python benchmarks/generator.py`          one GPU: models of Stable Diffusion 1.4's size
`python benchmarks/generator.py --tiny`   tiny models, to try it on any machine

The weights are random, which takes the same time as trained ones. Three ways draw the same
sentences and seeds at the same precision, in turns:

    plain      the pipeline as the guide of diffusers shows it, with the paper's scheduler
    ours       rldf's generator
    compiled   rldf's generator with `compile`

Every turn has sentences of its own, so nothing is drawn from texts that were encoded before.
Loading, compiling and a first turn are left out of the rates. JSON goes to --out, a table to
stdout.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoPipelineForText2Image, DPMSolverMultistepScheduler
from diffusers.utils import logging as diffusers_logging
from machine import machine
from PIL.Image import Image
from random_diffusion import TINY, Size, random_models

from rldf.generators.diffusion import DiffusionGenerator

_GUIDANCE = 7.5
_LEAST = 8  # images of a turn

Draw = Callable[[Sequence[str], Sequence[int]], list[Image]]


class Way:
    """One way to draw, and what it takes."""

    def __init__(self, draw: Draw, pipeline: Any) -> None:
        """Take a way.

        Args:
            draw: gives an image for each sentence and seed.
            pipeline: whose weights it holds.
        """
        self._draw = draw
        self._weights = sum(
            tensor.numel() * tensor.element_size()
            for part in pipeline.components.values()
            if isinstance(part, torch.nn.Module)
            for tensor in part.parameters()
        )

    def turn(self, batch: int, number: int) -> dict[str, float | None]:
        """Draw two batches or eight images, whichever are more.

        Args:
            batch: images at once.
            number: of the turn; each has its own sentences.

        Returns:
            Images a second, and on a GPU the peak of its memory in GB, weights included.
        """
        n = -(-max(2 * batch, _LEAST) // batch) * batch
        before = _start_watching()
        begun = time.perf_counter()
        for start in range(0, n, batch):
            self.draw(range(start, start + batch), number)
        seconds = time.perf_counter() - begun
        peak = None if before is None else torch.cuda.max_memory_allocated() - before
        return {
            "images_per_second": n / seconds,
            "peak_gb": None if peak is None else (peak + self._weights) / 1e9,
        }

    def draw(self, numbers: Sequence[int], turn: int) -> list[Image]:
        """Draw some images of a turn, and wait for them.

        Args:
            numbers: which.
            turn: its number.

        Returns:
            The images.
        """
        sentences = [f"a photo of {k} dogs and {turn} people in a park" for k in numbers]
        return self._draw(sentences, list(numbers))


def _start_watching() -> int | None:
    if not torch.cuda.is_available():
        return None
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    return torch.cuda.memory_allocated()


def plain_way(path: Path, steps: int, side: int, device: str) -> Way:
    """Load the pipeline as the library's guide does.

    Args:
        path: its folder.
        steps: denoising steps.
        side: of the images, px.
        device: where it runs.

    Returns:
        The way.
    """
    pipeline = AutoPipelineForText2Image.from_pretrained(
        path, dtype=torch.float32 if device == "cpu" else torch.float16, use_safetensors=True,
        local_files_only=True, safety_checker=None, requires_safety_checker=False,
        feature_extractor=None,
    )  # fmt: skip
    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.to(device)

    def draw(sentences: Sequence[str], seeds: Sequence[int]) -> list[Image]:
        images: list[Image] = pipeline(
            list(sentences),
            generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
            num_inference_steps=steps,
            guidance_scale=_GUIDANCE,
            height=side,
            width=side,
        ).images
        return images

    return Way(draw, pipeline)


def our_way(path: Path, steps: int, side: int, device: str, *, compiled: bool) -> Way:
    """Load rldf's generator.

    Args:
        path: folder of its pipeline.
        steps: denoising steps.
        side: of the images, px.
        device: where it runs.
        compiled: whether it compiles the models.

    Returns:
        The way.
    """
    generator = DiffusionGenerator(
        path=path, device=device, steps=steps, guidance=_GUIDANCE, size=side, compile=compiled
    )
    return Way(generator.generate, generator._pipeline)


def race(ways: dict[str, Way], batch: int, rounds: int) -> dict[str, Any]:
    """Let the ways draw in turns; each round begins with another, and the first does not count.

    Args:
        ways: by name.
        batch: images at once.
        rounds: how many turns each way has.

    Returns:
        Medians by way, the seconds of its first turn, and what it gains over the plain pipeline,
        taken within rounds so that slow moments cancel out.
    """
    torch.compiler.reset()  # one batch size alone, as in a clone
    names = list(ways)
    first = {name: _seconds(ways[name], batch) for name in names}
    turns: dict[str, list[dict[str, float | None]]] = {name: [] for name in names}
    for number in range(1, rounds + 1):
        k = number % len(names)
        for name in (*names[k:], *names[:k]):
            turns[name].append(ways[name].turn(batch, number))
    rates = {name: [turn["images_per_second"] or 0.0 for turn in turns[name]] for name in names}
    peaks = {name: [turn["peak_gb"] or 0.0 for turn in turns[name]] for name in names}
    return {
        name: {
            "images_per_second": round(statistics.median(rates[name]), 3),
            "to_plain": round(
                statistics.median(a / b for a, b in zip(rates[name], rates["plain"], strict=True)),
                3,
            ),
            "peak_gb": round(max(peaks[name]), 2) or None,
            "first_turn_seconds": round(first[name], 1),
        }
        for name in names
    }


def _seconds(way: Way, batch: int) -> float:
    begun = time.perf_counter()
    way.turn(batch, 0)
    return time.perf_counter() - begun


def difference(ways: dict[str, Way]) -> dict[str, float]:
    """Compare what the ways draw of four sentences with what the plain pipeline draws.

    Args:
        ways: by name.

    Returns:
        Mean absolute difference by way, levels of 255; rounding alone is to differ.
    """
    drawn = {name: [np.asarray(i, np.float64) for i in way.draw(range(4), 0)] for name, way in
             ways.items()}  # fmt: skip
    return {
        name: round(float(np.abs(np.stack(images) - np.stack(drawn["plain"])).mean()), 4)
        for name, images in drawn.items()
    }


def main() -> None:
    """Race, print the table and write the document."""
    options = _options()
    diffusers_logging.disable_progress_bar()
    diffusers_logging.set_verbosity_error()
    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    compiled = device != "cpu" if options.compile is None else options.compile
    size = TINY if options.tiny else Size()
    with tempfile.TemporaryDirectory() as place:
        path = random_models(Path(place), size, options.steps, device).path("generator")
        assert path is not None, "it was just written"
        how = (path, options.steps, size.side, device)
        ways = {"plain": plain_way(*how), "ours": our_way(*how, compiled=False)}
        if compiled:
            ways["compiled"] = our_way(*how, compiled=True)
        document = {
            "machine": machine(device),
            "models": "tiny" if options.tiny else "Stable Diffusion 1.4's size",
            "weights": "random",
            "steps": options.steps,
            "side": size.side,
            "rounds": options.rounds,
            "batches": {str(n): race(ways, n, options.rounds) for n in options.batches},
            "mean_difference": difference(ways),
        }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    _print(document)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="tiny models, to try it on a CPU")
    parser.add_argument("--batches", default="1,8,32", help="images at once")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20, help="denoising steps")
    parser.add_argument("--device", help="default: the GPU if there is one")
    parser.add_argument(
        "--compile", action=argparse.BooleanOptionalAction, help="default: on a GPU alone"
    )
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    options.batches = [int(n) for n in options.batches.split(",")]
    name = "generator-tiny.json" if options.tiny else "generator.json"
    options.out = options.out or Path("benchmarks/results") / name
    return options


def _print(document: dict[str, Any]) -> None:
    print(f"{document['models']}, {document['steps']} steps, {document['side']} px, "
          f"{document['machine']['device']}")  # fmt: skip
    print(f"{'batch':>5}  {'way':9}{'images/s':>10}{'to plain':>10}{'peak GB':>9}{'first s':>9}")
    for batch, ways in document["batches"].items():
        for name, row in ways.items():
            peak = "-" if row["peak_gb"] is None else f"{row['peak_gb']:.2f}"
            print(f"{batch:>5}  {name:9}{row['images_per_second']:>10.3f}{row['to_plain']:>10.3f}"
                  f"{peak:>9}{row['first_turn_seconds']:>9.1f}")  # fmt: skip
    print(f"mean difference to plain, levels: {document['mean_difference']}")


if __name__ == "__main__":
    main()
