"""What a model of transformers calls things, and other names for that from a file beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import TypeAdapter

from rldf.errors import ConfigError
from rldf.io.files import parse_json
from rldf.io.yaml import read_text
from rldf.perception.labels import refuse_placeholders


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
