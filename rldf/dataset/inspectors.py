"""What is looked for in new images, and how a class is recognised (`--verify-labels`)."""

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from rldf.dataset.draw import UNSEEN, Inspector
from rldf.dataset.encode import blank
from rldf.dataset.nouns import object_axis
from rldf.dataset.plan import Plan, PlannedImage
from rldf.encoding import Encoding
from rldf.errors import UsageError
from rldf.ports import Detector, ImageTextModel

_KEPT_CONTEXTS = 64


def blank_inspector(images: Sequence[Image], planned: Sequence[PlannedImage]) -> list[str]:
    """Turn down what shows nothing.

    Args:
        images: RGB.
        planned: what they are; unused.

    Returns:
        "black", "constant" or "" for each.
    """
    return [blank(image) for image in images]


def all_of(inspectors: Sequence[Inspector]) -> Inspector:
    """Let several look, each at what those before it let pass.

    Args:
        inspectors: in order.

    Returns:
        One that gives the first reason that is found.
    """

    def inspect(images: Sequence[Image], planned: Sequence[PlannedImage]) -> list[str]:
        reasons = [""] * len(images)
        for inspector in inspectors:
            left = [i for i, reason in enumerate(reasons) if not reason]
            found = inspector([images[i] for i in left], [planned[i] for i in left])
            for i, reason in zip(left, found, strict=True):
                reasons[i] = reason
        return reasons

    return inspect


class DetectorInspector:
    """Turns down images in which a detector does not find the class."""

    def __init__(self, plan: Plan, detector: Detector) -> None:
        """Look up which labels mean which class.

        Args:
            plan: what is drawn.
            detector: what finds things.

        Raises:
            UsageError: the grammar names no detector's label for a class.
        """
        self._axis = object_axis(plan.grammar)
        self._values = plan.grammar.axes[self._axis].values
        self._detector = detector
        used = {encoding[self._axis] for encoding in class_encodings(plan)}
        unknown = sorted(self._values[i].name for i in used if not self._values[i].labels)
        if unknown:
            raise UsageError(
                f"--verify-labels detector: no detector's label is known for {unknown[0]}"
                f"{f' and {len(unknown) - 1} more classes' * (len(unknown) > 1)}: "
                "type --verify-labels clip"
            )

    def __call__(self, images: Sequence[Image], planned: Sequence[PlannedImage]) -> list[str]:
        """Look for each image's class.

        Args:
            images: RGB.
            planned: what they are to show.

        Returns:
            "unseen" or "" for each.
        """
        if not images:
            return []
        found = self._detector.detect(images)
        wanted = [self._values[what.encoding[self._axis]].labels for what in planned]
        return [
            "" if any(thing.label in labels for thing in things) else UNSEEN
            for things, labels in zip(found, wanted, strict=True)
        ]


class ClipInspector:
    """Turns down images that CLIP takes for another class of the data set.

    The sentences that differ in the class alone are compared with the image. Its own must be the
    nearest; of 200 classes or more among the nearest half per cent, at most 5, since some of
    ImageNet's classes are hard to tell apart.
    """

    def __init__(self, plan: Plan, clip: ImageTextModel) -> None:
        """Remember the classes.

        Args:
            plan: what is drawn.
            clip: what compares images and sentences.
        """
        self._grammar = plan.grammar
        self._axis = object_axis(plan.grammar)
        self._values = list(dict.fromkeys(e[self._axis] for e in class_encodings(plan)))
        self._clip = clip
        self._rank = max(1, min(5, len(self._values) // 200))
        self._texts: OrderedDict[Encoding, NDArray[np.float32]] = OrderedDict()

    def __call__(self, images: Sequence[Image], planned: Sequence[PlannedImage]) -> list[str]:
        """Look for each image's class.

        Args:
            images: RGB.
            planned: what they are to show.

        Returns:
            "unseen" or "" for each.
        """
        if not images:
            return []
        vectors = self._clip.embed_images(images)
        return [
            "" if self._sees(vector, tuple(what.encoding)) else UNSEEN
            for vector, what in zip(vectors, planned, strict=True)
        ]

    def _sees(self, image: NDArray[np.float32], encoding: Encoding) -> bool:
        likeness = self._sentences(encoding) @ image
        own = likeness[self._values.index(encoding[self._axis])]
        return int((likeness > own).sum()) < self._rank

    def _sentences(self, encoding: Encoding) -> NDArray[np.float32]:
        """Embed the sentences of all classes in the place of this one."""
        options = [self._with(encoding, value) for value in self._values]
        key = options[0]
        if key not in self._texts:
            texts = [self._grammar.derive(option) for option in options]
            self._texts[key] = self._clip.embed_texts(texts)
            if len(self._texts) > _KEPT_CONTEXTS:
                self._texts.popitem(last=False)
        return self._texts[key]

    def _with(self, encoding: Encoding, value: int) -> Encoding:
        return (*encoding[: self._axis], value, *encoding[self._axis + 1 :])


def class_encodings(plan: Plan) -> list[Encoding]:
    """Find an encoding of every class, by the first images of the plan.

    Args:
        plan: what is drawn.

    Returns:
        One for each class, in their order.
    """
    found: dict[int, Encoding] = {}
    for i in range(len(plan)):
        if len(found) == len(plan.classes):
            break
        image = plan.image(i)
        found.setdefault(image.label, tuple(image.encoding))
    return [found[label] for label in sorted(found)]
