"""The configuration of a plan, made from options or read from a file, and checked."""

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
    """All that determines a plan; with the generator it determines the images, too.

    Attributes:
        version: version of the rules that make a plan of a configuration.
        classes: the classes, sorted by key.
        splits: number of images of each class, by split.
        preset: how axes are sampled, and the options of the generator.
        grammar: the grammar of the sentences; every class is one of its nouns.
        models: identity of the generator, as `drawn_by` returns it.
        seed: seed of the plan, any whole number.
        image_format: format of the image files, which is also their extension.
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
            raise ValueError(
                "classes: the keys are not sorted, or one is there twice: sort them, each once"
            )
        if len({key.casefold() for key in keys}) < len(keys):
            raise ValueError(
                "classes: two keys differ only in upper and lower case, and some systems take "
                "them for one folder: rename one"
            )
        try:
            axis = self.grammar.axes[object_axis(self.grammar)]
            for label in self.classes:
                axis.index(label.noun)
        except RldfError as error:
            raise ValueError(str(error)) from None
        if not _derives(self.grammar):
            raise ValueError(
                "grammar: some of its encodings have no sentence: give every value its words"
            )
        return self

    @property
    def per_class(self) -> int:
        """The number of images of each class, summed over the splits."""
        return sum(self.splits.values())

    def summary(self) -> dict[str, Any]:
        """Return a short form to compare two configurations; long parts become checksums."""
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
    """Return whether every encoding has a sentence, which `clone.json` does not guarantee."""
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
    """Return the configuration in a record of the file `source`; RunError if it is damaged."""
    try:
        return PlanConfig.model_validate_json(json.dumps(record))
    except ValidationError as error:
        problem = problems_of(error)[0]
    except (TypeError, ValueError) as error:
        problem = str(error)
    raise RunError(f"the plan in {source} is damaged: {problem}")


ImageFormat = Literal["jpg", "png"]

_MOST = 1000  # number of classes of ImageNet


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

    If the file of the model set limits it to a grammar (`draws`), the classes are the nouns of that
    grammar that have a wnid. Otherwise the classes replace the nouns of `grammar`, by default of
    the grammar imagenet.
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
    """Configure a clone of a user's classes, given as pairs (wanted name or "", noun).

    The other axes are sampled as in a clone of ImageNet: their values in an input image describe
    that image, not its class.
    """
    if models.file.vocabulary_grammar is not None:
        check_world(grammar, load_grammar(models.file.vocabulary_grammar), models.file.name)
    labels, nouns = user_labels(found), grammar.axes[object_axis(grammar)]
    if models.file.vocabulary_grammar is None:
        labels = tuple(replace(label, kind=kind_of_noun(label.noun, nouns)) for label in labels)
    if not labels:
        raise UsageError("no input gives a class: name an image, a run or a folder of photos")
    for label in labels:
        nouns.index(label.noun)  # raises an error that lists the nouns
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
    """Return the identity of the generator, the only model that determines the pixels."""
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
    """Return what to type if `classes` is more than the `most` that a model set can generate."""
    own = f"type 'rldf clone-imagenet --classes {most} --models {name}'"
    if name not in model_set_names():  # a user's file, whose path is not known here
        own = f"type --classes {most}"
    if classes is None or not classes.isdigit() or int(classes) > _MOST:
        return own
    real = f"'rldf clone-imagenet --classes {classes} --models {REAL[0]}'"
    return f"{own}, or 'rldf models pull {REAL[0]}' and {real}"
