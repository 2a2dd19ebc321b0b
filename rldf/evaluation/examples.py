"""Labelled images for a classifier: selection, class numbers and crops.

The random crop of an example is a function of the training's seed, the epoch and the example, so a
training resumes to the same numbers, with any count of workers.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rldf.errors import UsageError
from rldf.evaluation.image_sets import Contents, ImageSet, choose
from rldf.io.cache import key_of
from rldf.io.folder_layouts import class_word
from rldf.io.image_folders import Picture
from rldf.seeding import rng

CROP_AREA = (0.35, 1.0)
"""Share of the image's area that a training crop covers."""

_RATIO = math.log(4 / 3)  # of width to height, at most, and of height to width
_MARGIN = 0.875  # of the shorter side is kept in tests, as in ImageNet's 224 of 256
_HELD = 4_000_000_000  # bytes of encoded images that a packed clone may keep in memory

Pixels = NDArray[np.uint8]  # (side, side, 3)


@dataclass(frozen=True, slots=True)
class Examples:
    """Images with class numbers."""

    files: tuple[Picture, ...]
    labels: tuple[int, ...]  # class number of each
    key: str  # a SHA-256 over their files and class numbers
    images: ImageSet = field(repr=False)  # the set they are of, which decodes them

    def __len__(self) -> int:
        """Count the examples."""
        return len(self.files)

    def decode(self, index: int) -> Image.Image:
        """Decode an example."""
        return self.images.decode(self.files[index])


def class_keys(contents: Contents) -> tuple[str, ...]:
    """List the classes of a set."""
    return tuple(sorted({*filter(None, contents.labels), *contents.empty}))


def class_numbers(classes: Sequence[str], names: Mapping[str, str]) -> dict[str, int]:
    """Number the classes by all that their folders may be called."""
    numbers = {class_word(names.get(key, key)): i for i, key in enumerate(classes)}
    return numbers | {class_word(key): i for i, key in enumerate(classes)}


def take_examples(
    images: ImageSet,
    contents: Contents,
    classes: Sequence[str],
    splits: Collection[str | None],
    names: Mapping[str, str],
    most: Mapping[int, int] | None = None,
) -> Examples:
    """Take the images of known classes out of a set."""
    numbers = class_numbers(classes, names)
    taken: dict[int, int] = defaultdict(int)
    places, labels = [], []
    for place, (its, label) in enumerate(zip(contents.splits, contents.labels, strict=True)):
        number = None if label is None else numbers.get(class_word(label))
        if number is None or its not in splits:
            continue
        if most is None or taken[number] < most.get(number, 0):
            taken[number] += 1
            places.append(place)
            labels.append(number)
    files = choose(images, places)
    held = sum(len(p.source) for p in files if isinstance(p.source, bytes))
    if held > _HELD:
        raise UsageError(
            f"{images.root} is too large to train on in this form: "
            "type 'rldf clone convert' to make an image folder of it"
        )
    digests = [
        [contents.digests[place], label] for place, label in zip(places, labels, strict=True)
    ]
    return Examples(tuple(files), tuple(labels), key_of("examples", digests), images)


def training_crop(image: Image.Image, side: int, source: np.random.Generator) -> Pixels:
    """Cut a random part, mirror it or not, and resize it: the usual ImageNet augmentation.

    Returns:
        (side, side, 3).
    """
    area = image.width * image.height * source.uniform(*CROP_AREA)
    ratio = math.exp(source.uniform(-_RATIO, _RATIO))
    width = min(image.width, math.sqrt(area * ratio))
    height = min(image.height, math.sqrt(area / ratio))
    left = source.uniform(0, image.width - width)
    top = source.uniform(0, image.height - height)
    pixels = _cut(image, (left, top, left + width, top + height), side)
    return pixels[:, ::-1] if source.random() < 0.5 else pixels


def middle_crop(image: Image.Image, side: int) -> Pixels:
    """Cut the middle square, without a narrow margin, and resize it.

    Returns:
        (side, side, 3).
    """
    edge = _MARGIN * min(image.size)
    left, top = (image.width - edge) / 2, (image.height - edge) / 2
    return _cut(image, (left, top, left + edge, top + edge), side)


def _cut(image: Image.Image, box: tuple[float, float, float, float], side: int) -> Pixels:
    small = image.resize((side, side), Image.Resampling.BILINEAR, box=box)
    return cast(Pixels, np.asarray(small))


def epoch_batches(n: int, batch: int, seed: int, epoch: int) -> list[list[int]]:
    """Shuffle the examples into the batches of an epoch."""
    order = rng(seed, "order", epoch).permutation(n).tolist()
    return [order[start : start + batch] for start in range(0, n - batch + 1, batch)]
