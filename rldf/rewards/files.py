"""Reward files (`rewards/*.yaml`): each names a reward with its constants, or a weighted sum."""

import inspect
import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image
from pydantic import Field

from rldf import registry as catalog
from rldf.errors import ConfigError
from rldf.interfaces import Reward
from rldf.io.resources import find, names
from rldf.io.yaml import Strict, load_yaml
from rldf.rewards.context import RewardContext

_MOST_PARTS = 32  # each part names a file, which is loaded


class PartFile(Strict):
    """One summand of a combined reward."""

    reward: str
    weight: float = 1.0


class RewardFile(Strict):
    """The content of a reward file."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    description: str = ""
    kind: str = Field(alias="class")
    constants: dict[str, float] = Field(default_factory=dict)
    parts: tuple[PartFile, ...] = Field(default=(), max_length=_MOST_PARTS)


def load_reward_file(name_or_path: str) -> RewardFile:
    """Load and check a reward file and the files of its parts."""
    path = find("rewards", name_or_path)
    if path is None:
        raise ConfigError(
            f"no reward '{name_or_path}': name one of {', '.join(names('rewards'))}, "
            "or give a path that ends in .yaml"
        )
    file = load_yaml(RewardFile, path, "reward")
    problems = _problems(file)
    if problems:
        raise ConfigError(f"reward {path}: " + "; ".join(problems))
    return file


def build_reward(file: RewardFile, context: RewardContext) -> Reward:
    """Make the reward that a file describes."""
    maker = catalog.find("rewards", file.kind)
    if file.kind == "combined":
        parts = [
            (build_reward(load_reward_file(part.reward), context), part.weight)
            for part in file.parts
        ]
        return _Finite(cast(Reward, maker(parts)), file.name)
    return _Finite(cast(Reward, maker(context, **file.constants)), file.name)


class _Finite:
    """A reward that raises an error instead of returning NaN or infinity."""

    def __init__(self, reward: Reward, name: str) -> None:
        self._reward, self._name = reward, name

    def __call__(self, images: Sequence[Image]) -> NDArray[np.float64]:
        scores = self._reward(images)
        if not np.isfinite(scores).all():
            raise ConfigError(
                f"reward {self._name} returned a score that is not finite: correct its "
                "class or its file"
            )
        return scores


def resolved(file: RewardFile) -> dict[str, Any]:
    """Return the content of a reward file as JSON, with the contents of the files of its parts."""
    plain = file.model_dump(mode="json", by_alias=True)
    parts = {
        str(number): part.model_dump(mode="json")
        | {"file": resolved(load_reward_file(part.reward))}
        for number, part in enumerate(file.parts)
    }
    return plain | {"parts": parts}


def _problems(file: RewardFile) -> list[str]:
    try:
        maker = catalog.find("rewards", file.kind)
    except ConfigError as error:
        return [f"class: {error}"]
    problems = [
        f"constants.{name}: must be a finite number"
        for name, value in file.constants.items()
        if not math.isfinite(value)
    ]
    if file.kind == "combined":
        return problems + _part_problems(file)
    known = [name for name in inspect.signature(maker).parameters if name != "context"]
    problems += [
        f"constants.{name}: {file.kind} takes {', '.join(known) or 'no constants'}"
        for name in file.constants
        if name not in known
    ]
    if file.parts:
        problems.append("parts: only class combined has parts")
    return problems


def _part_problems(file: RewardFile) -> list[str]:
    problems = [] if file.parts else ["parts: a combined reward needs at least one part"]
    if file.constants:
        problems.append("constants: a combined reward has weights instead")
    for i, part in enumerate(file.parts):
        if not math.isfinite(part.weight):
            problems.append(f"parts.{i}.weight: must be a finite number")
        try:
            path = find("rewards", part.reward)
            nested = path is not None and load_yaml(RewardFile, path, "reward").kind == "combined"
            if nested:
                problems.append(f"parts.{i}.reward: a part may not be a combined reward itself")
            else:
                load_reward_file(part.reward)
        except ConfigError as error:
            problems.append(f"parts.{i}.reward: {error}")
    return problems
