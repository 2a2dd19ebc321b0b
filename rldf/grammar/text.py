"""The text of a grammar file with its values in another order; comments and layout stay."""

from collections.abc import Iterator, Mapping, Sequence

import yaml

from rldf.errors import GrammarError
from rldf.grammar.grammar import check_grammar
from rldf.grammar.subset import with_values

_Item = tuple[yaml.ScalarNode, yaml.Node]


def reordered(text: str, orders: Mapping[str, Sequence[str]]) -> str:
    """Move the values of axes to other places in a file.

    A line of comment above a value moves with it.
    """
    text = text if text.endswith("\n") else text + "\n"
    before, _ = check_grammar(text)
    assert before is not None, "the file was loaded"
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    axes = _items(_items(root)["axes"][1])
    lists = {symbol: axes[symbol][1] for symbol in orders}
    for symbol, node in lists.items():
        if "from" in (keys := _items(node)):
            source = keys["from"][1].value
            raise GrammarError(f"axis {symbol} takes its values from {source}: order that axis")
    # From the end on, so that the places before a change stay valid.
    for symbol, node in sorted(lists.items(), key=lambda one: -one[1].start_mark.index):
        text = _moved(text, _items(_items(node)["values"][1]), orders[symbol])
    after, _ = check_grammar(text)
    if after != with_values(before, orders):
        raise GrammarError(
            "the values of this file cannot be moved by lines: write one value a line, without "
            "anchors, or leave --out out and move them by hand"
        )
    return text


def _items(node: yaml.Node | None) -> dict[str, _Item]:
    assert isinstance(node, yaml.MappingNode), "a grammar file holds records here"
    return {key.value: (key, child) for key, child in node.value}


def _moved(text: str, items: Mapping[str, _Item], order: Sequence[str]) -> str:
    spans = dict(zip(items, _spans(text, list(items.values())), strict=True))
    pieces = [text[start:end] for start, end in (spans[name] for name in order)]
    for (start, end), piece in reversed(list(zip(spans.values(), pieces, strict=True))):
        text = text[:start] + piece + text[end:]
    return text


def _spans(text: str, items: Sequence[_Item]) -> Iterator[tuple[int, int]]:
    """Give the part of the text of each value: its lines, or what it has of a line with others."""
    lines = [key.start_mark.line for key, _ in items]
    if len(set(lines)) < len(lines):
        yield from ((key.start_mark.index, child.end_mark.index) for key, child in items)
        return
    rows = text.splitlines(keepends=True)
    begins = [0]
    for row in rows:
        begins.append(begins[-1] + len(row))
    firsts = [_with_comments(rows, line) for line in lines]
    ends = [*firsts[1:], _last_line(rows, items[-1]) + 1]
    for first, end in zip(firsts, ends, strict=True):
        yield begins[first], begins[end]


def _with_comments(rows: Sequence[str], line: int) -> int:
    while line > 0 and rows[line - 1].lstrip().startswith("#"):
        line -= 1
    return line


def _last_line(rows: Sequence[str], item: _Item) -> int:
    """Find the last line of a value; what stands between it and the next section is not its."""
    key, child = item
    line = child.end_mark.line if child.end_mark.column > 0 else child.end_mark.line - 1
    indent = key.start_mark.column
    while line > key.start_mark.line and _outside(rows[line], indent):
        line -= 1
    return line


def _outside(row: str, indent: int) -> bool:
    bare = row.strip()
    return not bare or bare.startswith("#") or len(row) - len(row.lstrip()) <= indent
