"""The parts of a grammar: axes, their values in order, and the places of the start rule."""

from dataclasses import dataclass

from rldf.errors import GrammarError
from rldf.grammar.axis_kinds import AxisKind, kind_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One word of an axis.

    Attributes:
        name: what the value is called in derivations.
        forms: surface form by agreement form; the key "" serves every form.
        labels: labels of the detector or the scene classifier that mean this value.
        count: lowest and highest count (None: no limit) of a count axis.
        form: the form that this value asks of the symbols that agree with its axis.
        wnid: the ImageNet (ILSVRC-1k) class of this value, if it is one.
    """

    name: str
    forms: dict[str, str]
    labels: tuple[str, ...] = ()
    count: tuple[int, int | None] | None = None
    form: str | None = None
    wnid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis of the grid.

    Attributes:
        symbol: its pre-terminal in the productions.
        reads: what of an image it holds, the name of a kind.
        rank: which object it reads: 1 the dominant one, 2 the next.
        values: in order of semantic locality: index i of an encoding is values[i].
        when: the axis that decides whether this one has a meaning, and those of its values with
            which it has one; None: always.
    """

    symbol: str
    reads: str
    rank: int
    values: tuple[Value, ...]
    when: tuple[str, tuple[str, ...]] | None = None

    @property
    def kind(self) -> AxisKind:
        """Its kind."""
        return kind_of(self.reads)

    def index(self, name: str) -> int:
        """Find a value by name."""
        for i, value in enumerate(self.values):
            if value.name == name:
                return i
        known = ", ".join(value.name for value in self.values)
        raise GrammarError(f"axis {self.symbol} has no value '{name}'; it has: {known}")

    def value_of_label(self) -> dict[str, int]:
        """Invert the label mapping."""
        return {label: i for i, value in enumerate(self.values) for label in value.labels}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One place of the flattened start rule: an axis (by number) or a fixed terminal.

    Attributes:
        axis: number of the axis, or None for a terminal.
        forms: surface forms of the terminal (empty for an axis).
        agrees: number of the axis that chooses the form, or None.
        omit: the cases in which a terminal leaves no words: each names axes, and the values that
            all of them have then.
    """

    axis: int | None
    forms: dict[str, str]
    agrees: int | None
    omit: tuple[tuple[tuple[str, tuple[str, ...]], ...], ...] = ()
