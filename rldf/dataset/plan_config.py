"""What decides a plan: checked where it is made and where it is read back."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from rldf.dataset.class_axis import object_axis
from rldf.dataset.classes import Label
from rldf.dataset.presets import Preset
from rldf.dataset.splits import MOST
from rldf.errors import RldfError, RunError
from rldf.grammar.grammar import Grammar
from rldf.io.yaml import problems_of


class PlanConfig(BaseModel):
    """Everything that decides a plan and, with the generator, the images.

    Attributes:
        version: of the rules by which a plan follows from this.
        classes: sorted by key.
        splits: images of a class by split.
        preset: how axes are sampled, and what the generator is given.
        grammar: whose sentences, the classes among its nouns.
        models: identity of what draws.
        seed: any whole number.
        image_format: of the files; their extension.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Literal[1] = 1
    classes: tuple[Label, ...] = Field(min_length=1)
    splits: dict[Literal["train", "val", "test"], Annotated[int, Field(ge=1, le=MOST)]] = Field(
        min_length=1
    )
    preset: Preset
    grammar: Grammar
    models: dict[str, JsonValue]
    seed: int
    image_format: Literal["jpg", "png"] = "jpg"

    @model_validator(mode="after")
    def _check(self) -> Self:
        keys = [label.key for label in self.classes]
        if keys != sorted(set(keys)):
            raise ValueError("classes: keys are sorted, each stands once")
        if len({key.casefold() for key in keys}) < len(keys):
            raise ValueError("classes: two keys differ in capitals alone, and may be one folder")
        try:
            axis = self.grammar.axes[object_axis(self.grammar)]
            for label in self.classes:
                axis.index(label.noun)
        except RldfError as error:
            raise ValueError(str(error)) from None
        if not _derives(self.grammar):
            raise ValueError("grammar: some of its vectors derive no sentence")
        return self

    @property
    def per_class(self) -> int:
        """Images of a class in all its splits."""
        return sum(self.splits.values())

    def summary(self) -> dict[str, Any]:
        """Describe the configuration so that people can compare two of them.

        Returns:
            As JSON can say it: what is long is counted and summed up.
        """
        named = [(label.key, label.name, label.noun) for label in self.classes]
        return {
            "version": self.version,
            "classes": len(self.classes),
            "class list": _sum(named),
            "splits": dict(self.splits),
            "preset": self.preset.name,
            "preset rules": _sum(self.preset.model_dump(mode="json")),
            "grammar": self.grammar.name,
            "grammar words": _sum(self.model_dump(mode="json", include={"grammar"})),
            "models": self.models,
            "seed": self.seed,
            "image_format": self.image_format,
        }


def _derives(grammar: Grammar) -> bool:
    """Tell whether every vector derives a sentence: a stranger's grammar was never checked."""
    axes = grammar.axes
    numbers = {n for slot in grammar.slots for n in (slot.axis, slot.agrees) if n is not None}
    if not numbers <= set(range(len(axes))) or not all(axis.values for axis in axes):
        return False
    for slot in grammar.slots:
        texts = [slot.forms] if slot.axis is None else [v.forms for v in axes[slot.axis].values]
        asked = [""] if slot.agrees is None else [v.form or "" for v in axes[slot.agrees].values]
        if any(not forms.keys() & {form, ""} for forms in texts for form in asked):
            return False
    return True


def _sum(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def read_config(record: Mapping[str, Any], source: str) -> PlanConfig:
    """Read a configuration that a file holds.

    Args:
        record: what `PlanConfig.model_dump(mode="json")` gave, once read back.
        source: the file, for messages.

    Returns:
        The configuration.

    Raises:
        RunError: it is damaged.
    """
    try:
        return PlanConfig.model_validate_json(json.dumps(record))
    except ValidationError as error:
        problem = problems_of(error)[0]
    except (TypeError, ValueError) as error:
        problem = str(error)
    raise RunError(f"the plan in {source} is damaged: {problem}")
