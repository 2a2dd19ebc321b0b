"""What every reward of one search is made from."""

from dataclasses import dataclass

from PIL.Image import Image

from rldf.grammar.contents import SceneContents
from rldf.interfaces import VisionModels
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
