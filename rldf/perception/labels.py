"""The names that models give to what they see: label maps, words to look for, placeholders.

A label map is a JSON file beside a model that gives its labels other names, such as a grammar's.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import TypeAdapter

from rldf.errors import ConfigError
from rldf.grammar.grammar import load_grammar
from rldf.grammar.labels import shown
from rldf.io.files import parse_json
from rldf.io.yaml import read_text

_PLACEHOLDER = re.compile(r"(label|class|cls|category|object|id)?[\W_]*\d+|n/?a|background|", re.I)


def refuse_placeholders(labels: Iterable[str], model: str) -> None:
    """Refuse labels that are numbers only, such as LABEL_0 or class0: they mean nothing."""
    own = list(dict.fromkeys(labels))
    if all(_PLACEHOLDER.fullmatch(label.strip()) for label in own):
        raise ConfigError(
            f"{model}: its labels are no names ({shown(own)}): give it the option label_map, a "
            'JSON file beside it such as {"LABEL_0": "beach"}'
        )


def read_labels(folder: Path, id2label: Mapping[int, str], label_map: str) -> list[str]:
    """Name what a model tells apart."""
    own = [id2label.get(i) for i in range(len(id2label))]
    labels = [label for label in own if isinstance(label, str)]
    if len(labels) < len(own) or not own:
        raise ConfigError(f"{folder}: id2label in config.json must name all labels from 0 on")
    named = mapped(folder, labels, label_map)
    refuse_placeholders(named, str(folder))
    return named


def mapped(folder: Path, labels: Sequence[str], label_map: str) -> list[str]:
    """Give labels their names of a label map."""
    names = _read_map(folder, label_map) if label_map else {}
    unknown = sorted(names.keys() - set(labels))
    if unknown:
        raise ConfigError(
            f"{folder / label_map}: the model has no label '{unknown[0]}'; it has "
            f"{', '.join(sorted(labels)[:5])}{', ...' * (len(labels) > 5)}"
        )
    return [names.get(label, label) for label in labels]


def _read_map(folder: Path, name: str) -> dict[str, str]:
    if Path(name).name != name or Path(name).suffix != ".json":
        raise ConfigError(f"label_map: {name}: name a .json file in {folder}")
    try:
        return TypeAdapter(dict[str, str]).validate_python(
            parse_json(read_text(folder / name, "label map")), strict=True
        )
    except ValueError:
        raise ConfigError(
            f"{folder / name} is no label map: write a JSON object such as "
            '{"sofa": "couch", "tvmonitor": "tv"}'
        ) from None


def words_to_find(labels: str, grammar: str) -> tuple[str, ...]:
    """List what a detector is to look for."""
    if bool(labels) == bool(grammar):
        raise ConfigError(
            "a zero-shot detector needs to know what to look for: give it the option labels "
            '("sea otter, lawn mower") or the option grammar (the name of one), not both'
        )
    if labels:
        words = [" ".join(word.split()) for word in labels.split(",")]
    else:
        spoken = load_grammar(grammar)
        objects = [axis for axis in spoken.axes if axis.kind.has_objects]
        words = [label for axis in objects for value in axis.values for label in value.labels]
        words += spoken.people
    found = tuple(dict.fromkeys(filter(None, words)))
    if not found:
        raise ConfigError(f"there is no label in '{labels or grammar}': name at least one")
    return found


def phrase_of(text: str, words: Sequence[str]) -> str | None:
    """Find the word that a detector's answer means."""
    said = text.replace("##", "").replace(".", " ")
    best = max(words, key=lambda word: _likeness(said, word))
    return best if _likeness(said, best) > 0 else None


def _likeness(said: str, word: str) -> float:
    """Share of equal parts of two phrases, 0 to 1."""
    these, those = (set(re.sub(r"[\W_]+", " ", text).lower().split()) for text in (said, word))
    return len(these & those) / max(1, len(these | those))
