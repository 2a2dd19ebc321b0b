"""From what a person asks for to the configuration of a plan."""

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import JsonValue

from rldf.dataset.class_axis import check_world, object_axis, refuse_same_sentences, with_nouns
from rldf.dataset.classes import Label, chosen, user_labels, world_vocabulary
from rldf.dataset.imagenet import imagenet_vocabulary
from rldf.dataset.plan_config import PlanConfig
from rldf.dataset.presets import Preset, load_preset, with_preset
from rldf.errors import UsageError
from rldf.grammar.grammar import Grammar, load_grammar
from rldf.models.auto import REAL
from rldf.models.model_sets import ModelSet, model_set_names

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

    Args:
        models: what draws; the preset's options are filled in here as `with_preset` does.
        classes: how many, or a file that names them; None for all that can be drawn.
        splits: images of a class by split, as `parse_splits` gives them.
        preset: its name.
        grammar: a shipped one's name or a file; None for the models' own.
        seed: of the plan.
        image_format: of the files.

    Returns:
        The configuration.

    Raises:
        RldfError: something of it cannot be had: what, and what to type.
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

    Args:
        models: what draws; the preset's options are filled in here as `with_preset` does.
        found: for each class its wanted name ("" for the noun's own) and its noun.
        grammar: that the nouns are of.
        splits: images of a class by split.
        preset: its name.
        seed: of the plan.
        image_format: of the files.

    Returns:
        The configuration.

    Raises:
        RldfError: something of it cannot be had: what, and what to type.
    """
    if models.file.vocabulary_grammar is not None:
        check_world(grammar, load_grammar(models.file.vocabulary_grammar), models.file.name)
    labels, nouns = user_labels(found), grammar.axes[object_axis(grammar)]
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
    """Identify what draws; the other models of a set do not change a pixel.

    Args:
        models: a set with the options of its preset.

    Returns:
        Its name, and its generator's class, options and checksum.
    """
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
    """Say what to type when models of a small world are asked for too many classes."""
    own = f"type 'rldf clone-imagenet --classes {most} --models {name}'"
    if name not in model_set_names():  # a file, whose path only its owner knows
        own = f"type --classes {most}"
    if classes is None or not classes.isdigit() or int(classes) > _MOST:
        return own
    return f"{own}, or 'rldf clone-imagenet --classes {classes} --models {REAL[0]}'"
