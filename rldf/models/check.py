"""Proves that a model set works: reads every file, loads every part, runs each once."""

import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL.Image import Image

from rldf.errors import ConfigError, ModelMissingError
from rldf.grammar.grammar import Grammar, load_grammar
from rldf.grammar.labels import known_labels, object_words, require_known, scene_words
from rldf.interfaces import SaysLabels, SaysScenes
from rldf.models.build import takes
from rldf.models.model_sets import ModelSet
from rldf.models.schema import Options

_STEPS = 4  # fewer are too few for some schedulers
_SIDE = 64  # px; large models draw small pictures in seconds, even without a GPU


@dataclass(frozen=True, slots=True)
class Checked:
    """A part that works.

    Attributes:
        role: its name.
        kind: its class.
        found: what it made of the picture, in words.
        seconds: what loading and running took.
    """

    role: str
    kind: str
    found: str
    seconds: float


def check_files(models: ModelSet) -> None:
    """Read all files of the hub's models, and hold them against the lock file."""
    for role in models.file.parts():
        models.require(role)
    for key, locked in models.locked.items():
        changed = locked.changed()
        if changed:
            raise ModelMissingError(
                f"{key}: {locked.folder / changed[0]} is not what was pulled: remove it, then type "
                f"'rldf models pull {shlex.quote(models.named)}'"
            )


def check_parts(models: ModelSet) -> Iterator[Checked]:
    """Load each part and run it once, on a small image drawn in a few steps."""
    grammar = load_grammar(models.file.grammar)
    sentence = grammar.derive((0,) * len(grammar.axes))
    models = models.replaced("generator", _small(models))
    drawn: list[Image] = []

    def draw() -> str:
        drawn.extend(models.generator.generate([sentence], [0]))
        return f"a picture of {drawn[0].width} x {drawn[0].height} px"

    def detect() -> str:
        (things,) = models.detector.detect(drawn)
        labels = models.detector.labels if isinstance(models.detector, SaysLabels) else None
        require_known("detector", labels, object_words(grammar), grammar.name)
        return f"{len(things)} things{_share(labels, object_words(grammar), grammar)}"

    def classify() -> str:
        (places,) = models.scene.classify(drawn)
        _refuse_unless(abs(sum(places.values()) - 1) < 1e-3, "scene: shares do not sum to 1")
        scenes = models.scene.scenes if isinstance(models.scene, SaysScenes) else None
        require_known("scene classifier", scenes, scene_words(grammar), grammar.name)
        return f"{len(places)} places{_share(scenes, scene_words(grammar), grammar)}"

    def compare() -> str:
        rows = np.concatenate(
            [models.clip.embed_images(drawn), models.clip.embed_texts([sentence])]
        )
        lengths = np.linalg.norm(rows, axis=1)
        _refuse_unless(bool(np.allclose(lengths, 1, atol=1e-2)), "clip: rows are not of length 1")
        return f"{rows.shape[1]} numbers"

    def name_classes() -> str:
        assert models.photographs is not None, "its part is in the file"
        (classes,) = models.photographs.classify(drawn)
        _refuse_unless(abs(sum(classes.values()) - 1) < 1e-3, "photographs: shares do not sum to 1")
        (photograph,) = models.photographs.are_photographs(drawn)
        return f"{len(classes)} classes; {'a photograph' if photograph else 'a drawing'}"

    runs: dict[str, Callable[[], str]] = {
        "generator": draw, "detector": detect, "scene": classify, "clip": compare,
        "photographs": name_classes,
    }  # fmt: skip
    for role, part in models.file.parts().items():
        start = time.monotonic()
        found = runs[role]()
        yield Checked(role, part.kind, found, round(time.monotonic() - start, 1))


def _share(labels: Sequence[str] | None, words: Sequence[str], grammar: Grammar) -> str:
    """Say how many of a grammar's labels a reader has."""
    if labels is None or not words:
        return ""
    return f"; {len(known_labels(words, labels))} of {len(words)} labels of grammar {grammar.name}"


def _small(models: ModelSet) -> Options:
    """Ask for few steps and a small picture, of generators that have a choice."""
    part = models.file.generator
    size = part.settings.get("size", _SIDE)
    if not {"steps", "size"} <= takes("generator", part) or not isinstance(size, int):
        return {}
    steps = part.settings.get("steps", _STEPS)
    return {"steps": min(_STEPS, int(steps)), "size": min(_SIDE, size)}


def _refuse_unless(right: bool, said: str) -> None:
    if not right:
        raise ConfigError(f"{said}: pull or write the model set again")
