"""Makes the goals of a bench: draws or opens images, and reads an encoding in each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL.Image import Image

from rldf import seeding as seeds
from rldf.errors import GrammarError, UsageError
from rldf.evaluation.image_sets import in_turns, open_images
from rldf.grammar.encoding import Encoding
from rldf.grammar.grammar import Grammar
from rldf.interfaces import VisionModels
from rldf.models.schema import ModelSetFile
from rldf.perception.encoder import Encoder
from rldf.perception.reading import ImageReading
from rldf.pocket.world.drawing import draw
from rldf.pocket.world.sampling import CHECK_SEEDS, sample_encoding
from rldf.rewards.context import RewardContext

_FIRST_SEED = CHECK_SEEDS + 900_000  # seeds of drawings that no model was trained or checked on


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One image to search for.

    Attributes:
        name: file of the image, or the sentence that it was drawn from.
        encoding: the encoding that the encoder reads in the image; the cell to reach.
        context: what rewards compare generated images with.
    """

    name: str
    encoding: Encoding
    context: RewardContext


def drawn_images(grammar: Grammar, count: int) -> list[tuple[str, Image]]:
    """Draw `count` random sentences of a grammar with the pocket world's renderer.

    Returns:
        The sentence and the image of each.
    """
    numbers = range(_FIRST_SEED, _FIRST_SEED + count)
    sentences = [
        grammar.derive(sample_encoding(grammar, seeds.rng(number, "sentence")))
        for number in numbers
    ]
    try:
        return [(s, draw(s, number).image) for s, number in zip(sentences, numbers, strict=True)]
    except GrammarError:
        raise UsageError(
            f"the pocket world cannot draw the sentences of grammar {grammar.name}: "
            "name a folder of images with --images"
        ) from None


def folder_images(
    folder: Path, count: int, warn: Callable[[str], None] = lambda message: None
) -> list[tuple[str, Image]]:
    """Open `count` images of a folder, about the same number of each class.

    Returns:
        The file name and the image of each.
    """
    images = open_images(folder)
    for note in images.notes:
        warn(note)
    return [(picture.name, images.decode(picture)) for picture in in_turns(images, count)]


def read_goals(
    images: Sequence[tuple[str, Image]],
    grammar: Grammar,
    readers: VisionModels,
    models: ModelSetFile | None = None,
) -> tuple[Goal, ...]:
    """Read an encoding of a grammar in each of the named images.

    Raises:
        UsageError: no full encoding can be read in an image.
    """
    encoder = Encoder(grammar, readers, models)
    return tuple(_goal(name, image, encoder, readers) for name, image in images)


def _goal(name: str, image: Image, encoder: Encoder, readers: VisionModels) -> Goal:
    reading: ImageReading = encoder.encode(image)
    if reading.encoding is None:
        raise UsageError(
            f"{name}: {reading.lack(encoder.grammar.name)}, so it gives no goal: leave this "
            "image out, or name another --grammar"
        )
    context = RewardContext(image=image, reading=reading, encoder=encoder, readers=readers)
    return Goal(name=name, encoding=reading.encoding, context=context)
