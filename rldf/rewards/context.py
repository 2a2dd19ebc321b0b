"""What every reward of one search is made from."""

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
    """The goal of a search and what can look at images.

    Attributes:
        image: the input image, RGB.
        reading: what is read in it; its encoding is None where the grammar has no word for it.
        encoder: reads images in the words of the search's grammar.
        readers: the models themselves.
    """

    image: Image
    reading: ImageReading
    encoder: Encoder
    readers: VisionModels

    @property
    def seen(self) -> SceneContents:
        """What detector and scene classifier see in the input image."""
        return self.reading.seen


def require_words(context: RewardContext) -> None:
    """Refuse a photograph in which no word of the grammar was read: nothing could be compared."""
    if all(axis.source == "nobody" for axis in context.reading.record.axes.values()):
        raise NoGoalError(
            f"no word of grammar {context.encoder.grammar.name} was read in the photograph "
            f"({'; '.join(context.reading.record.warnings[1:])}): name another --grammar, or take "
            f"models that read whole photographs: {real_models()}"
        )
