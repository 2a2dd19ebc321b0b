"""Loads YAML files of users safely and checks them by pydantic; an error lists all problems.

YAML 1.1 reads a bare `no`, `on` or `yes` as a boolean, and "no" is a word of the paper's grammar.
Here only `true` and `false` are booleans. A repeated key is an error.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from rldf.errors import ConfigError

M = TypeVar("M", bound=BaseModel)

_MAX_BYTES = 4_000_000


class Strict(BaseModel):
    """A record of a file: unknown keys are errors, and its attributes cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Loader(yaml.SafeLoader):
    """A safe loader for which only `true` and `false` are booleans."""


_BOOL = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != _BOOL or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse_yaml(text: str) -> tuple[object, list[str]]:
    """Return the content of a YAML document, and a problem for each repeated key."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, []
        problems = list(_repeated_keys(node, (), set()))
        return loader.construct_document(node), problems
    except RecursionError:
        raise yaml.YAMLError("nested too deeply") from None
    except ValueError as error:  # such as the 31st of February
        raise yaml.YAMLError(str(error)) from None
    finally:
        loader.dispose()


def _repeated_keys(node: yaml.Node, path: tuple[str, ...], seen: set[int]) -> Iterator[str]:
    """Yield a problem for each repeated key.

    Each node is visited once, as an anchor may be used a million times, or inside itself.
    """
    if id(node) in seen or not isinstance(node, yaml.CollectionNode):
        return
    seen.add(id(node))
    if not isinstance(node, yaml.MappingNode):
        for i, child in enumerate(node.value):
            yield from _repeated_keys(child, (*path, str(i)), seen)
        return
    names = set()
    for key, child in node.value:
        at = (*path, str(key.value))
        if at in names:
            yield f"{'.'.join(at)}: is there twice (line {key.start_mark.line + 1})"
        names.add(at)
        yield from _repeated_keys(child, at, seen)


def read_text(path: Path, what: str) -> str:
    """Read a small text file in UTF-8; ConfigError, which begins with `what`, if that fails."""
    try:
        with path.open("rb") as file:  # a device has no size, so read up to the limit
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise ConfigError(f"{what} {path} is larger than {_MAX_BYTES} bytes: shorten it")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{what} {path} is not a text file in UTF-8: save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{what} {path} cannot be read: {error.strerror}") from None


def problems_of(error: ValidationError) -> list[str]:
    """Return the problems that pydantic found, each in one line with the dotted path."""
    return [
        f"{'.'.join(str(part) for part in issue['loc']) or 'file'}: "
        + _WORDS.get(issue["type"], issue["msg"].removeprefix("Value error, "))
        for issue in error.errors(include_url=False, include_input=False)
    ]


_WORDS = {"extra_forbidden": "unknown key", "missing": "is missing"}


def validate_yaml(model: type[M], text: str) -> tuple[M | None, list[str]]:
    """Return the record of a YAML document, None if it is invalid, and all problems."""
    try:
        data, problems = parse_yaml(text)
    except yaml.YAMLError as error:
        return None, ["not valid YAML: " + " ".join(str(error).split())]
    try:
        return model.model_validate(data), problems
    except ValidationError as error:
        problems += problems_of(error)
        _drop_unknown_keys(data, error)
    try:
        return model.model_validate(data), problems
    except ValidationError:
        return None, problems


def _drop_unknown_keys(data: Any, error: ValidationError) -> None:
    for issue in error.errors(include_url=False, include_input=False):
        if issue["type"] == "extra_forbidden":
            *way, key = issue["loc"]
            place = data
            for part in way:
                place = place[part]
            # An anchor may hold the same unknown key in several places.
            place.pop(key, None)


def load_yaml(model: type[M], path: Path, what: str) -> M:
    """Load a YAML file; ConfigError with all problems, which begins with `what`, if any."""
    record, problems = validate_yaml(model, read_text(path, what))
    if record is None or problems:
        raise ConfigError(f"{what} {path}: " + "; ".join(problems))
    return record
