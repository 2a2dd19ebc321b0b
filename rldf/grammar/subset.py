"""Grammars with fewer values than another one, or with the same values in another order."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from rldf.errors import GrammarError, UsageError
from rldf.grammar.encoding import Encoding
from rldf.grammar.grammar import Grammar


def with_values(grammar: Grammar, values: Mapping[str, Sequence[str]]) -> Grammar:
    """Return a grammar whose axes have only the values listed, in the order of the list."""
    axes = list(grammar.axes)
    for symbol, names in values.items():
        axis = grammar.axis(symbol)
        if not names or len(set(names)) < len(names):
            raise GrammarError(f"axis {symbol}: give one or more of its values, each of them once")
        kept = tuple(axis.values[axis.index(name)] for name in names)
        axes[axes.index(axis)] = replace(axis, values=kept)
    return replace(grammar, axes=tuple(axes))


def frozen(grammar: Grammar, walked: Sequence[str], at: Encoding) -> Grammar:
    """Return a grammar in which every axis but the walked ones has a single value.

    Args:
        grammar: the grammar.
        walked: symbols of the axes that keep all their values.
        at: (n_axes,) the encoding with the single values of the other axes.
    """
    here = grammar.decode(at)
    return with_values(grammar, {s: [name] for s, name in here.items() if s not in walked})


def walked_axes(grammar: Grammar, text: str | None) -> tuple[str, ...]:
    """Parse and check the option `--axes`: the symbols of the axes that a search walks."""
    known = [axis.symbol for axis in grammar.axes]
    symbols = known if text is None else [part.strip() for part in text.split(",") if part.strip()]
    twice = [symbol for symbol, times in Counter(symbols).items() if times > 1]
    if not symbols or twice:
        problem = f"names {twice[0]} twice" if twice else "names no axis"
        raise UsageError(f"--axes '{text}' {problem}: give some of {','.join(known)}, each once")
    sizes = [len(grammar.axis(symbol).values) for symbol in symbols]
    if max(sizes) == 1:
        raise UsageError(
            f"--axes {','.join(symbols)}: grammar {grammar.name} has only one value there: add an "
            "axis with more values"
        )
    return tuple(symbol for symbol in known if symbol in symbols)
