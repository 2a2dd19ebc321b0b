"""Labels of detectors and classifiers: label maps, words of zero-shot detectors, placeholders.

A label map is a JSON file beside a model that renames the model's labels, such as to a grammar's.
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
    """Raise `ConfigError` if all labels are placeholders such as LABEL_0 or class0."""
    own = list(dict.fromkeys(labels))
    if all(_PLACEHOLDER.fullmatch(label.strip()) for label in own):
        raise ConfigError(
            f"{model}: its labels are not readable names ({shown(own)}): set the option "
            'label_map to a JSON file in its folder that holds, say, {"LABEL_0": "beach"}'
        )


def read_labels(folder: Path, id2label: Mapping[int, str], label_map: str) -> list[str]:
    """Return a transformers model's labels in the order of its outputs.

    Args:
        folder: the model's folder.
        id2label: label by output number, from the folder's config.json.
        label_map: name of a JSON file in the folder that renames labels; "" for none.

    Raises:
        ConfigError: if labels are missing or placeholders, or the label map is wrong.
    """
    own = [id2label.get(i) for i in range(len(id2label))]
    labels = [label for label in own if isinstance(label, str)]
    if len(labels) < len(own) or not own:
        raise ConfigError(
            f"{folder}: id2label in config.json lacks labels: name one for each number from 0 on"
        )
    named = mapped(folder, labels, label_map)
    refuse_placeholders(named, str(folder))
    return named


def mapped(folder: Path, labels: Sequence[str], label_map: str) -> list[str]:
    """Return labels renamed by a label map; labels that it lacks keep their names."""
    names = _read_map(folder, label_map) if label_map else {}
    unknown = sorted(names.keys() - set(labels))
    if unknown:
        raise ConfigError(
            f"{folder / label_map}: the model has no label '{unknown[0]}': rename only its labels, "
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
    """Return the words that a zero-shot detector looks for.

    Args:
        labels: the words, separated by commas; "" to take them from a grammar.
        grammar: the grammar whose labels of objects and people are the words; "" for none.

    Raises:
        ConfigError: if not exactly one of the two is given, or there is no word.
    """
    if bool(labels) == bool(grammar):
        raise ConfigError(
            "a zero-shot detector needs words to look for: set either its option labels, such as "
            '"sea otter, lawn mower", or its option grammar, the name of a grammar'
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
        raise ConfigError(f"'{labels or grammar}' has no label to look for: name at least one")
    return found


def phrase_of(text: str, words: Sequence[str]) -> str | None:
    """Return the word that shares most parts with a detector's answer; None if none shares any."""
    said = text.replace("##", "").replace(".", " ")
    best = max(words, key=lambda word: _likeness(said, word))
    return best if _likeness(said, best) > 0 else None


def _likeness(said: str, word: str) -> float:
    """Return the number of common words of two phrases / the number of all words in them."""
    these, those = (set(re.sub(r"[\W_]+", " ", text).lower().split()) for text in (said, word))
    return len(these & those) / max(1, len(these | those))
