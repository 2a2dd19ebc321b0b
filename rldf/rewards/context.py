"""What every reward of one search is made from."""

from dataclasses import dataclass

from PIL.Image import Image

from rldf.perception.encoder import Encoder, Seen
from rldf.ports import Readers


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardContext:
    """The goal of a search and what can look at images.

    Attributes:
        image: the input image, RGB.
        seen: what detector and scene classifier see in it.
        encoder: reads images in the words of the search's grammar.
        readers: the models themselves.
    """

    image: Image
    seen: Seen
    encoder: Encoder
    readers: Readers
