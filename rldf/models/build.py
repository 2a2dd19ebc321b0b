"""Makes the model of one part of a model set: checks the options, then calls the part's class.

The signature of the class's constructor states which options it takes, their types and bounds.
"""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from rldf import registry as catalog
from rldf.interfaces import ImageGenerator
from rldf.io.distributed import resolve
from rldf.models.safety import check_model
from rldf.models.schema import ROLES, PartFile

_GIVEN = ("path", "device", "clip", "weights", "send_key")  # by the model set, never by the options


def takes(role: str, part: PartFile) -> set[str]:
    """Return the names of the constructor parameters of a part's class."""
    return set(inspect.signature(_maker(role, part)).parameters)


def problem_of(role: str, part: PartFile, path: Path | None) -> str | None:
    """Describe what is wrong with a part's options, components or path; None if nothing is."""
    known = dict(inspect.signature(_maker(role, part), eval_str=True).parameters)
    if known["path"].default is inspect.Parameter.empty and path is None:
        return f"{role} has no path, which class {part.kind} needs: add path or id"
    if role == "generator" and not _is_generator(_maker(role, part), known):
        return (
            f"generator class {part.kind} must subclass rldf.interfaces.ImageGenerator and take "
            "`weights`, the checksum of its files: see docs/generators.md"
        )
    strange = [
        f"no {name}; {part.kind} takes none" for name in part.components if name not in known
    ]
    if strange:
        return f"{role}.components: {'; '.join(strange)}"
    own = {name: value for name, value in known.items() if name not in (*_GIVEN, *part.components)}
    wrong = [
        problem
        for option, value in part.settings.items()
        if (problem := _problem(option, value, own, part.kind))
    ]
    return f"{role}.options: {'; '.join(wrong)}" if wrong else None


def build(
    role: str,
    part: PartFile,
    path: Path | None,
    extras: Mapping[str, Path],
    device: str,
    clip: Callable[[], Any],
    weights: Callable[[], str | None],
    send_key: Callable[[], bool],
) -> Any:
    """Make a part's model, after `problem_of` has returned None for it."""
    for files in (path, *extras.values()):
        if files is not None:
            check_model(files)
    maker = _maker(role, part)
    asked = {"clip": clip, "weights": weights, "send_key": send_key}
    given = {name: asked[name]() for name in asked if name in takes(role, part)}
    return maker(path=path, device=resolve(device), **given, **extras, **part.settings)


def _problem(
    option: str, value: object, known: Mapping[str, inspect.Parameter], kind: str
) -> str | None:
    """Check an option against the annotation of its parameter; None if it is allowed."""
    if option not in known:
        return f"no {option}; {kind} takes {', '.join(sorted(known)) or 'none'}"
    annotation = known[option].annotation
    if annotation is inspect.Parameter.empty:  # of an outsider's class
        return None
    try:
        TypeAdapter(annotation).validate_python(value, strict=True)
    except ValidationError as error:
        said = error.errors(include_url=False, include_input=False)[0]["msg"]
        return f"{option}: {value}: {said}"
    return None


def _is_generator(maker: Any, known: Mapping[str, inspect.Parameter]) -> bool:
    """Return whether a class subclasses `ImageGenerator` and takes the parameter `weights`."""
    return ImageGenerator in maker.__mro__ and "weights" in known


def _maker(role: str, part: PartFile) -> Any:
    return catalog.find(ROLES[role], part.kind)
