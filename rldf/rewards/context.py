"""What the rewards of a search are constructed from: input image, reading and vision models."""

from dataclasses import dataclass

from PIL.Image import Image

from rldf.errors import NoGoalError
from rldf.grammar.contents import SceneContents
from rldf.interfaces import VisionModels
from rldf.models.model_sets import real_models
from rldf.perception.encoder import Encoder
from rldf.perception.reading import ImageReading
from rldf.sharing import Shared


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardContext(Shared):
    """The input image of a search, its reading, and the vision models.

    Attributes:
        image: the input image, RGB.
        reading: the reading of the input image; its `encoding` is None where the grammar lacks a
            word for what the image shows.
        encoder: turns images into encodings of the search's grammar.
        readers: the vision models: detector, scene classifier and CLIP.
    """

    image: Image
    reading: ImageReading
    encoder: Encoder
    readers: VisionModels

    @property
    def seen(self) -> SceneContents:
        """What detector and scene classifier found in the input image."""
        return self.reading.seen


def require_words(context: RewardContext) -> None:
    """Raise NoGoalError if no word of the grammar was read in a photograph."""
    if all(axis.source == "nobody" for axis in context.reading.record.axes.values()):
        raise NoGoalError(
            f"no word of grammar {context.encoder.grammar.name} was read in the photograph "
            f"({'; '.join(context.reading.record.warnings[1:])}): name another --grammar, or use "
            f"models that read whole photographs: {real_models()}"
        )
