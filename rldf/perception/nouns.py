"""Nouns of a grammar in the classes of ImageNet: a noun is all its classes together."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import StringConstraints

from rldf.grammar.axes import Axis
from rldf.grammar.axis_kinds import AxisResult
from rldf.io.text import plain_label
from rldf.io.yaml import Strict, load_yaml

_CLASSES = 1000  # of ILSVRC 2012
_FILE = Path(__file__).with_name("noun_classes.yaml")

Wnid = Annotated[str, StringConstraints(pattern=r"^n\d{8}$")]


class NounClassesFile(Strict):
    """What `noun_classes.yaml` says: WordNet numbers by noun, beside the noun's own."""

    nouns: dict[str, tuple[Wnid, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NounReading:
    """What an image classifier says of a noun axis.

    Attributes:
        result: the noun, or why there is none.
        shares: probability of each noun that is likelier than by chance, the likeliest first.
    """

    result: AxisResult
    shares: dict[str, float]


def read_nouns(axis: Axis, classes: Mapping[str, float], grammar: str) -> NounReading:
    """Read a noun axis from the probabilities of ImageNet's classes.

    A noun is read where it is likelier than by chance: than one noun of the axis in as many, and
    than its classes among all. It is doubtful where a class that is of no noun is likelier still.

    Args:
        axis: the nouns.
        classes: probability by WordNet number; they sum to 1.
        grammar: the name of the axis's grammar, for what is said.

    Returns:
        The likeliest noun, with the others.
    """
    owner = noun_of_class(axis)
    sums = dict.fromkeys((value.name for value in axis.values), 0.0)
    for wnid, noun in owner.items():
        sums[noun] += classes.get(wnid, 0.0)
    sizes = {noun: sum(other == noun for other in owner.values()) for noun in sums}
    chance = {noun: max(1 / len(sums), size / _CLASSES) for noun, size in sizes.items()}
    shares = {noun: share for noun, share in sums.items() if share > chance[noun]}
    shares = dict(sorted(shares.items(), key=lambda item: -item[1]))
    rest = {wnid: share for wnid, share in classes.items() if wnid not in owner}
    other = max(rest, key=rest.__getitem__)
    sees = f"the image classifier sees {class_name(other)} ({rest[other]:.2f})"
    lacks = f"for which grammar {grammar} has no word"
    if not shares:
        return NounReading(result=AxisResult(index=None, doubt=f"{sees}, {lacks}"), shares={})
    noun, share = next(iter(shares.items()))
    doubt = f"{sees}, {lacks}, rather than {noun} ({share:.2f})" if rest[other] > share else ""
    result = AxisResult(
        index=axis.index(noun), source="image classifier", probability=share, doubt=doubt
    )
    return NounReading(result=result, shares=shares)


def noun_of_class(axis: Axis) -> dict[str, str]:
    """Name the noun of each ImageNet class; one of two nouns is the noun's with fewer classes."""
    more = further_classes()
    classes = {
        value.name: {*filter(None, [value.wnid]), *more.get(plain_label(value.name), ())}
        for value in axis.values
    }
    named: dict[str, str] = {}
    for noun in sorted(classes, key=lambda noun: -len(classes[noun])):
        named |= dict.fromkeys(sorted(classes[noun]), noun)
    return named


@cache
def further_classes() -> dict[str, tuple[str, ...]]:
    """Read which classes nouns have beside the one that their grammar names."""
    file = load_yaml(NounClassesFile, _FILE, "noun classes")
    return {plain_label(noun): classes for noun, classes in file.nouns.items()}


def class_name(wnid: str) -> str:
    """Name a class by its first word in WordNet."""
    name: str = imagenet().label_name_to_description(wnid, detailed=False)
    return name.split(",")[0]


@cache
def imagenet() -> Any:
    """Load timm's list of ILSVRC 2012's classes, in the order of a network's outputs."""
    from timm.data.imagenet_info import ImageNetInfo

    return ImageNetInfo("imagenet-1k")
