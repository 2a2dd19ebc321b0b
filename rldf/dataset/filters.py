"""Filters that reject new images: blank, flagged, or without their class (`--verify-labels`)."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from rldf.dataset.class_axis import object_axis
from rldf.dataset.image_file import blank
from rldf.dataset.plan import Plan, PlannedImage
from rldf.errors import ConfigError, UsageError
from rldf.grammar.encoding import Encoding
from rldf.grammar.labels import require_known
from rldf.interfaces import Detector, ImageTextModel, SaysLabels
from rldf.io.distributed import resolve
from rldf.io.files import parse_json, read_file
from rldf.io.text import one_line, plain_label
from rldf.models.model_set import ModelSet
from rldf.models.repo_files import INDEX, components, has_weights
from rldf.models.safety import check_model

UNSEEN = "unseen"
"""The one reason for which an image is kept after the last attempt: its class is not seen in it."""

_CONTEXTS = 16  # in which each class is embedded
_RIVALS = 16  # classes that an image is compared with besides its own
_AT_ONCE = 256  # sentences


class ImageFilter(Protocol):
    """Checks new images."""

    def __call__(self, images: Sequence[Image], planned: Sequence[PlannedImage]) -> list[str]:
        """Return the reason to reject each image, or ""."""


def blank_filter(images: Sequence[Image], planned: Sequence[PlannedImage]) -> list[str]:
    """Reject images that are black or of one colour."""
    return [blank(image) for image in images]


def all_of(filters: Sequence[ImageFilter]) -> ImageFilter:
    """Combine filters; each sees the images that those before it accepted."""

    def filter(images: Sequence[Image], planned: Sequence[PlannedImage]) -> list[str]:
        reasons = [""] * len(images)
        for filter in filters:
            left = [i for i, reason in enumerate(reasons) if not reason]
            found = filter([images[i] for i in left], [planned[i] for i in left])
            for i, reason in zip(left, found, strict=True):
                reasons[i] = reason
        return reasons

    return filter


class DetectorFilter:
    """Rejects images in which a detector does not find the class."""

    def __init__(self, plan: Plan, detector: Detector) -> None:
        """Look up which labels mean which class."""
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
        if isinstance(detector, SaysLabels):
            for i in sorted(used):
                labels, name = self._values[i].labels, plan.grammar.name
                require_known("detector", detector.labels, labels, name)

    def __call__(self, images: Sequence[Image], planned: Sequence[PlannedImage]) -> list[str]:
        """Return the reason to reject each image, or ""."""
        if not images:
            return []
        found = self._detector.detect(images)
        wanted = [
            set(map(plain_label, self._values[what.encoding[self._axis]].labels))
            for what in planned
        ]
        return [
            "" if any(plain_label(thing.label) in labels for thing in things) else UNSEEN
            for things, labels in zip(found, wanted, strict=True)
        ]


class ClipFilter:
    """Turns down images that CLIP takes for another class of the data set.

    Of the image's own sentence and those that differ from it in the class alone, its own must be
    the nearest to the image; of 200 classes or more among the nearest half per cent, at most 5,
    since some of ImageNet's classes are hard to tell apart. Only the likeliest rivals are asked:
    those whose mean sentence, over some contexts of the plan, is nearest to the image (see
    "Learning Transferable Visual Models From Natural Language Supervision", section 3.1.4).
    """

    def __init__(self, plan: Plan, clip: ImageTextModel) -> None:
        """Embed the classes."""
        self._grammar, self._clip = plan.grammar, clip
        self._axis = object_axis(plan.grammar)
        self._values = list(dict.fromkeys(e[self._axis] for e in class_encodings(plan)))
        self._number = {value: number for number, value in enumerate(self._values)}
        self._rank = max(1, min(5, len(self._values) // 200))
        places = np.linspace(0, len(plan) - 1, min(_CONTEXTS, len(plan))).astype(int).tolist()
        texts = [
            self._sentence(plan.image(place).encoding, value)
            for place in places
            for value in self._values
        ]
        means = self._embed(texts).reshape(len(places), len(self._values), -1).mean(axis=0)
        self._classes = means / np.linalg.norm(means, axis=1, keepdims=True)

    def __call__(self, images: Sequence[Image], planned: Sequence[PlannedImage]) -> list[str]:
        """Return the reason to reject each image, or ""."""
        if not images:
            return []
        vectors = self._clip.embed_images(images)
        likeness = vectors @ self._classes.T
        own = [self._number[what.encoding[self._axis]] for what in planned]
        likeness[range(len(images)), own] = np.inf  # its own class stands first
        asked = np.argsort(-likeness, axis=1)[:, : _RIVALS + 1]
        texts = [
            self._sentence(what.encoding, self._values[number])
            for what, numbers in zip(planned, asked.tolist(), strict=True)
            for number in numbers
        ]
        sentences = self._embed(texts).reshape(*asked.shape, -1)
        nearness = np.einsum("nkd,nd->nk", sentences, vectors)
        nearer = (nearness > nearness[:, :1]).sum(axis=1)
        return ["" if n < self._rank else UNSEEN for n in nearer]

    def _sentence(self, encoding: Encoding, value: int) -> str:
        return self._grammar.derive((*encoding[: self._axis], value, *encoding[self._axis + 1 :]))

    def _embed(self, texts: list[str]) -> NDArray[np.float32]:
        parts = [texts[i : i + _AT_ONCE] for i in range(0, len(texts), _AT_ONCE)]
        return np.concatenate([self._clip.embed_texts(part) for part in parts])


def class_encodings(plan: Plan) -> list[Encoding]:
    """Return an encoding of every class, from the first images of the plan."""
    found: dict[int, Encoding] = {}
    for i in range(len(plan)):
        if len(found) == len(plan.classes):
            break
        image = plan.image(i)
        found.setdefault(image.label, tuple(image.encoding))
    return [found[label] for label in sorted(found)]


_CHECKER, _PROCESSOR = "safety_checker", "feature_extractor"


def has_safety_checker(models: ModelSet) -> bool:
    """Return whether a model set's pipeline ships a safety checker."""
    return _CHECKER in components(_pipeline_index(models))


def _pipeline_index(models: ModelSet) -> dict[str, Any]:
    folder = models.path("generator")
    if folder is None:
        return {}
    try:
        found = parse_json(read_file(folder / INDEX))
    except (OSError, ValueError):  # the generator tells of a folder that is not as it should be
        return {}
    return found if isinstance(found, dict) else {}


class SafetyFilter:
    """Rejects images that the safety checker flags."""

    def __init__(self, models: ModelSet, device: str) -> None:
        """Load the checker."""
        import torch
        from diffusers.pipelines.stable_diffusion.safety_checker import (
            StableDiffusionSafetyChecker,
        )
        from diffusers.utils import logging
        from transformers import CLIPImageProcessor

        logging.set_verbosity_error()  # it tells that images were blackened, which they are not
        folder = models.path("generator")
        assert folder is not None, "has_safety_checker found one"
        # A pulled folder has one precision alone; it runs in single precision either way.
        half = has_weights((file.name for file in (folder / _CHECKER).glob("*")), half=True)
        try:
            for part in (_CHECKER, _PROCESSOR):  # the generator is loaded without them
                check_model(folder / part)
            self._processor = CLIPImageProcessor.from_pretrained(
                folder, subfolder=_PROCESSOR, local_files_only=True
            )
            checker = StableDiffusionSafetyChecker.from_pretrained(
                folder, subfolder=_CHECKER, use_safetensors=True, local_files_only=True,
                variant="fp16" if half else None, dtype=torch.float32,
            )  # fmt: skip
        except Exception as error:  # a broken folder may raise anything
            raise ConfigError(
                f"the safety checker of model set {models.file.name} cannot be loaded "
                f"({one_line(error)}): complete it, or type --no-safety-checker"
            ) from error
        self._checker = checker.to(resolve(device)).eval()
        self._torch = torch

    def __call__(self, images: Sequence[Image], planned: Sequence[PlannedImage]) -> list[str]:
        """Return the reason to reject each image, or ""."""
        if not images:
            return []
        pixels = self._processor(list(images), return_tensors="pt").pixel_values
        blanks = [np.zeros(1) for _ in images]  # the checker would blacken what it is given here
        with self._torch.inference_mode():
            _, flagged = self._checker(
                clip_input=pixels.to(self._checker.device, self._checker.dtype), images=blanks
            )
        return ["flagged" if flag else "" for flag in flagged]
