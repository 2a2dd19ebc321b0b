"""The configuration of a plan: made from options, checked, and read back from files."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from rldf.dataset.class_axis import check_world, object_axis, refuse_same_sentences, with_nouns
from rldf.dataset.classes import Label, chosen, user_labels, world_vocabulary
from rldf.dataset.imagenet import imagenet_vocabulary
from rldf.dataset.presets import Preset, kind_of_noun, load_preset, with_preset
from rldf.dataset.splits import MOST
from rldf.errors import RldfError, RunError, UsageError
from rldf.grammar.grammar import Grammar, load_grammar
from rldf.io.yaml import problems_of
from rldf.models.auto import REAL
from rldf.models.model_set import ModelSet
from rldf.models.model_sets import model_set_names


class PlanConfig(BaseModel):
    """Everything that decides a plan and, with the generator, the images.

    Attributes:
        version: of the rules by which a plan follows from this.
        classes: sorted by key.
        splits: images of a class by split.
        preset: how axes are sampled, and what the generator is given.
        grammar: whose sentences, the classes among its nouns.
        models: identity of what draws.
        seed: any whole number.
        image_format: of the files; their extension.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Literal[1] = 1
    classes: tuple[Label, ...] = Field(min_length=1)
    splits: dict[Literal["train", "val", "test"], Annotated[int, Field(ge=1, le=MOST)]] = Field(
        min_length=1
    )
    preset: Preset
    grammar: Grammar
    models: dict[str, JsonValue]
    seed: int
    image_format: Literal["jpg", "png"] = "jpg"

    @model_validator(mode="after")
    def _check(self) -> Self:
        keys = [label.key for label in self.classes]
        if keys != sorted(set(keys)):
            raise ValueError("classes: keys are sorted, each stands once")
        if len({key.casefold() for key in keys}) < len(keys):
            raise ValueError("classes: two keys differ in capitals alone, and may be one folder")
        try:
            axis = self.grammar.axes[object_axis(self.grammar)]
            for label in self.classes:
                axis.index(label.noun)
        except RldfError as error:
            raise ValueError(str(error)) from None
        if not _derives(self.grammar):
            raise ValueError("grammar: some of its vectors derive no sentence")
        return self

    @property
    def per_class(self) -> int:
        """Images of a class in all its splits."""
        return sum(self.splits.values())

    def summary(self) -> dict[str, Any]:
        """Return the configuration in short, to compare two of them: long parts as a checksum."""
        named = [(label.key, label.name, label.noun) for label in self.classes]
        return {
            "version": self.version,
            "classes": len(self.classes),
            "class list": _digest(named),
            "splits": dict(self.splits),
            "preset": self.preset.name,
            "preset rules": _digest(self.preset.model_dump(mode="json")),
            "grammar": self.grammar.name,
            "grammar words": _digest(self.model_dump(mode="json", include={"grammar"})),
            "models": self.models,
            "seed": self.seed,
            "image_format": self.image_format,
        }


def _derives(grammar: Grammar) -> bool:
    """Return whether every vector derives a sentence: a grammar from a file was never checked."""
    axes = grammar.axes
    numbers = {n for slot in grammar.slots for n in (slot.axis, slot.agrees) if n is not None}
    if not numbers <= set(range(len(axes))) or not all(axis.values for axis in axes):
        return False
    for slot in grammar.slots:
        texts = [slot.forms] if slot.axis is None else [v.forms for v in axes[slot.axis].values]
        asked = [""] if slot.agrees is None else [v.form or "" for v in axes[slot.agrees].values]
        if any(not forms.keys() & {form, ""} for forms in texts for form in asked):
            return False
    return True


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def read_config(record: Mapping[str, Any], source: str) -> PlanConfig:
    """Read a configuration from a file; RunError if it is damaged."""
    try:
        return PlanConfig.model_validate_json(json.dumps(record))
    except ValidationError as error:
        problem = problems_of(error)[0]
    except (TypeError, ValueError) as error:
        problem = str(error)
    raise RunError(f"the plan in {source} is damaged: {problem}")


ImageFormat = Literal["jpg", "png"]

_MOST = 1000  # classes of ImageNet


def imagenet_config(
    models: ModelSet,
    *,
    classes: str | None = None,
    splits: Mapping[str, int],
    preset: str = "train",
    grammar: str | None = None,
    seed: int = 0,
    image_format: ImageFormat = "jpg",
) -> PlanConfig:
    """Configure a clone of ImageNet.

    Models of a small world (`draws` in their file) draw the nouns of their own grammar that have
    a wnid, in that grammar's words. For all others the classes take the place of the nouns of
    grammar imagenet, or of another that is named.
    """
    rules, world = load_preset(preset), models.file.vocabulary_grammar
    if world is None:
        labels = chosen(imagenet_vocabulary(), classes)
        open_grammar = load_grammar(grammar or "imagenet")
        words = with_nouns(open_grammar, labels, definitions=rules.definitions)
    else:
        words = load_grammar(grammar or world)
        check_world(words, load_grammar(world), models.file.name)
        drawable = world_vocabulary(words, f"model set {models.file.name}")
        labels = chosen(
            drawable, classes, _too_many(models.file.name, len(drawable.labels), classes)
        )
    return _config(models, labels, splits, rules, words, seed, image_format)


def user_config(
    models: ModelSet,
    *,
    found: Iterable[tuple[str, str]],
    grammar: Grammar,
    splits: Mapping[str, int],
    preset: str = "train",
    seed: int = 0,
    image_format: ImageFormat = "jpg",
) -> PlanConfig:
    """Configure a person's own data set: each class is a noun of the grammar.

    The other axes are sampled as in a clone of ImageNet: what was found of them in one image is
    that image's, not its class's.
    """
    if models.file.vocabulary_grammar is not None:
        check_world(grammar, load_grammar(models.file.vocabulary_grammar), models.file.name)
    labels, nouns = user_labels(found), grammar.axes[object_axis(grammar)]
    if models.file.vocabulary_grammar is None:
        labels = tuple(replace(label, kind=kind_of_noun(label.noun, nouns)) for label in labels)
    if not labels:
        raise UsageError("nothing was found to make a class of: name an image, a run or a folder")
    for label in labels:
        nouns.index(label.noun)  # or it says which nouns there are
    return _config(models, labels, splits, load_preset(preset), grammar, seed, image_format)


def _config(
    models: ModelSet,
    labels: tuple[Label, ...],
    splits: Mapping[str, int],
    preset: Preset,
    grammar: Grammar,
    seed: int,
    image_format: ImageFormat,
) -> PlanConfig:
    refuse_same_sentences(grammar, labels)
    return PlanConfig.model_validate(
        {
            "classes": labels,
            "splits": dict(splits),
            "preset": preset,
            "grammar": grammar,
            "models": drawn_by(with_preset(models, preset)),
            "seed": seed,
            "image_format": image_format,
        }
    )


def drawn_by(models: ModelSet) -> dict[str, JsonValue]:
    """Return the identity of the generator; other models of a set do not change the pixels."""
    generator = models.file.generator
    return {
        "name": models.file.name,
        "generator": {
            "class": generator.kind,
            "options": dict(generator.deciding),
            "weights": models.checksum("generator"),
        },
    }


def _too_many(name: str, most: int, classes: str | None) -> str:
    """Return what to type when a small world is asked for more classes than it has."""
    own = f"type 'rldf clone-imagenet --classes {most} --models {name}'"
    if name not in model_set_names():  # a file, whose path only its owner knows
        own = f"type --classes {most}"
    if classes is None or not classes.isdigit() or int(classes) > _MOST:
        return own
    real = f"'rldf clone-imagenet --classes {classes} --models {REAL[0]}'"
    return f"{own}, or 'rldf models pull {REAL[0]}' and {real}"
