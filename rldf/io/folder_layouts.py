"""Decides which folders of an image folder are splits, which are classes, and which are neither.

    <split>/<class>/...    images with splits and classes, such as a clone or ImageNet
    <class>/<split>/...    the same with splits inside of classes
    <class>/...            images with classes
    ...                    images without splits and classes

Splits are recognized by their usual names, in upper or lower case. If only some of the top folders
have such names, the names of the folders in them decide, and a note says how; if these do not
decide either, UsageError is raised. A single folder around all others is ignored if its name is
"images", "data" or the like, or if it contains splits.
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
    """Return the split that a folder's name means, None if it is not a name of a split."""
    words = _words(name)
    if len(words) != 1:
        return None
    word = words[0]
    bare = next((word.removesuffix(end) for end in _FILLERS if word.endswith(end)), word)
    return _SPLITS.get(word) or _SPLITS.get(bare)


def class_word(name: str) -> str:
    """Return a class's key or name in lower case with single spaces for "_" and "-"."""
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Which folders of an image folder are splits and classes.

    Attributes:
        around: names of the outer folders that are ignored.
        splits: split by the name of a top folder; None if the top folders are not splits.
        passed: names of folders between a split and its images that are not classes.
        classes_first: whether the folders of classes contain the splits.
        notes: messages for the user about how folders were interpreted.
    """

    around: Parts = ()
    splits: Mapping[str, str] | None = None
    passed: frozenset[str] = frozenset()
    classes_first: bool = False
    notes: tuple[str, ...] = ()

    def read(self, folders: Parts) -> tuple[str | None, str | None] | None:
        """Return split and class of an image, None if it is left out.

        Args:
            folders: names of the folders that contain the image, from the outermost.
        """
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
        """Return the name of the class whose folder this is; None if it is not such a folder."""
        own = folders[len(self.around) :]
        at = 0 if self.splits is None else 1
        if folders[: len(self.around)] != self.around or len(own) != at + 1:
            return None
        if self.splits is not None and (own[0] not in self.splits or own[1] in self.passed):
            return None
        return own[at]


@dataclass(slots=True)
class _Top:
    """A top folder: whether it directly contains images, and the names of the folders in it."""

    loose: bool = False
    inner: set[str] = field(default_factory=set)

    @property
    def words(self) -> set[str]:
        """The names of the folders in it, each as `class_word` returns it."""
        return {class_word(name) for name in self.inner}


def clone_layout(folders: Collection[Parts]) -> Layout:
    """Return the layout of a clone: images outside of its splits are left out."""
    return Layout(splits=_named(_tops(folders)))


def layout_of(folders: Collection[Parts], where: str) -> Layout:
    """Return the layout of an image folder.

    Args:
        folders: the folders that contain images, each as the names from the outermost.
        where: path of the image folder, for messages.

    Raises:
        UsageError: the names do not decide whether the top folders are splits or classes.
    """
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
    """Return the words of a folder's name, without numbers and words such as "images"."""
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
    """Return the outer folders that are neither a split nor a class."""
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
    """Return whether a folder contains folders of splits alone, or two splits and others."""
    return not top.loose and (_all_splits(top) or len(set(map(split_of, top.inner)) - {None}) > 1)


def _passed(tops: Mapping[str, _Top], splits: Mapping[str, str]) -> frozenset[str]:
    """Return folders such as `train/images` that contain all images of a split."""
    alone = [[*tops[name].inner] for name in splits if not tops[name].loose]
    return frozenset(inner[0] for inner in alone if len(inner) == 1 and not _words(inner[0]))


def _decide(
    tops: Mapping[str, _Top], named: Mapping[str, str], where: str
) -> tuple[Mapping[str, str] | None, tuple[str, ...]]:
    """Return split by top folder (None if all are classes), and notes for the user."""
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
            note += f"; the images in {_list(left)} are left out"
        return {**named, **{name: name for name in akin}}, (note, *_doubled(named, where))
    if [class_word(name) for name in named] == ["train"] and not any(
        t.inner for t in tops.values()
    ):
        # train is the only name of a split that is also an object
        note = f"{where}: train is taken as a class, since {_list(others)} beside it are not splits"
        return None, (note,)
    raise UsageError(
        f"{where}: {_list(named)} may be splits or classes, since {_list(others)} beside it are "
        "not splits: rename them, or put splits and classes into separate folders"
    )


def _doubled(named: Mapping[str, str], where: str) -> tuple[str, ...]:
    """Return a note for each split to which several folders belong."""
    by_split: dict[str, list[str]] = {}
    for name, split in named.items():
        by_split.setdefault(split, []).append(name)
    return tuple(
        f"{where}: {_list(names)} are taken together as its {split} split"
        for split, names in by_split.items()
        if len(names) > 1
    )


def _doubt(tops: Mapping[str, _Top], where: str) -> tuple[str, ...]:
    """Return a note if the top folders are taken as classes and the folders in them may be."""
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
