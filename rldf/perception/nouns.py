"""Reads nouns of a grammar from ImageNet's classes; a noun may have several classes."""

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
    """The file `noun_classes.yaml`: WordNet numbers of a noun's classes besides its `wnid`."""

    nouns: dict[str, tuple[Wnid, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NounReading:
    """A noun axis as read by an image classifier.

    Attributes:
        result: the likeliest noun, or why there is none.
        shares: probability of each noun that is likelier than by chance, the likeliest first.
    """

    result: AxisResult
    shares: dict[str, float]


def read_nouns(axis: Axis, classes: Mapping[str, float], grammar: str) -> NounReading:
    """Read a noun axis from the probabilities of ImageNet's classes.

    A noun's probability is the sum over its classes. The noun is read if this is more than chance,
    max(1 / number of the axis's nouns, number of the noun's classes / 1000). It is doubtful if a
    class that belongs to no noun is likelier.

    Args:
        axis: the noun axis.
        classes: probability by WordNet number; they sum to 1.
        grammar: the name of the axis's grammar, for messages.

    Returns:
        The likeliest noun, and the probabilities of all nouns that are likelier than by chance.
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
    sees = f"the image classifier found {class_name(other)} ({rest[other]:.2f})"
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
    """Return the noun of each ImageNet class; of two nouns, the one with fewer classes."""
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
    """Read the classes of nouns besides the `wnid` in their grammar, by noun."""
    file = load_yaml(NounClassesFile, _FILE, "noun classes")
    return {plain_label(noun): classes for noun, classes in file.nouns.items()}


def class_name(wnid: str) -> str:
    """Return the first name that WordNet has for a class."""
    name: str = imagenet().label_name_to_description(wnid, detailed=False)
    return name.split(",")[0]


@cache
def imagenet() -> Any:
    """Load timm's list of ILSVRC 2012's classes, in the order of a network's outputs."""
    from timm.data.imagenet_info import ImageNetInfo

    return ImageNetInfo("imagenet-1k")
