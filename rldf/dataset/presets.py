"""Presets: what makes the images of a clone vary, and how the generator is asked for them.

A preset (`presets/*.yaml`) says two things.

How an axis of the grammar is sampled: "even" gives every value the same share, "first" keeps the
first, a number is the share of the first value (the rest is even), and a list keeps to its values,
each as often as it is named; "A .. B" stands for those from A to B. The rule is looked up by the
class's kind and the axis's symbol, by the symbol and the axis that its condition is on ("Gender
when Density"), by the symbol, then by what the axis reads ("companion" for an object axis of rank 2
and more); without a rule the first value stays. The first object axis holds the class and is never
sampled.

What is plausible for a kind (`plausible.yaml`) stands beside the preset's own rules by kind, which
come first.

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
from rldf.grammar.schema import spanned
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
        axes: rule by an axis's symbol, with or without " when " and the axis that its condition is
            on, or by what it reads.
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
            named = spanned(rule, [value.name for value in axis.values])
            number = {value.name: i for i, value in enumerate(axis.values)}
            kept = tuple(sorted(number[name] for name in named if name in number))
            return kept or weighted(len(axis.values), None)  # another grammar's axis of that name
        return weighted(len(axis.values), None if rule == "even" else rule)

    def _rule(self, axis: Axis, kind: str) -> Rule:
        reads = axis.kind.preset_name(axis.reads)
        said = {reads: self.axes.get(reads, "first")} | self.axes | self.kinds.get(kind, {})
        keys = [axis.symbol, reads]
        if axis.when is not None and axis.symbol not in self.kinds.get(kind, {}):
            keys.insert(0, f"{axis.symbol} when {axis.when[0]}")
        return next(said[key] for key in keys if key in said)


class PlausibleFile(Strict):
    """What `plausible.yaml` says.

    Attributes:
        groups: values by the name that stands for them.
        kinds: by kind, its nouns as `nouns` and the rules of axes by symbol.
    """

    groups: dict[str, tuple[str, ...]]
    kinds: dict[str, dict[str, Rule]]

    def nouns(self, kind: str) -> tuple[str, ...]:
        """List the nouns of a kind, spans among them."""
        named = self.kinds[kind].get("nouns", ())
        assert isinstance(named, tuple), "nouns are a list"
        return named

    def rules(self) -> dict[str, dict[str, Rule]]:
        """Give the rules by kind, with the values that groups stand for."""
        return {
            kind: {
                symbol: self._listed(rule) for symbol, rule in rules.items() if symbol != "nouns"
            }
            for kind, rules in self.kinds.items()
        }

    def _listed(self, rule: Rule) -> Rule:
        if not isinstance(rule, tuple):
            return rule
        return tuple(name for given in rule for name in self.groups.get(given, (given,)))


@cache
def plausible() -> PlausibleFile:
    """Load what is plausible for the kinds of classes."""
    return load_yaml(PlausibleFile, Path(__file__).parent / "plausible.yaml", "plausible values")


def kind_of_noun(noun: str, nouns: Axis) -> str:
    """Name the kind of a noun, "" where the table has none for it."""
    file, values = plausible(), [value.name for value in nouns.values]
    kinds = (kind for kind in file.kinds if noun in spanned(file.nouns(kind), values))
    return next(kinds, "")


def preset_names() -> list[str]:
    """Return the names of the presets, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


@cache
def load_preset(name: str) -> Preset:
    """Load a preset; ConfigError if there is none of that name."""
    if name not in preset_names():
        raise ConfigError(f"no preset '{name}': type --preset {' or '.join(preset_names())}")
    preset = load_yaml(Preset, _FOLDER / f"{name}.yaml", "preset")
    kinds = plausible().rules()
    own = {kind: kinds.get(kind, {}) | rules for kind, rules in preset.kinds.items()}
    return preset.model_copy(update={"kinds": kinds | own})


def with_preset(models: ModelSet, preset: Preset) -> ModelSet:
    """Fill in a model set's generator options that its file leaves open."""
    wanted: Mapping[str, float | str | None] = {
        "guidance": preset.guidance,
        "negative_prompt": preset.negative_prompt,
    }
    given = {option: value for option, value in wanted.items() if value is not None}
    return models.filled("generator", given)
