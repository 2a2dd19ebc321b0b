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
Loading, compiling and a first turn are left out of the rates. Where memory runs out, the plain
pipeline has no rate, and rldf's generator draws in halves: "at once" says how many, "-" that not
even one fits. JSON goes to --out, a table to stdout.
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
from transformers.utils import logging as transformers_logging

from rldf.errors import RldfError
from rldf.generators.batching import Portions, free_memory, is_out_of_memory
from rldf.generators.diffusion import DiffusionGenerator

_GUIDANCE = 7.5
_LEAST = 8  # images of a turn

Draw = Callable[[Sequence[str], Sequence[int]], list[Image]]


class Way:
    """One way to draw, and what it takes."""

    def __init__(self, draw: Draw, pipeline: Any, portions: Portions | None = None) -> None:
        """Take a way.

        Args:
            draw: gives an image for each sentence and seed.
            pipeline: whose weights it holds.
            portions: what remembers how many images fit into memory; None for a way that fails.
        """
        self._draw, self._portions = draw, portions
        self._on_gpu = pipeline.device.type == "cuda"
        self._weights = sum(
            tensor.numel() * tensor.element_size()
            for part in pipeline.components.values()
            if isinstance(part, torch.nn.Module)
            for tensor in part.parameters()
        )

    def begin(self) -> None:
        """Forget what fitted into memory: a batch of another size comes."""
        if self._portions is not None:
            self._portions.most = None

    def turn(self, batch: int, number: int) -> dict[str, float] | None:
        """Draw two batches or eight images, whichever are more.

        Args:
            batch: images at once.
            number: of the turn; each has its own sentences.

        Returns:
            Images a second, the seconds, how many were drawn at once, and the peak of the GPU's
            memory in GB, weights included (0 without a GPU); None where memory ran out.
        """
        n = -(-max(2 * batch, _LEAST) // batch) * batch
        before = _start_watching() if self._on_gpu else 0
        begun = time.perf_counter()
        try:
            for start in range(0, n, batch):
                self.draw(range(start, start + batch), number)
        except (RuntimeError, MemoryError, RldfError) as error:
            if not is_out_of_memory(error):
                raise
            return None
        seconds = time.perf_counter() - begun
        most = None if self._portions is None else self._portions.most
        peak = torch.cuda.max_memory_allocated() - before + self._weights if self._on_gpu else 0
        return {
            "images_per_second": n / seconds,
            "seconds": seconds,
            "at_once": min(batch, most or batch),
            "peak_gb": peak / 1e9,
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


def _start_watching() -> int:
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
    return Way(generator.generate, generator._pipeline, generator._portions)


def race(ways: dict[str, Way], batch: int, rounds: int) -> dict[str, Any]:
    """Let the ways draw in turns; each round begins with another, and the first does not count.

    Args:
        ways: by name.
        batch: images at once.
        rounds: how many turns each way has.

    Returns:
        Medians by way, the seconds of its first turn, and what it gains over the plain pipeline,
        taken within rounds so that slow moments cancel out; None for a way without memory.
    """
    torch.compiler.reset()  # one batch size alone, as in a clone
    first = {name: _first(way, batch) for name, way in ways.items()}
    names = [name for name, turn in first.items() if turn is not None]
    turns: dict[str, list[dict[str, float] | None]] = {name: [] for name in names}
    for number in range(1, rounds + 1):
        k = number % max(1, len(names))
        for name in (*names[k:], *names[:k]):
            turns[name].append(ways[name].turn(batch, number))
            free_memory()
    plain = turns.get("plain", [])
    return {name: _row(first[name], turns.get(name, []), plain) for name in ways}


def _first(way: Way, batch: int) -> dict[str, float] | None:
    way.begin()
    turn = way.turn(batch, 0)
    free_memory()
    return turn


def _row(
    first: dict[str, float] | None,
    turns: list[dict[str, float] | None],
    plain: list[dict[str, float] | None],
) -> dict[str, float | None] | None:
    """Sum up the turns of one way; None where memory ran out in any."""
    done = [turn for turn in turns if turn is not None]
    if first is None or len(done) < len(turns):
        return None
    gains = [
        own["images_per_second"] / other["images_per_second"]
        for own, other in zip(done, plain, strict=False)
        if other is not None
    ]
    return {
        "images_per_second": round(statistics.median(t["images_per_second"] for t in done), 3),
        "to_plain": round(statistics.median(gains), 3) if gains else None,
        "at_once": int(min(turn["at_once"] for turn in done)),
        "peak_gb": round(max(turn["peak_gb"] for turn in done), 2) or None,
        "first_turn_seconds": round(first["seconds"], 1),
    }


def difference(ways: dict[str, Way]) -> dict[str, float]:
    """Compare what the ways draw of four sentences with what the plain pipeline draws.

    Args:
        ways: by name.

    Returns:
        Mean absolute difference by way, levels of 255; rounding alone is to differ.
    """
    drawn = {
        name: [np.asarray(way.draw([k], 0)[0], np.float64) for k in range(4)]
        for name, way in ways.items()
    }
    return {
        name: round(float(np.abs(np.stack(images) - np.stack(drawn["plain"])).mean()), 4)
        for name, images in drawn.items()
    }


def main() -> None:
    """Race, print the table and write the document."""
    options = _options()
    diffusers_logging.disable_progress_bar()
    diffusers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
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
    heads = ("batch", "way", "images/s", "to plain", "at once", "peak GB", "first s")
    _line(*heads)
    for batch, ways in document["batches"].items():
        for name, row in ways.items():
            if row is None:
                _line(batch, name, "no memory", *"----")
            else:
                _line(batch, name, *("-" if cell is None else cell for cell in row.values()))
    print(f"mean difference to plain, levels: {document['mean_difference']}")


def _line(*cells: object) -> None:
    print(f"{cells[0]:>5}  {cells[1]:9}" + "".join(f"{cell!s:>10}" for cell in cells[2:]))


if __name__ == "__main__":
    main()
