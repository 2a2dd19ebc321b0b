"""ImageNet's 1000 classes (ILSVRC 2012): their names, definitions and order.

Wnids, lemmas and definitions are WordNet's, from timm's tables. The names are those with which
CLIP was evaluated, from open_clip; they are clearer than WordNet's first lemmas ("rooster" for
"cock", "construction crane" for "crane"). If two classes have the same name in open_clip, each is
named by its first lemma and its definition instead.
"""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rldf.dataset.classes import Label, Vocabulary, vocabulary
from rldf.io.yaml import Strict, load_yaml
from rldf.seeding import derive

_FOLDER = Path(__file__).parent
_GLOSS_WORDS = 16  # so a sentence has at most the 77 tokens of CLIP's text encoder
_DANGLING = frozenset(  # words that cannot end a definition
    re.findall(
        r"\w+",
        "a an and any are as at be between by for from has have in into is its of on or over than "
        "that the their to used usually various when where which while with",
    )
)
_VOWEL = re.compile(r"(?!eu|one\b|uni|us|ut)[aeiou]|hour", re.IGNORECASE)


class KindFile(Strict):
    """A kind of classes in `imagenet.yaml`, such as "bird".

    Attributes:
        kind: name of the kind.
        wnids: ranges (first, last) of the wnids of its classes.
        words: if any, the class's name or definition must contain one of them, too.
    """

    kind: str
    wnids: tuple[tuple[str, str], ...]
    words: frozenset[str] = frozenset()


class ImageNetFile(Strict):
    """The content of `imagenet.yaml`.

    Attributes:
        without_article: wnids of the classes whose noun takes no "a" or "an".
        kinds: the kinds; a class has the first that fits.
    """

    without_article: frozenset[str]
    kinds: tuple[KindFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Synset:
    """WordNet's entry for a class.

    Attributes:
        wnid: WordNet's identifier, "n" and the number of the entry in WordNet 3.0.
        lemmas: the words for the class.
        definition: WordNet's definition.
    """

    wnid: str
    lemmas: tuple[str, ...]
    definition: str


@cache
def synsets() -> tuple[Synset, ...]:
    """Return the 1000 classes of ILSVRC 2012, sorted by wnid."""
    from timm.data.imagenet_info import ImageNetInfo

    info = ImageNetInfo("imagenet-1k")
    return tuple(
        Synset(
            wnid=wnid,
            lemmas=tuple(info.label_name_to_description(wnid, detailed=False).split(", ")),
            definition=info.label_name_to_description(wnid, detailed=True).split(": ", 1)[1],
        )
        for wnid in info.label_names()  # type: ignore[no-untyped-call]
    )


@cache
def imagenet_vocabulary() -> Vocabulary:
    """Return ImageNet's classes: ImageNet-100 first, then the others in a fixed random order."""
    by_key = {label.key: label for label in imagenet_labels()}
    listed = imagenet_100()
    others = sorted(by_key.keys() - set(listed), key=lambda key: derive(0, "class order", key))
    lemmas = {synset.wnid: synset.lemmas for synset in synsets()}
    return vocabulary("ImageNet", [by_key[key] for key in (*listed, *others)], lemmas)


def imagenet_100() -> tuple[str, ...]:
    """Return the 100 wnids of ImageNet-100."""
    lines = (_FOLDER / "imagenet100.txt").read_text("ascii").splitlines()
    return tuple(line for line in lines if not line.startswith("#"))


@cache
def imagenet_labels() -> tuple[Label, ...]:
    """Return ImageNet's classes with unique names, sorted by wnid."""
    from open_clip import IMAGENET_CLASSNAMES

    file = load_yaml(ImageNetFile, _FOLDER / "imagenet.yaml", "class data")
    said = [name.replace(" / ", " or ") for name in IMAGENET_CLASSNAMES]
    times = Counter(bare(name) for name in said)
    return tuple(
        _label(synset, name if times[bare(name)] == 1 else _told_apart(synset), file)
        for synset, name in zip(synsets(), said, strict=True)
    )


def _label(synset: Synset, name: str, file: ImageNetFile) -> Label:
    noun = name if synset.wnid in file.without_article else with_article(name)
    kind = kind_of(synset.wnid, f"{name} {gloss(synset.definition)}", file)
    return Label(synset.wnid, name, synset.definition, noun, kind)


def _told_apart(synset: Synset) -> str:
    return f"{synset.lemmas[0]} ({gloss(synset.definition)})"


def bare(name: str) -> str:
    """Return a name's letters and digits in lower case, without a final "s", to compare names."""
    return "".join(c for c in name.lower() if c.isalnum()).removesuffix("s")


def with_article(name: str) -> str:
    """Return a noun with "a" or "an" before it."""
    return f"{'an' if _VOWEL.match(name) else 'a'} {name}"


def gloss(definition: str) -> str:
    """Return the first clause of a definition, at most 16 words."""
    clause = re.sub(r"\([^)]*\)|`|'(?!\w)", "", definition).split(";")[0]
    words = clause.split()[:_GLOSS_WORDS]
    while len(words) > 1 and words[-1].strip(",.") in _DANGLING:
        words.pop()
    return " ".join(words).rstrip(",.: ").replace(" ,", ",")


def kind_of(wnid: str, words: str, file: ImageNetFile) -> str:
    """Return the first kind that fits a wnid and its name and definition; "" if none fits."""
    said = frozenset(re.findall(r"[a-z]+", words.lower()))
    return next(
        (
            entry.kind
            for entry in file.kinds
            if any(first <= wnid <= last for first, last in entry.wnids)
            and (not entry.words or said & entry.words)
        ),
        "",
    )
