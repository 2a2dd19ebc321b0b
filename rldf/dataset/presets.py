"""Presets: what makes the images of a clone vary, and how the generator is asked for them.

A preset (`presets/*.yaml`) says two things.

How an axis of the grammar is sampled: "even" gives every value the same share, "first" keeps the
first, a number is the share of the first value (the rest is even), and a list keeps to its values,
evenly. The rule is looked up by the class's kind and the axis's symbol, by the symbol, then by what
the axis reads ("companion" for an object axis of rank 2 and more); without a rule the first value
stays. The first object axis holds the class and is never sampled.

What the generator is given: guidance and negative prompt. The model set comes first: what its file
states stays, the preset fills in what the file leaves open and the generator takes. So the pocket
models keep the guidance that they were trained for, and take no negative prompt, which their few
words could not say.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from rldf.dataset.sampling import weighted
from rldf.errors import ConfigError
from rldf.grammar.axes import Axis
from rldf.io.yaml import Strict, load_yaml
from rldf.models.model_set import ModelSet

_FOLDER = Path(__file__).parent / "presets"

_Share = Annotated[float, Field(gt=0.005, lt=0.995)]
Rule = Literal["even", "first"] | _Share | tuple[str, ...]


class Preset(Strict):
    """A preset file.

    Attributes:
        name: what people type.
        description: one line for lists.
        guidance: classifier-free guidance scale, for generators whose file states none.
        negative_prompt: what not to draw, likewise.
        definitions: whether WordNet's definition of a class stands in its sentences.
        axes: rule by an axis's symbol or by what it reads.
        kinds: rule by symbol, by the kind of a class.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    description: str = ""
    guidance: float | None = Field(default=None, ge=0, le=100)
    negative_prompt: str | None = None
    definitions: bool = False
    axes: dict[str, Rule] = Field(default_factory=dict)
    kinds: dict[str, dict[str, Rule]] = Field(default_factory=dict)

    def block(self, axis: Axis, kind: str) -> tuple[int, ...]:
        """Return the block in which an axis is sampled: indices of its values, as often as due."""
        rule = self._rule(axis, kind)
        if rule == "first":
            return (0,)
        if isinstance(rule, tuple):
            kept = tuple(i for i, value in enumerate(axis.values) if value.name in rule)
            return kept or weighted(len(axis.values), None)  # another grammar's axis of that name
        return weighted(len(axis.values), None if rule == "even" else rule)

    def _rule(self, axis: Axis, kind: str) -> Rule:
        reads = axis.kind.preset_name(axis.reads)
        of_kind = self.kinds.get(kind, {})
        return of_kind.get(axis.symbol, self.axes.get(axis.symbol, self.axes.get(reads, "first")))


def preset_names() -> list[str]:
    """Return the names of the presets, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


@cache
def load_preset(name: str) -> Preset:
    """Load a preset; ConfigError if there is none of that name."""
    if name not in preset_names():
        raise ConfigError(f"no preset '{name}': type --preset {' or '.join(preset_names())}")
    return load_yaml(Preset, _FOLDER / f"{name}.yaml", "preset")


def with_preset(models: ModelSet, preset: Preset) -> ModelSet:
    """Fill in a model set's generator options that its file leaves open."""
    wanted: Mapping[str, float | str | None] = {
        "guidance": preset.guidance,
        "negative_prompt": preset.negative_prompt,
    }
    given = {option: value for option, value in wanted.items() if value is not None}
    return models.filled("generator", given)
