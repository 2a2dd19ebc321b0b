"""Pictures of sentences, drawn in batches and kept as files as soon as they are there."""

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
from rldf.models.model_sets import ModelSet, load_model_set
from rldf.search.result import Found

IMAGES = "images"
_BATCH = 8


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture to draw.

    Attributes:
        file: its name in the output folder.
        encoding: (n_axes,) the cell.
        sentence: what is drawn.
        seed: the image seed.
    """

    file: str
    encoding: Encoding
    sentence: str
    seed: int

    def document(self, grammar: Grammar) -> dict[str, Any]:
        """Describe it for a manifest.

        Args:
            grammar: whose words the encoding is in.

        Returns:
            File, sentence, words, encoding and seed.
        """
        return {
            "file": self.file,
            "sentence": self.sentence,
            "words": grammar.decode(self.encoding),
            "encoding": list(self.encoding),
            "seed": self.seed,
        }


def image_seed(seed: int, k: int) -> int:
    """Derive the seed of the k-th picture; all applications share it, and so their renders.

    Args:
        seed: of the command.
        k: from 0.

    Returns:
        An image seed.
    """
    return seeds.derive(seed, "image", k)


def check_count(n: int) -> None:
    """Refuse a number of pictures that makes no sense.

    Args:
        n: what was asked for.

    Raises:
        UsageError: it is below 1 or above 10,000.
    """
    if not 1 <= n <= 10_000:
        raise UsageError(f"-n {n}: give 1 to 10000")


def drawing_models(found: Found, named: str | None) -> ModelSet:
    """Load the model set that is to draw; nothing of it is loaded into memory yet.

    Args:
        found: what was found.
        named: name or path; None for the set that it was searched with.

    Returns:
        The model set.
    """
    return load_model_set(named or found.models, send_key=named is not None)


def hints(found: Found, models: ModelSet, named: str | None) -> list[str]:
    """Tell what a user may not expect of a model set that draws a found sentence.

    Args:
        found: what was found.
        models: what is to draw it.
        named: the set that was asked for; None for the one that it was searched with.

    Returns:
        One line each.
    """
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


def draw_shots(
    models: ModelSet,
    shots: Sequence[Shot],
    out: Path,
    progress: Callable[[int], None] = lambda n: None,
) -> list[Image.Image]:
    """Draw pictures and write them; those in the render cache are not drawn again.

    Args:
        models: whose generator draws.
        shots: what to draw.
        out: the output folder.
        progress: told how many pictures are there.

    Returns:
        The pictures, RGB, in order.
    """
    generator = CachedGenerator(models.generator, cache_folder())
    (out / IMAGES).mkdir(exist_ok=True)
    drawn: list[Image.Image] = []
    for start in range(0, len(shots), _BATCH):
        batch = shots[start : start + _BATCH]
        images = generator.generate([s.sentence for s in batch], [s.seed for s in batch])
        for shot, image in zip(batch, images, strict=True):
            write_png(out / shot.file, image)
        drawn += images
        progress(len(drawn))
    return drawn
