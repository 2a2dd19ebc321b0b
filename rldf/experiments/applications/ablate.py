"""Ablates a concept that the grammar has no word for (paper Fig. 8).

Each input image is described twice: by a captioner, which may name whatever it sees, and by a
search in a grammar, which has only the grammar's words. Both sentences are rendered with
the same image seed. CLIP compares the concept's text with the input and with both images.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rldf.errors import UsageError
from rldf.experiments.applications.common import (
    IMAGES,
    ImageRequest,
    found_sentence,
    generate_images,
)
from rldf.experiments.compare.captions import Captioner
from rldf.grammar.grammar import Grammar
from rldf.interfaces import ImageTextModel
from rldf.io.images import write_png
from rldf.io.text import counted
from rldf.io.workdir import ResultFolder, as_json
from rldf.models.model_set import ModelSet
from rldf.report.images import Tile, image_grid
from rldf.runs.config import Search
from rldf.stats import t_interval

SHEET = "sheet.png"
_RUNS = "runs"

COLUMNS = ("input", "caption", "rldf")
"""The input, the image of its caption, and the image of the search result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """What is to be shown."""

    concept: str  # text of the style or character
    tasks: tuple[
        Search, ...
    ]  # a search for each input, at least one; they differ in the input alone
    models: ModelSet  # what searches, draws and compares
    captions: tuple[str, ...] | None = None  # one for each input; None lets a captioner write them
    # checksum of that captioner's files; None for the retrieval of sentences
    captioner: str | None = None
    # text whose cosine is taken off the concept's, so that what all images share cancels out; None
    # takes nothing off
    neutral: str | None = None

    def config(self) -> dict[str, Any]:
        """Give all that decides the figures."""
        identity, search = self.models.identity(), dict(self.tasks[0].config)
        for name in ("image", "image_sha256", "model_set"):
            del search[name]
        return {
            "command": "ablate",
            "concept": self.concept,
            "neutral": self.neutral,
            "inputs": [task.config["image_sha256"] for task in self.tasks],
            "captions": None if self.captions is None else list(self.captions),
            "captioner": self.captioner,
            "searched_with": identity,
            "drawn_with": identity,
            "search": search,
        }


def check_request(concept: str, images: Sequence[str], captions: Sequence[str] | None) -> None:
    """Refuse a request that makes no sense, before anything is loaded."""
    if not concept.strip():
        raise UsageError("CONCEPT is empty: name a style or a character, such as watercolour")
    if captions is not None and len(captions) != len(images):
        raise UsageError(
            f"{counted(len(captions), 'caption')} by --caption for "
            f"{counted(len(images), 'image')}: give one for each, in their order, or none"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """The fall of the score from one column to another, over pairs of one input."""

    mean: float
    # 95 % interval of the mean (Student's t); None for a single image
    ci: tuple[float, float] | None
    fell: int  # pairs in which it fell
    of: int  # pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class AblatedImage:
    """What became of one input."""

    image: str  # its path
    caption: str
    sentence: str  # what the search found
    scores: Mapping[str, float]  # by column; -1 to 1, or -2 to 2 with a neutral text


@dataclass(frozen=True, slots=True, kw_only=True)
class AblationResult:
    """The images of a request, written to its folder, and how much of the concept they show."""

    out: Path  # the folder
    concept: str
    mean_scores: Mapping[str, float]  # by column
    drops: Mapping[str, Drop]  # "input_to_caption", "input_to_rldf", "caption_to_rldf"
    warnings: tuple[str, ...]
    images: tuple[AblatedImage, ...]  # one for each input

    @property
    def sheet(self) -> Path:
        """The image of all columns."""
        return self.out / SHEET

    def found(self) -> dict[str, Any]:
        """Return the result in the manifest."""
        found = asdict(self)
        return as_json({name: found[name] for name in found if name not in ("out", "concept")})

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        places = {"out": str(self.out), "sheet": str(self.sheet)}
        return {**places, "concept": self.concept, **self.found()}


def ablate(
    asked: Ablation,
    captioner: Callable[[], Captioner],
    out: Path,
    progress: Callable[[str], None] = lambda what: None,
) -> AblationResult:
    """Describe, search, draw and compare, and write it down; done again, it goes on."""
    inputs = [task.image for task in asked.tasks]
    folder = ResultFolder(out, asked.config())
    with folder.filling():
        captions = asked.captions or _captions(captioner(), inputs, progress)
        searched = [
            _searched(task, out / _RUNS / f"{k:03d}", progress)
            for k, task in enumerate(asked.tasks)
        ]
        progress("drawing")
        drawn = {
            "input": inputs,
            "caption": _drawn(asked, "caption", captions, out),
            "rldf": _drawn(asked, "rldf", searched, out),
        }
        clip = asked.models.clip
        scores = {
            name: concept_scores(clip, images, asked.concept, asked.neutral)
            for name, images in drawn.items()
        }
        result = AblationResult(
            out=out,
            concept=asked.concept,
            mean_scores={name: round(float(np.mean(scores[name])), 4) for name in COLUMNS},
            drops=drops_of(scores),
            warnings=tuple(dict.fromkeys(hint for task in asked.tasks for hint in task.hints)),
            images=tuple(
                AblatedImage(
                    image=task.settings.image,
                    caption=captions[k],
                    sentence=searched[k],
                    scores={name: round(scores[name][k], 4) for name in COLUMNS},
                )
                for k, task in enumerate(asked.tasks)
            ),
        )
        write_png(result.sheet, _sheet(drawn, scores, captions, searched))
        folder.finish(result.found())
    return result


def _captions(
    captioner: Captioner, inputs: Sequence[Image.Image], progress: Callable[[str], None]
) -> tuple[str, ...]:
    progress("writing captions")
    return tuple(captioner.caption(image) for image in inputs)


def _searched(task: Search, path: Path, progress: Callable[[str], None]) -> str:
    progress(f"searching for {task.settings.image}")
    return found_sentence(path, task)


def _drawn(asked: Ablation, column: str, sentences: Sequence[str], out: Path) -> list[Image.Image]:
    seed = asked.tasks[0].settings.image_seed
    requests = [
        ImageRequest(f"{IMAGES}/{k:03d}-{column}.png", (), sentence, seed)
        for k, sentence in enumerate(sentences)
    ]
    return generate_images(asked.models, requests, out)


def _sheet(
    drawn: Mapping[str, Sequence[Image.Image]],
    scores: Mapping[str, Sequence[float]],
    captions: Sequence[str],
    searched: Sequence[str],
) -> Image.Image:
    rows = []
    for k, words in enumerate(zip(["input"] * len(captions), captions, searched, strict=True)):
        rows.append(
            [
                Tile(drawn[name][k], f"{scores[name][k]:.2f}  {text}")
                for name, text in zip(COLUMNS, words, strict=True)
            ]
        )
    return image_grid(rows, heads=["input", "its caption, drawn", "RLDF"], side=160)


def names_concept(grammar: Grammar, concept: str) -> bool:
    """Tell whether a grammar has a word for a concept, so that nothing can fall away."""
    fixed = [text for slot in grammar.slots for text in slot.forms.values()]
    values = (value for axis in grammar.axes for value in axis.values)
    texts = [*fixed, *(text for value in values for text in value.forms.values())]
    wanted = re.compile(rf"\b{re.escape(concept.strip())}\b", re.IGNORECASE)
    return any(wanted.search(text) for text in texts)


def concept_scores(
    clip: ImageTextModel, images: Sequence[Image.Image], concept: str, neutral: str | None
) -> list[float]:
    """Compare images with a text.

    Returns:
        Cosine of each image and the text, from -1 to 1; with a neutral text the difference of two
        cosines, from -2 to 2.
    """
    vectors = clip.embed_images(images).astype(np.float64)
    texts = clip.embed_texts([concept] if neutral is None else [concept, neutral])
    cosines = vectors @ texts.astype(np.float64).T
    signs = np.array([1.0, -1.0][: len(texts)])
    return [float(score) for score in cosines @ signs]


def drops_of(scores: Mapping[str, Sequence[float]]) -> dict[str, Drop]:
    """Measure the falls from the input to each drawing, and from the caption's to the found one."""
    pairs = [("input", "caption"), ("input", "rldf"), ("caption", "rldf")]
    drops = {}
    for before, after in pairs:
        falls = [a - b for a, b in zip(scores[before], scores[after], strict=True)]
        interval = t_interval(falls)
        drops[f"{before}_to_{after}"] = Drop(
            mean=round(float(np.mean(falls)), 4),
            ci=None if interval is None else (round(interval[0], 4), round(interval[1], 4)),
            fell=sum(fall > 0 for fall in falls),
            of=len(falls),
        )
    return drops
