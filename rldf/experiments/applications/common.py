"""What the applications share: image requests, generation in batches, searches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from rldf import seeding as seeds
from rldf.errors import GrammarError, UsageError
from rldf.generators.cached import CachedGenerator
from rldf.grammar.encoding import Encoding
from rldf.grammar.grammar import Grammar, load_grammar
from rldf.io.images import write_png
from rldf.io.paths import cache_folder
from rldf.models.model_set import ModelSet
from rldf.models.model_sets import load_model_set
from rldf.runs.config import Search
from rldf.runs.folder import RunFolder, load_run
from rldf.runs.loop import search
from rldf.runs.naming import RUN
from rldf.runs.result import RunResult

IMAGES = "images"
_BATCH = 8


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """One image to generate."""

    file: str  # its name in the output folder
    encoding: Encoding  # (n_axes,) the cell
    sentence: str
    seed: int  # the image seed

    def document(self, grammar: Grammar) -> dict[str, Any]:
        """Describe it for a manifest."""
        return {
            "file": self.file,
            "sentence": self.sentence,
            "words": grammar.decode(self.encoding),
            "encoding": list(self.encoding),
            "seed": self.seed,
        }


def image_seed(seed: int, k: int) -> int:
    """Derive the seed of the k-th image; all applications share it, and so their renders."""
    return seeds.derive(seed, "image", k)


def check_count(n: int) -> None:
    """Refuse a number of images below 1 or above 10,000."""
    if not 1 <= n <= 10_000:
        raise UsageError(f"-n {n}: give 1 to 10000")


def generator_models(found: RunResult, named: str | None) -> ModelSet:
    """Load the model set that is to draw; nothing of it is loaded into memory yet."""
    return load_model_set(named or found.models, send_key=named is not None)


def hints(found: RunResult, models: ModelSet, named: str | None) -> list[str]:
    """List warnings about rendering a search result with a model set."""
    told = list(found.notes)
    if named is None and found.searched_with and models.identity() != found.searched_with:
        told.append(f"model set {models.file.name} has changed since {found.run} was searched")
    if models.file.vocabulary_grammar is not None:
        try:
            load_grammar(models.file.vocabulary_grammar).parse(found.sentence)
        except GrammarError:
            told.append(
                f"model set {models.file.name} was not made for '{found.sentence}': it knows the "
                f"sentences of grammar {models.file.vocabulary_grammar}"
            )
    return told


def generate_images(
    models: ModelSet,
    requests: Sequence[ImageRequest],
    out: Path,
    progress: Callable[[int], None] = lambda n: None,
) -> list[Image.Image]:
    """Generate images and write each file; those in the render cache are not generated again."""
    generator = CachedGenerator(models.generator, cache_folder())
    (out / IMAGES).mkdir(exist_ok=True)
    drawn: list[Image.Image] = []
    for start in range(0, len(requests), _BATCH):
        batch = requests[start : start + _BATCH]
        images = generator.generate([s.sentence for s in batch], [s.seed for s in batch])
        for request, image in zip(batch, images, strict=True):
            write_png(out / request.file, image)
        drawn += images
        progress(len(drawn))
    return drawn


def found_sentence(path: Path, task: Search) -> str:
    """Search, resume an unfinished search, or read a finished one, and give its best sentence."""
    there = (path / RUN).exists()
    result = load_run(path).record.result if there else None
    if result is None:
        result = _search(path, task, resume=there)
    return str(result["best"]["sentence"])


def _search(path: Path, task: Search, *, resume: bool) -> dict[str, Any]:
    if resume:
        run = RunFolder.resume(path, task.config)
    else:
        run = RunFolder.create(
            path,
            task.config,
            ["rldf", "search"],
            task.settings.seed,
            reading=task.reading.record,
        )
    with run:
        return search(task, run, lambda step: None)
