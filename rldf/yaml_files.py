"""YAML that people write: loaded safely, checked by pydantic, all problems told at once.

YAML 1.1 reads a bare `no`, `on` or `yes` as a truth value, and "no" is a word of the paper's
grammar; here only `true` and `false` are. A key that stands twice is an error, not a silent loss.
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from rldf.errors import ConfigError

M = TypeVar("M", bound=BaseModel)

_MAX_BYTES = 4_000_000


class Strict(BaseModel):
    """A record of a YAML file: unknown keys are errors and nothing is changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Loader(yaml.SafeLoader):
    """A safe loader without YAML 1.1's truth words; remembers keys that stand twice."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.repeated: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)  # type: ignore[no-untyped-call]
            if isinstance(key, Hashable) and key in seen:
                self.repeated.append(f"line {key_node.start_mark.line + 1}: '{key}' stands twice")
            seen.add(key) if isinstance(key, Hashable) else None
        return super().construct_mapping(node, deep=deep)


_BOOL = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, regexp) for tag, regexp in resolvers if tag != _BOOL or first in "tTfF"
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse_yaml(text: str) -> tuple[object, list[str]]:
    """Parses one YAML document.

    Args:
        text: The document.

    Returns:
        The data, and one sentence for every key that stands twice.

    Raises:
        yaml.YAMLError: If the text is not YAML, or uses a tag that is not plain data.
    """
    loader = _Loader(text)
    try:
        return loader.get_single_data(), loader.repeated  # type: ignore[no-untyped-call]
    finally:
        loader.dispose()  # type: ignore[no-untyped-call]


def read_text(path: Path, what: str) -> str:
    """Reads a small text file that a person wrote.

    Args:
        path: The file.
        what: What the file is to hold, for the message ("grammar").

    Returns:
        Its text.

    Raises:
        ConfigError: If it cannot be read, is no UTF-8 text, or is larger than 4 MB.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{what} {path} is larger than {_MAX_BYTES} bytes")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{what} {path} is not a text file in UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{what} {path} cannot be read: {error.strerror}") from None


def problems_of(error: ValidationError) -> list[str]:
    """Lists what pydantic found, one line a problem with its dotted path.

    Args:
        error: What the validation raised.

    Returns:
        Lines such as "axes.Noun.values.cat.labels: Field required".
    """
    return [
        f"{'.'.join(str(part) for part in issue['loc']) or 'file'}: "
        + issue["msg"].removeprefix("Value error, ")
        for issue in error.errors()
    ]


def validate_yaml(model: type[M], text: str) -> tuple[M | None, list[str]]:
    """Parses and validates one YAML document.

    Args:
        model: The record it must fit.
        text: The document.

    Returns:
        The record (None if it does not fit) and every problem, one line each.
    """
    try:
        data, problems = parse_yaml(text)
    except yaml.YAMLError as error:
        return None, ["not valid YAML: " + " ".join(str(error).split())]
    try:
        return model.model_validate(data), problems
    except ValidationError as error:
        return None, problems + problems_of(error)


def load_yaml(model: type[M], path: Path, what: str) -> M:
    """Loads and validates a YAML file.

    Args:
        model: The record it must fit.
        path: The file.
        what: What the file holds, for messages ("reward").

    Returns:
        The record.

    Raises:
        ConfigError: With every problem at once, if the file is unreadable or does not fit.
    """
    record, problems = validate_yaml(model, read_text(path, what))
    if record is None or problems:
        raise ConfigError(f"{what} {path}: " + "; ".join(problems))
    return record
