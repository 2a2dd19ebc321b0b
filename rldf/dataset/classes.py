"""The classes of a data set: their keys, names and definitions, and how people choose them.

A class is a folder, so its key is made safe before anything else sees it. Labels are numbered in
the order of their sorted keys, which is how torchvision and datasets number folders.
"""

import difflib
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Annotated

from pydantic import Field

from rldf.errors import UsageError
from rldf.grammar.grammar import Grammar
from rldf.io.file_names import portable
from rldf.io.text import plain
from rldf.io.yaml import read_text

_Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
_Text = Annotated[str, Field(max_length=1_000)]
_KEY_LENGTH, _NAME_LENGTH = 60, 80
_SHOWN = 60  # characters of a line that an error repeats


@dataclass(frozen=True, slots=True)
class Label:
    """One class of a data set.

    Attributes:
        key: name of its folder: a wnid such as "n02391049", or a cleaned name; letters, digits,
            "_" and "-" alone.
        name: what people call it, another for every class.
        definition: WordNet's, or "".
        noun: name of its value on the grammar's object axis.
        kind: what a preset's rules may ask for, such as "bird"; "" is none.
    """

    key: _Key
    name: _Text
    definition: _Text = ""
    noun: _Text = ""
    kind: _Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The classes that may be chosen.

    Attributes:
        whose: who has them, for messages: "ImageNet", or "model set pocket".
        labels: in the order in which a number of them is taken.
        keys: keys by name in lower case; a name of several classes has several.
    """

    whose: str
    labels: tuple[Label, ...]
    keys: Mapping[str, frozenset[str]]

    def find(self, word: str) -> Label:
        """Find a class.

        Args:
            word: its wnid, or a name that it alone has.

        Returns:
            The class.

        Raises:
            UsageError: there is none, or there are several.
        """
        by_key = {label.key: label for label in self.labels}
        if word in by_key:
            return by_key[word]
        keys = sorted(self.keys.get(word.lower(), ()))
        if len(keys) == 1:
            return by_key[keys[0]]
        if keys:
            which = ", ".join(f"{key} {by_key[key].name}" for key in keys)
            raise UsageError(f"'{word}' is the name of {len(keys)} classes: type one of {which}")
        near = difflib.get_close_matches(word.lower(), self.keys, 1) or [self.labels[0].name]
        example = min(self.keys.get(near[0], {self.labels[0].key}))
        raise UsageError(
            f"'{plain(word[:_SHOWN])}' is no class of {self.whose}: type a wnid or a name, such as "
            f"{example} or {by_key[example].name}"
        )


def vocabulary(
    whose: str, labels: Sequence[Label], names: Mapping[str, Iterable[str]]
) -> Vocabulary:
    """Make a vocabulary.

    Args:
        whose: who has the classes.
        labels: in the order in which a number of them is taken.
        names: further names by key.

    Returns:
        The vocabulary; the label's own name counts before further ones of others.
    """
    keys: dict[str, set[str]] = {}
    for key, further in names.items():
        for name in further:
            keys.setdefault(name.lower(), set()).add(key)
    own = {label.name.lower(): {label.key} for label in labels}
    found = {name: frozenset(k) for name, k in {**keys, **own}.items()}
    return Vocabulary(whose=whose, labels=tuple(labels), keys=found)


def world_vocabulary(grammar: Grammar, whose: str) -> Vocabulary:
    """List the classes that a grammar's own nouns stand for.

    Args:
        grammar: whose nouns carry wnids.
        whose: who draws them, for messages.

    Returns:
        Nouns with a wnid, in the grammar's order, called what the grammar calls them.

    Raises:
        UsageError: no noun of it has a wnid, or two have the same.
    """
    axis = grammar.reading("object")
    values = axis.values if axis else ()
    labels = [Label(v.wnid, v.name, noun=v.name) for v in values if v.wnid]
    if not labels:
        raise UsageError(
            f"no noun of grammar {grammar.name} has a wnid, so it draws no class of ImageNet: "
            "name another --grammar"
        )
    first: dict[str, Label] = {}
    for label in labels:
        if (other := first.setdefault(label.key, label)) is not label:
            raise UsageError(
                f"grammar {grammar.name} gives wnid {label.key} to {plain(other.name)} and to "
                f"{plain(label.name)}: leave it at one of them, or name another --grammar"
            )
    return vocabulary(whose, labels, {})


def chosen(vocabulary: Vocabulary, spec: str | None, too_many: str = "") -> tuple[Label, ...]:
    """Choose classes.

    Args:
        vocabulary: what there is to choose from.
        spec: a number of classes, a file with one wnid or name a line (empty lines and what
            follows a "#" do not count), or None for all.
        too_many: what to type, for the message about a number that is too large.

    Returns:
        The classes, sorted by key.

    Raises:
        UsageError: the number or the file is wrong: which line, and what to type.
    """
    if spec is None:
        labels = vocabulary.labels
    elif re.fullmatch(r"[+-]?\d+", spec):
        labels = _first(vocabulary, int(spec[:10]), too_many)
    else:
        labels = _of_file(vocabulary, Path(spec))
    return tuple(sorted(labels, key=lambda label: label.key))


def _first(vocabulary: Vocabulary, n: int, too_many: str) -> tuple[Label, ...]:
    if n < 1:
        raise UsageError(f"--classes {n}: type a number from 1 to {len(vocabulary.labels)}")
    if n > len(vocabulary.labels):
        raise UsageError(
            f"--classes {n}: {vocabulary.whose} has {len(vocabulary.labels)} classes: "
            + (too_many or f"type --classes {len(vocabulary.labels)}")
        )
    return vocabulary.labels[:n]


def _of_file(vocabulary: Vocabulary, path: Path) -> tuple[Label, ...]:
    if not path.is_file():
        raise UsageError(
            f"--classes {plain(str(path))}: there is no such file: type a number, or the name of "
            "a file with one wnid or name a line"
        )
    found: dict[str, tuple[int, Label]] = {}
    for number, line in enumerate(read_text(path, "class list").splitlines(), start=1):
        word = " ".join(line.partition("#")[0].split())
        if not word:
            continue
        at = f"{plain(str(path))}, line {number}"
        try:
            label = vocabulary.find(word)
        except UsageError as error:
            raise UsageError(f"{at}: {error}") from None
        if label.key in found:
            raise UsageError(
                f"{at}: {label.key} ({label.name}) stands in line {found[label.key][0]} already: "
                "leave out one of the two"
            )
        found[label.key] = (number, label)
    if not found:
        raise UsageError(f"{plain(str(path))} names no class: write one wnid or name a line")
    return tuple(label for _, label in found.values())


def user_labels(found: Iterable[tuple[str, str]]) -> tuple[Label, ...]:
    """Name the classes of a person's own data set.

    Args:
        found: for each class the name that it is to have (of a folder; "" for the noun's), and
            the noun that was found for it.

    Returns:
        The classes, sorted by key; a name that comes again has a number from 2 behind it.
    """
    labels: dict[str, Label] = {}
    for wanted, noun in found:
        name = " ".join(plain(wanted or noun).split())[:_NAME_LENGTH]
        first = clean_key(name)
        numbered = ((f"{first}-{n}", f"{name} {n}") for n in count(2))
        key, name = next(k for k in chain([(first, name)], numbered) if k[0] not in labels)
        labels[key] = Label(key, name, noun=noun)
    return tuple(labels[key] for key in sorted(labels))


def clean_key(name: str) -> str:
    """Make the name of a folder from a class's name.

    Args:
        name: any text, a stranger's too.

    Returns:
        1 to 80 lower-case letters, digits and "-"; never a path. Names with letters that no Latin
        letter stands for are told apart by a checksum; one that Windows keeps for a device, such
        as "con", is changed.
    """
    split = [c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c)]
    key = "-".join(re.findall(r"[a-z0-9]+", "".join(split).lower()))[:_KEY_LENGTH].strip("-")
    if key and not any(c.isalnum() and not c.isascii() for c in split):
        return portable(key)
    total = hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:8]
    return f"{key or 'class'}-{total}"
