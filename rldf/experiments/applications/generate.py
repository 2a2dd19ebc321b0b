"""Generates many images of a search result, with some of its axes varied."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from rldf import seeding as seeds
from rldf.agents.cover import latin_cover
from rldf.errors import UsageError
from rldf.experiments.applications.common import (
    IMAGES,
    ImageRequest,
    check_count,
    generate_images,
    image_seed,
)
from rldf.io.images import write_png
from rldf.io.workdir import ResultFolder
from rldf.models.model_set import ModelSet
from rldf.report.images import Tile, image_grid
from rldf.runs.result import RunResult

SHEET = "sheet.png"
_COLUMNS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A request for images of a search result."""

    found: RunResult  # the sentence, in the words of a grammar that has the varied axes
    models: ModelSet  # what draws
    n: int  # number of images
    vary: tuple[str, ...] = ()  # symbols of the axes whose values change from image to image
    seed: int = 0  # of the choice of values and of the images

    def __post_init__(self) -> None:
        """Check the request."""
        check_count(self.n)
        varied = [self.found.axis_number(symbol) for symbol in self.vary]
        for number in varied:
            if why := self.found.grammar.unspoken(number, self.found.encoding, varied):
                symbol = self.found.grammar.axes[number].symbol
                raise UsageError(
                    f"--vary {symbol}: no sentence speaks of it where {why}: leave it out, or vary "
                    f"{why.split()[0]} too"
                )
        if len(set(self.vary)) < len(self.vary):
            raise UsageError(f"--vary {','.join(self.vary)}: name each axis once")

    def config(self) -> dict[str, Any]:
        """Return all that decides the images, as JSON."""
        return {
            "command": "generate",
            **self.found.document(),
            "drawn_with": self.models.identity(),
            "n": self.n,
            "vary": list(self.vary),
            "seed": self.seed,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationResult:
    """The images of a request, written to its folder."""

    generation: Generation
    out: Path  # the folder
    images: tuple[ImageRequest, ...]  # what was drawn, in order

    @property
    def sheet(self) -> Path:
        """The contact sheet."""
        return self.out / SHEET

    def found(self) -> dict[str, Any]:
        """Return the result in the manifest."""
        found = self.generation.found
        return {
            "run": str(found.run),
            "warnings": list(found.notes),
            "images": [image.document(found.grammar) for image in self.images],
        }

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        places = {"out": str(self.out), "sheet": str(self.sheet)}
        return {**places, **self.generation.config(), **self.found()}


def planned(generation: Generation) -> list[ImageRequest]:
    """Choose the sentence and the seed of every image.

    Each value of a varied axis is shown equally often, give or take one, as far as there are
    enough pictures; axes are shuffled apart from one another.
    """
    found, n = generation.found, generation.n
    places = [found.axis_number(symbol) for symbol in generation.vary]
    rng = seeds.rng(generation.seed, "vary")
    # A column of n more rows makes the cover n long.
    cover = latin_cover((*(found.grammar.shape[i] for i in places), n), rng)[:n]
    requests = []
    for k, values in enumerate(cover):
        chosen = dict(zip(places, values, strict=False))
        encoding = tuple(chosen.get(i, value) for i, value in enumerate(found.encoding))
        encoding = found.grammar.canonical(encoding)
        sentence = found.grammar.derive(encoding)
        file = f"{IMAGES}/{k:04d}.png"
        requests.append(ImageRequest(file, encoding, sentence, image_seed(generation.seed, k)))
    return requests


def generate(
    generation: Generation, out: Path, progress: Callable[[int], None] = lambda n: None
) -> GenerationResult:
    """Generate the images, a contact sheet and a manifest; repeated, it resumes."""
    folder, requests = ResultFolder(out, generation.config()), planned(generation)
    with folder.filling():
        images = generate_images(generation.models, requests, out, progress)
        result = GenerationResult(generation=generation, out=out, images=tuple(requests))
        write_png(result.sheet, _sheet(generation, requests, images))
        folder.finish(result.found())
    return result


def _sheet(
    generation: Generation, requests: Sequence[ImageRequest], images: Sequence[Image.Image]
) -> Image.Image:
    tiles = []
    for request, image in zip(requests, images, strict=True):
        words = generation.found.grammar.decode(request.encoding)
        tiles.append(Tile(image, ", ".join(words[symbol] for symbol in generation.vary)))
    rows = [tiles[i : i + _COLUMNS] for i in range(0, len(tiles), _COLUMNS)]
    return image_grid(rows)
