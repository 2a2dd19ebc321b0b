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
from rldf.io.text import counted, plain
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
        name: its name, unique among the classes.
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
        keys: keys by name in lower case, several where classes share a name.
    """

    whose: str
    labels: tuple[Label, ...]
    keys: Mapping[str, frozenset[str]]

    def find(self, word: str) -> Label:
        """Return the class of a wnid or a name; UsageError if there is none, or several."""
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
    """Make a vocabulary; a class's own name has priority over further names of others."""
    keys: dict[str, set[str]] = {}
    for key, further in names.items():
        for name in further:
            keys.setdefault(name.lower(), set()).add(key)
    own = {label.name.lower(): {label.key} for label in labels}
    found = {name: frozenset(k) for name, k in {**keys, **own}.items()}
    return Vocabulary(whose=whose, labels=tuple(labels), keys=found)


def world_vocabulary(grammar: Grammar, whose: str) -> Vocabulary:
    """Return the nouns of a grammar that have a wnid."""
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
    """Choose classes by a number, by a file of wnids or names, or all (None); sorted by key."""
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
            f"--classes {n}: {vocabulary.whose} has {counted(len(vocabulary.labels), 'class')}: "
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
    """Name the classes of pairs of wanted name and noun; repeated names get a number."""
    labels: dict[str, Label] = {}
    for wanted, noun in found:
        name = " ".join(plain(wanted or noun).split())[:_NAME_LENGTH]
        first = clean_key(name)
        numbered = ((f"{first}-{n}", f"{name} {n}") for n in count(2))
        key, name = next(k for k in chain([(first, name)], numbered) if k[0] not in labels)
        labels[key] = Label(key, name, noun=noun)
    return tuple(labels[key] for key in sorted(labels))


def clean_key(name: str) -> str:
    """Make a safe folder name of 1 to 80 lower-case letters, digits and "-" from any text."""
    split = [c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c)]
    key = "-".join(re.findall(r"[a-z0-9]+", "".join(split).lower()))[:_KEY_LENGTH].strip("-")
    if key and not any(c.isalnum() and not c.isascii() for c in split):
        return portable(key)
    total = hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:8]
    return f"{key or 'class'}-{total}"
