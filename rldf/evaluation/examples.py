"""Labelled images for a classifier: selection, class numbers and crops.

The random crop of an example depends on the training's seed, the epoch and the example alone, so
a resumed training sees the same crops, with any number of loading processes.
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

_RATIO = math.log(4 / 3)  # largest |log(width / height)| of a training crop
_MARGIN = 0.875  # share of the shorter side kept in tests, as in ImageNet's 224 of 256
_HELD = 4_000_000_000  # most bytes of encoded images of a packed clone kept in memory

Pixels = NDArray[np.uint8]  # (side, side, 3)


@dataclass(frozen=True, slots=True)
class Examples:
    """Labelled images of one image set, with a class number each."""

    files: tuple[Picture, ...]
    labels: tuple[int, ...]  # class number of each image
    key: str  # SHA-256 over the files and class numbers
    images: ImageSet = field(repr=False)  # the image set that they belong to

    def __len__(self) -> int:
        """Count the examples."""
        return len(self.files)

    def decode(self, index: int) -> Image.Image:
        """Decode the example at a position."""
        return self.images.decode(self.files[index])


def class_keys(contents: Contents) -> tuple[str, ...]:
    """List the class keys of an image set, sorted, with those of classes without images."""
    return tuple(sorted({*filter(None, contents.labels), *contents.empty}))


def class_numbers(classes: Sequence[str], names: Mapping[str, str]) -> dict[str, int]:
    """Map every folder name of a class, its key or its display name, to the class's number."""
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
    """Select the labelled images of known classes from an image set.

    Args:
        images: the image set.
        contents: its names, splits, labels and checksums.
        classes: keys of the known classes, in the order of their numbers.
        splits: the splits to select from; None is the split of images outside of splits.
        names: display name by class key.
        most: largest number of images by class number; None for no limit.

    Raises:
        UsageError: the images of a packed clone do not fit into memory.
    """
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
            f"{images.root} is packed, and too large to keep in memory for --classify: "
            "type 'rldf clone convert' to make a folder of image files from it"
        )
    digests = [
        [contents.digests[place], label] for place, label in zip(places, labels, strict=True)
    ]
    return Examples(tuple(files), tuple(labels), key_of("examples", digests), images)


def training_crop(image: Image.Image, side: int, source: np.random.Generator) -> Pixels:
    """Cut out a random rectangle, resize it, and mirror it half of the time, as for ImageNet.

    Returns:
        (side, side, 3) uint8.
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
    """Cut out the middle square, 0.875 of the shorter side wide, and resize it.

    Returns:
        (side, side, 3) uint8.
    """
    edge = _MARGIN * min(image.size)
    left, top = (image.width - edge) / 2, (image.height - edge) / 2
    return _cut(image, (left, top, left + edge, top + edge), side)


def _cut(image: Image.Image, box: tuple[float, float, float, float], side: int) -> Pixels:
    small = image.resize((side, side), Image.Resampling.BILINEAR, box=box)
    return cast(Pixels, np.asarray(small))


def epoch_batches(n: int, batch: int, seed: int, epoch: int) -> list[list[int]]:
    """Shuffle the numbers 0 to n - 1 into the full batches of an epoch; the rest is left out."""
    order = rng(seed, "order", epoch).permutation(n).tolist()
    return [order[start : start + batch] for start in range(0, n - batch + 1, batch)]
