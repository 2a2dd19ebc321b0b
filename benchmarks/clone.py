# ruff: noqa: TID253 (a program: nothing imports it)
"""How fast is a clone written, beside the paper's recipe and beside drawing with nothing saved?

`python benchmarks/clone.py [--images 32] [--rounds 5] [--batch-size 8]`  pocket models, any machine
`python benchmarks/clone.py --gpu-size [--peak-tflops 989] [--channels-last] [--compile]`  one GPU

Three ways draw the images of one plan, in turns, so that whatever else the machine does hits all
alike:

    writer    `rldf clone`: batches, threads that encode JPEG and write, manifests, card, sheets
    recipe    the paper's: a loop over the diffusers pipeline, one image at a time, attention
              slicing on, each saved as PNG
    bare      the diffusers pipeline in the writer's batches, nothing saved

With --gpu-size the models have the size of Stable Diffusion 1.4 and random weights. Loading is left
out, and so is a first round. JSON goes to --out, a table to stdout.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoPipelineForText2Image, DPMSolverMultistepScheduler
from diffusers.utils import logging as diffusers_logging
from machine import machine
from random_diffusion import TINY, Size, flops_per_image, random_models
from transformers.utils import logging as transformers_logging

from rldf.dataset.build import make_clone
from rldf.dataset.config import imagenet_config
from rldf.dataset.filters import blank_filter
from rldf.dataset.layout import enter_folder
from rldf.dataset.plan import Plan, PlannedImage, make_plan
from rldf.dataset.presets import load_preset, with_preset
from rldf.dataset.record import new_record
from rldf.dataset.render import Renderer, write_config
from rldf.dataset.sharding import ShardSlice
from rldf.models.model_sets import ModelSet, load_model_set

_PRESET, _CLASSES = "train", 4
_WAYS = ("writer", "recipe", "bare")


class Contest:
    """The three ways over one plan."""

    def __init__(self, models: ModelSet, images: int, batch_size: int, device: str) -> None:
        """Load the models three times, since attention slicing changes a pipeline.

        Args:
            models: what draws.
            images: how many each way draws in a round; the recipe half as many.
            batch_size: of the writer and of the bare pipeline.
            device: where the models run.
        """
        splits = {"train": images // _CLASSES}
        self._config = imagenet_config(models, classes=str(_CLASSES), splits=splits, preset=_PRESET)
        self.models = with_preset(models, load_preset(_PRESET))
        self.batch_size = batch_size
        self._options = dict(self.models.file.generator.options)
        self._bare, self._recipe = (_pipeline(self.models, device) for _ in range(2))
        self._recipe.enable_attention_slicing()
        self.deal(0)

    def deal(self, number: int) -> None:
        """Take another plan, so that no way knows its sentences from the round before.

        Args:
            number: its seed.
        """
        self.plan: Plan = make_plan(self._config.model_copy(update={"seed": number}))
        self.planned = [self.plan.image(i) for i in range(len(self.plan))]

    def rate(self, way: str) -> float:
        """Draw the plan in one way.

        Args:
            way: one of the three.

        Returns:
            Images a second.
        """
        if way == "writer":
            return self.write()
        part = self.planned[: len(self.planned) // 2] if way == "recipe" else self.planned
        begun = time.perf_counter()
        (self.recipe if way == "recipe" else self.bare)(part)
        return len(part) / (time.perf_counter() - begun)

    def write(self) -> float:
        """Write a clone into a new folder, from the first image to the card.

        Returns:
            Images a second.
        """
        how = write_config(
            self.models, len(self.plan), format="imagefolder", verify_labels=None,
            safety_checker=False,
        )  # fmt: skip
        renderer = Renderer(
            generator=self.models.generator, filter=_look, batch_size=self.batch_size
        )
        with tempfile.TemporaryDirectory() as place:
            folder = enter_folder(Path(place) / "clone", new_record(self.plan.config, how))
            begun = time.perf_counter()
            made = make_clone(folder, self.plan, renderer, ShardSlice())
            seconds = time.perf_counter() - begun
        if made.images != len(self.plan):
            raise SystemExit(f"{made.images} of {len(self.plan)} images were written")
        return made.images / seconds

    def generate(self, planned: Sequence[PlannedImage]) -> None:
        """Draw images with the writer's generator, and forget them.

        Args:
            planned: which.
        """
        for batch in self._batches(planned):
            self.models.generator.generate([p.sentence for p in batch], [p.seed for p in batch])

    def bare(self, planned: Sequence[PlannedImage]) -> None:
        """Draw images in batches, and forget them.

        Args:
            planned: which.
        """
        for batch in self._batches(planned):
            self._call(self._bare, batch)

    def recipe(self, planned: Sequence[PlannedImage]) -> None:
        """Draw images one at a time, and save each as PNG.

        Args:
            planned: which.
        """
        with tempfile.TemporaryDirectory() as place:
            for image in planned:
                self._call(self._recipe, [image])[0].save(Path(place) / f"{image.index}.png")

    def _batches(self, planned: Sequence[PlannedImage]) -> list[Sequence[PlannedImage]]:
        n = self.batch_size
        return [planned[i : i + n] for i in range(0, len(planned), n)]

    def _call(self, pipeline: Any, planned: Sequence[PlannedImage]) -> Any:
        negative = self._options.get("negative_prompt")
        return pipeline(
            prompt=[image.sentence for image in planned],
            negative_prompt=[negative] * len(planned) if negative else None,
            generator=[torch.Generator("cpu").manual_seed(image.seed) for image in planned],
            num_inference_steps=self._options["steps"],
            guidance_scale=self._options["guidance"],
            height=self._options["size"],
            width=self._options["size"],
        ).images


def _look(images: Sequence[Any], planned: Sequence[PlannedImage]) -> list[str]:
    """Look for blank images as the writer does, but keep them: random weights may draw nothing."""
    blank_filter(images, planned)
    return [""] * len(images)


def _pipeline(models: ModelSet, device: str) -> Any:
    """Load a pipeline as the library's guide does, with the paper's scheduler."""
    pipeline = AutoPipelineForText2Image.from_pretrained(
        models.path("generator"), dtype=torch.float32 if device == "cpu" else torch.float16,
        use_safetensors=True,
        local_files_only=True, safety_checker=None, requires_safety_checker=False,
        feature_extractor=None,
    )  # fmt: skip
    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


def gains(contest: Contest, rounds: int, *, channels_last: bool, compiled: bool) -> dict[str, Any]:
    """Measure what faster forms of the same models gain.

    Args:
        contest: whose generator is changed for good: measure all else before.
        rounds: how often each form draws the plan.
        channels_last: whether to try the other memory format.
        compiled: whether to try torch.compile, after that.

    Returns:
        Images a second by form, and how long compiling took.
    """
    # The generator keeps its pipeline to itself; nothing but its weights' form is changed here.
    pipeline = contest.models.generator._pipeline  # type: ignore[attr-defined]
    found: dict[str, Any] = {"eager": _drawing_rate(contest, rounds)}
    form = ""
    if channels_last:
        form = "channels_last"
        for part in (pipeline.unet, pipeline.vae):
            part.to(memory_format=torch.channels_last)
        found[form] = _drawing_rate(contest, rounds)
    if compiled:
        form = f"{form} + compile".removeprefix(" + ")
        begun = time.perf_counter()
        pipeline.unet.compile(fullgraph=True)
        pipeline.vae.decoder.compile(fullgraph=True)
        contest.generate(contest.planned[: contest.batch_size])
        found["compile_seconds"] = round(time.perf_counter() - begun, 1)
        found[form] = _drawing_rate(contest, rounds)
    return found


def _drawing_rate(contest: Contest, rounds: int) -> float:
    whole = len(contest.planned) // contest.batch_size * contest.batch_size  # one shape alone
    contest.generate(contest.planned[: contest.batch_size])
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        contest.generate(contest.planned[:whole])
        seconds.append(time.perf_counter() - begun)
    return round(whole / statistics.median(seconds), 3)


def race(contest: Contest, rounds: int) -> list[dict[str, float]]:
    """Let the ways draw in turns; each round begins with another, and the first does not count.

    Args:
        contest: the ways.
        rounds: how many turns each has.

    Returns:
        Images a second by way, for each round.
    """
    found = []
    for number in range(rounds + 1):
        contest.deal(number)
        first = number % len(_WAYS)
        rates = {way: contest.rate(way) for way in (*_WAYS[first:], *_WAYS[:first])}
        found.append({way: round(rates[way], 4) for way in _WAYS})
    return found[1:]


def summarise(rounds: list[dict[str, float]], bars: dict[str, float]) -> dict[str, Any]:
    """Sum up a race; ratios are taken within rounds, so that slow moments cancel out.

    Args:
        rounds: what `race` gave.
        bars: what the writer's ratio to a way is to reach.

    Returns:
        Medians of the rates, and of the ratios with their least and greatest.
    """
    ratios = {way: [each["writer"] / each[way] for each in rounds] for way in bars}
    return {
        "images_per_second": {
            way: round(statistics.median(each[way] for each in rounds), 3) for way in _WAYS
        },
        "ratios": {
            way: {
                "median": round(statistics.median(values), 3),
                "least": round(min(values), 3),
                "greatest": round(max(values), 3),
                "bar": bars[way],
            }
            for way, values in ratios.items()
        },
        "rounds": rounds,
    }


def main() -> None:
    """Race, print the table and write the document."""
    options = _options()
    for library in (diffusers_logging, transformers_logging):
        library.disable_progress_bar()
        library.set_verbosity_error()
    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    with tempfile.TemporaryDirectory() as place:
        if options.gpu_size:
            size = TINY if options.tiny else Size()
            models = random_models(Path(place), size, options.steps, device)
        else:
            models = load_model_set("pocket", device)
        contest = Contest(models, options.images, options.batch_size, device)
        bars = {"recipe": 4.0 if options.gpu_size else 1.5, "bare": 0.95}
        document = {
            "machine": machine(device),
            "models": "random weights" if options.gpu_size else "pocket",
            "images": len(contest.plan),
            "batch_size": options.batch_size,
            **summarise(race(contest, options.rounds), bars),
        }
        if options.gpu_size:
            document |= _limits(contest, options, document["images_per_second"]["writer"])
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    _print(document)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=None, help="default: 32, or 96 of GPU size")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=None, help="default: 8, or 16")
    parser.add_argument("--device", help="default: the GPU if there is one")
    parser.add_argument("--gpu-size", action="store_true", help="models of SD 1.4's size")
    parser.add_argument("--tiny", action="store_true", help="with --gpu-size: to try it on a CPU")
    parser.add_argument("--steps", type=int, default=20, help="with --gpu-size: denoising steps")
    parser.add_argument("--peak-tflops", type=float, help="of the GPU in half precision, dense")
    parser.add_argument("--channels-last", action="store_true", help="measure its gain")
    parser.add_argument("--compile", action="store_true", help="measure the gain of torch.compile")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    large = options.gpu_size
    options.images = options.images or (96 if large else 32)
    options.batch_size = options.batch_size or (16 if large else 8)
    results = Path("benchmarks/results")
    options.out = options.out or results / ("clone-gpu.json" if large else "clone.json")
    if options.images < 2 * _CLASSES or options.images % _CLASSES:
        parser.error(f"--images {options.images}: give a multiple of {_CLASSES}, 8 or more")
    return options


def _limits(contest: Contest, options: argparse.Namespace, rate: float) -> dict[str, Any]:
    pipeline, side = contest._bare, contest._options["size"]
    flops = flops_per_image(pipeline, options.steps, int(side))
    peak = options.peak_tflops
    return {
        "tflop_per_image": round(flops / 1e12, 4),
        "peak_tflops": peak,
        "share_of_peak": round(rate * flops / (peak * 1e12), 4) if peak else None,
        "drawing_images_per_second": gains(
            contest, options.rounds, channels_last=options.channels_last, compiled=options.compile
        ),
    }


def _print(document: dict[str, Any]) -> None:
    rates, ratios = document["images_per_second"], document["ratios"]
    print(f"{'way':8}{'images/s':>10}{'writer / way':>14}{'least':>8}{'greatest':>10}{'bar':>8}")
    for way in _WAYS:
        line = f"{way:8}{rates[way]:>10.3f}"
        if way in ratios:
            told = ratios[way]
            line += f"{told['median']:>14.3f}{told['least']:>8.3f}{told['greatest']:>10.3f}"
            line += f"{'>= ' + str(told['bar']):>8}"
        print(line)
    if "tflop_per_image" in document:
        print(f"{document['tflop_per_image']:.2f} TFLOP an image", end="")
        if document["share_of_peak"] is not None:
            print(f", {document['share_of_peak']:.3f} of the peak", end="")
        print()
        for form, rate in document["drawing_images_per_second"].items():
            print(f"{form}: {rate}")


if __name__ == "__main__":
    main()
