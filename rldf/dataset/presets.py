"""Presets: rules for sampling the axes of a grammar, and options of the generator.

A preset is a file `presets/*.yaml` with two parts.

The first part is how each axis is sampled. The rule "even" gives every value the same share;
"first" gives all images the first value; a number is the share of the first value, and the others
share the rest evenly; a list is the values to use, and a value that it names twice is used twice as
often; "A .. B" in a list means all values from A to B. The rule of an axis is the first found
under: the class's kind and the axis's symbol; the symbol and the axis of its condition ("Gender
when Density"); the symbol; what the axis reads ("companion" for an object axis of rank 2 or more).
Without a rule all images have the first value. The first object axis has the class's noun and is
not sampled.

Rules by kind come from `plausible.yaml`, too; those of the preset have priority.

The second part is guidance and negative prompt of the generator. An option in the model set's file
has priority; the preset sets only options that the file leaves open and the generator has. So the
pocket models keep the guidance that they were trained for and get no negative prompt, as their
vocabulary has no words for one.
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
        name: name of the preset, as in `--preset NAME`.
        description: one line for lists of presets.
        guidance: classifier-free guidance scale, if the model set's file states none.
        negative_prompt: what images should not show, if the model set's file states none.
        definitions: whether a class's sentences contain its WordNet definition.
        axes: rule by an axis's symbol, by "SYMBOL when OTHER" (OTHER is the axis of its
            condition), or by what the axis reads.
        kinds: rule by axis symbol, for each kind of classes.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    description: str = ""
    guidance: float | None = Field(default=None, ge=0, le=100)
    negative_prompt: str | None = None
    definitions: bool = False
    axes: dict[str, Rule] = Field(default_factory=dict)
    kinds: dict[str, dict[str, Rule]] = Field(default_factory=dict)

    def block(self, axis: Axis, kind: str) -> tuple[int, ...]:
        """Return the block in which an axis is sampled: value indices, repeated by share."""
        rule = self._rule(axis, kind)
        if rule == "first":
            return (0,)
        if isinstance(rule, tuple):
            named = spanned(rule, [value.name for value in axis.values])
            number = {value.name: i for i, value in enumerate(axis.values)}
            kept = tuple(sorted(number[name] for name in named if name in number))
            # without a known value, the rule is for another grammar's axis with this symbol
            return kept or weighted(len(axis.values), None)
        return weighted(len(axis.values), None if rule == "even" else rule)

    def _rule(self, axis: Axis, kind: str) -> Rule:
        reads = axis.kind.preset_name(axis.reads)
        said = {reads: self.axes.get(reads, "first")} | self.axes | self.kinds.get(kind, {})
        keys = [axis.symbol, reads]
        if axis.when is not None and axis.symbol not in self.kinds.get(kind, {}):
            keys.insert(0, f"{axis.symbol} when {axis.when[0]}")
        return next(said[key] for key in keys if key in said)


class PlausibleFile(Strict):
    """The content of `plausible.yaml`.

    Attributes:
        groups: lists of values by the group's name, which a rule may use in their place.
        kinds: for each kind of classes, the rules by axis symbol, and its nouns as "nouns".
    """

    groups: dict[str, tuple[str, ...]]
    kinds: dict[str, dict[str, Rule]]

    def nouns(self, kind: str) -> tuple[str, ...]:
        """Return the nouns of a kind as the file lists them, with spans "A .. B"."""
        named = self.kinds[kind].get("nouns", ())
        assert isinstance(named, tuple), "nouns are a list"
        return named

    def rules(self) -> dict[str, dict[str, Rule]]:
        """Return the rules by kind and axis symbol, with groups replaced by their values."""
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
    """Load `plausible.yaml`."""
    return load_yaml(PlausibleFile, Path(__file__).parent / "plausible.yaml", "plausible values")


def kind_of_noun(noun: str, nouns: Axis) -> str:
    """Return the kind of a noun by `plausible.yaml`; "" if it has none."""
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
        raise ConfigError(
            f"there is no preset '{name}': type --preset {' or '.join(preset_names())}"
        )
    preset = load_yaml(Preset, _FOLDER / f"{name}.yaml", "preset")
    kinds = plausible().rules()
    own = {kind: kinds.get(kind, {}) | rules for kind, rules in preset.kinds.items()}
    return preset.model_copy(update={"kinds": kinds | own})


def with_preset(models: ModelSet, preset: Preset) -> ModelSet:
    """Return a model set with the preset's generator options that its file leaves open."""
    wanted: Mapping[str, float | str | None] = {
        "guidance": preset.guidance,
        "negative_prompt": preset.negative_prompt,
    }
    given = {option: value for option, value in wanted.items() if value is not None}
    return models.filled("generator", given)
