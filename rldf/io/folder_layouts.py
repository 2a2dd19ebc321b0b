"""What the folders of an image set mean: splits, classes, or neither.

    <split>/<class>/...    a set with splits, such as a clone or ImageNet
    <class>/<split>/...    the same, the other way round
    <class>/...            a set with classes
    ...                    images alone

Splits are known by their usual names, in any case. Where some folders bear such names and others do
not, what they hold decides, and is told; where that does not tell either, the set is refused. A
folder around all others counts for nothing if it is called "images", "data" or the like, or if it
holds splits.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import takewhile

from rldf.errors import UsageError
from rldf.io.text import plain

_SPLITS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "validate": "val", "eval": "val",
    "evaluation": "val", "dev": "val", "devel": "val", "development": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
_FILLERS = ("dataset", "data", "images", "image", "imgs", "img", "set", "split")
_SAY_NOTHING = {*_FILLERS, "jpegimages", "ilsvrc", "imagenet"}
_SHOWN = 4  # names in a message

Parts = tuple[str, ...]


def split_of(name: str) -> str | None:
    """Tell which split a folder's name means."""
    words = _words(name)
    if len(words) != 1:
        return None
    word = words[0]
    bare = next((word.removesuffix(end) for end in _FILLERS if word.endswith(end)), word)
    return _SPLITS.get(word) or _SPLITS.get(bare)


def class_word(name: str) -> str:
    """Reduce a class's key or name to what all spellings of it have in common."""
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the paths of a set are read.

    Attributes:
        around: the folders around all others that count for nothing.
        splits: split by the name of a top folder; None in a set without splits.
        passed: folders between a split and its images that are no class.
        classes_first: whether splits lie in the folders of classes.
        notes: what a person should know of this reading.
    """

    around: Parts = ()
    splits: Mapping[str, str] | None = None
    passed: frozenset[str] = frozenset()
    classes_first: bool = False
    notes: tuple[str, ...] = ()

    def read(self, folders: Parts) -> tuple[str | None, str | None] | None:
        """Read where an image lies."""
        own = folders[len(self.around) :]
        if self.classes_first:
            split = split_of(own[1]) if len(own) > 1 else None
            return (split, own[0]) if split else None
        if self.splits is None:
            return None, own[0] if own else None
        if not own or own[0] not in self.splits:
            return None
        below = own[2:] if own[1:2] and own[1] in self.passed else own[1:]
        return self.splits[own[0]], below[0] if below else None

    def class_of(self, folders: Parts) -> str | None:
        """Read the name of the class whose folder this is."""
        own = folders[len(self.around) :]
        at = 0 if self.splits is None else 1
        if folders[: len(self.around)] != self.around or len(own) != at + 1:
            return None
        if self.splits is not None and (own[0] not in self.splits or own[1] in self.passed):
            return None
        return own[at]


@dataclass(slots=True)
class _Top:
    """A top folder: whether images lie right in it, and the folders in it."""

    loose: bool = False
    inner: set[str] = field(default_factory=set)

    @property
    def words(self) -> set[str]:
        """Its folders, in whatever spelling."""
        return {class_word(name) for name in self.inner}


def clone_layout(folders: Collection[Parts]) -> Layout:
    """Read a clone: nothing but its splits are its images."""
    return Layout(splits=_named(_tops(folders)))


def layout_of(folders: Collection[Parts], where: str) -> Layout:
    """Find out what the folders of a set mean."""
    around = _around(folders)
    tops = _tops({own[len(around) :] for own in folders})
    named = _named(tops)
    if named:
        splits, notes = _decide(tops, named, where)
        passed = _passed(tops, splits or {})
        return Layout(around=around, splits=splits, passed=passed, notes=notes)
    if tops and all(_holds_splits(top) for top in tops.values()):
        return Layout(around=around, classes_first=True)
    return Layout(around=around, notes=_doubt(tops, where))


def _words(name: str) -> list[str]:
    """Take out of a folder's name what is neither number nor filler."""
    return [w for w in re.findall(r"[^\W\d_]+", name.casefold()) if w not in _SAY_NOTHING]


def _tops(folders: Collection[Parts]) -> dict[str, _Top]:
    tops: dict[str, _Top] = {}
    for own in sorted(folders):
        if own:
            top = tops.setdefault(own[0], _Top())
            top.loose |= len(own) == 1
            top.inner |= {*own[1:2]}
    return tops


def _named(tops: Mapping[str, _Top]) -> dict[str, str]:
    return {name: split for name in tops if (split := split_of(name)) is not None}


def _around(folders: Collection[Parts]) -> Parts:
    """Find the folders around all others that are neither a split nor a class."""
    chain: Parts = ()
    while True:
        tops = _tops({own[len(chain) :] for own in folders})
        if len(tops) != 1 or chain in folders or _named(tops):
            break
        chain = (*chain, *tops)
    if tops and len(_named(tops)) == len(tops) and all(top.inner for top in tops.values()):
        return chain
    return tuple(takewhile(lambda name: not _words(name), chain))


def _all_splits(top: _Top) -> bool:
    return bool(top.inner) and all(map(split_of, top.inner))


def _holds_splits(top: _Top) -> bool:
    """Tell whether a class's folder holds splits: nothing else, or at least two of them."""
    return not top.loose and (_all_splits(top) or len(set(map(split_of, top.inner)) - {None}) > 1)


def _passed(tops: Mapping[str, _Top], splits: Mapping[str, str]) -> frozenset[str]:
    """Find folders such as `train/images`, which hold all images of a split and are no class."""
    alone = [[*tops[name].inner] for name in splits if not tops[name].loose]
    return frozenset(inner[0] for inner in alone if len(inner) == 1 and not _words(inner[0]))


def _decide(
    tops: Mapping[str, _Top], named: Mapping[str, str], where: str
) -> tuple[Mapping[str, str] | None, tuple[str, ...]]:
    """Tell whether the folders that are named like splits are such: split by top folder."""
    others = [name for name in tops if name not in named]
    if not others:
        return named, _doubled(named, where)
    times = Counter(word for name in named for word in tops[name].words)
    akin = [name for name in others if not tops[name].words.isdisjoint(times)]
    shared = max(times.values(), default=0) > 1
    if shared or (len(named) == len(akin) == 1 and len(others) == 1):
        more = f", and {_list(akin)}, where there are the same classes" if akin else ""
        note = f"{where}: {_list(named)} are taken as its splits{more}"
        if left := [name for name in others if name not in akin]:
            note += f"; what lies in {_list(left)} is left out"
        return {**named, **{name: name for name in akin}}, (note, *_doubled(named, where))
    if [class_word(name) for name in named] == ["train"] and not any(
        t.inner for t in tops.values()
    ):
        # the one such name that is a thing too
        note = f"{where}: train is taken as a class, since {_list(others)} beside it are no splits"
        return None, (note,)
    raise UsageError(
        f"{where}: {_list(named)} may be splits or classes, since {_list(others)} beside it are no "
        "splits: rename them, or put splits and classes into folders of their own"
    )


def _doubled(named: Mapping[str, str], where: str) -> tuple[str, ...]:
    """Say which folders are taken together as one split."""
    by_split: dict[str, list[str]] = {}
    for name, split in named.items():
        by_split.setdefault(split, []).append(name)
    return tuple(
        f"{where}: {_list(names)} are taken together as its {split} split"
        for split, names in by_split.items()
        if len(names) > 1
    )


def _doubt(tops: Mapping[str, _Top], where: str) -> tuple[str, ...]:
    """Say it where the top folders are taken as classes, and may be none."""
    if any(top.loose for top in tops.values()) or not tops:
        return ()
    shared = set.intersection(*(top.words for top in tops.values()))
    if len(shared) < 2:
        return ()
    which = (
        f"its folders {_list(tops)} are taken as classes"
        if len(tops) > 1
        else (f"its one folder {_list(tops)} is taken as a class")
    )
    return (
        f"{where}: {which}, though there are folders in them, such as {_list(sorted(shared))}: if "
        f"these are the classes, give the folder that holds them",
    )


def _list(names: Collection[str]) -> str:
    shown = [plain(name) for name in [*names][:_SHOWN]]
    more = len(names) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
