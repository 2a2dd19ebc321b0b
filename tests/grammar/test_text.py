"""A grammar file with its values in another order."""

import pytest

from rldf.errors import GrammarError
from rldf.grammar.grammar import check_grammar
from rldf.grammar.subset import with_values
from rldf.grammar.text import reordered
from rldf.io.resources import find
from rldf.io.yaml import read_text

TEXT = """# head
name: small
productions: {S: Size Noun}
axes:
  Size: {reads: attribute, values: {no: {}, "on, or off": {text: on}, large: {}}}   # sizes
  Noun:
    reads: object
    values:
      # tame
      dog: {labels: [dog]}  # a friend
      cat:
        labels: [cat]

        text: kitty
      # wild
      wolf: {labels: [wolf]}

# the end
people: [person]
"""


def test_values_move_with_their_comments_and_all_else_stays():
    orders = {"Noun": ["wolf", "dog", "cat"], "Size": ["large", "no", "on, or off"]}
    found = reordered(TEXT, orders)
    assert (
        found
        == """# head
name: small
productions: {S: Size Noun}
axes:
  Size: {reads: attribute, values: {large: {}, no: {}, "on, or off": {text: on}}}   # sizes
  Noun:
    reads: object
    values:
      # wild
      wolf: {labels: [wolf]}
      # tame
      dog: {labels: [dog]}  # a friend
      cat:
        labels: [cat]

        text: kitty

# the end
people: [person]
"""
    )


def test_a_value_of_many_lines_at_the_end_of_the_file_moves_too():
    text = TEXT[: TEXT.index("      # wild")]
    found = reordered(text, {"Noun": ["cat", "dog"]})
    assert found.endswith(
        "        text: kitty\n      # tame\n      dog: {labels: [dog]}  # a friend\n"
    )


@pytest.mark.parametrize("name", ["base", "paper", "coco-places"])
def test_every_shipped_grammar_can_be_turned_round(name):
    text = read_text(find("grammars", name), "grammar")
    grammar, _ = check_grammar(text)
    free = [axis for axis in grammar.axes if not axis.reads.endswith("_count")]
    orders = {axis.symbol: [value.name for value in reversed(axis.values)] for axis in free}
    turned = reordered(text, orders)
    assert check_grammar(turned)[0] == with_values(grammar, orders) != grammar
    back = {axis.symbol: [value.name for value in axis.values] for axis in free}
    assert check_grammar(reordered(turned, back))[0] == grammar


def test_a_value_that_another_one_is_taken_from_cannot_move():
    text = TEXT.replace("no: {}, ", "no: &a {}, ").replace("large: {}", "large: *a")
    with pytest.raises(GrammarError, match="cannot be moved by lines"):
        reordered(text, {"Size": ["large", "no", "on, or off"]})


def test_a_last_line_without_its_end_is_no_trap():
    text = TEXT[: TEXT.index("\n\n# the end")]
    found = reordered(text, {"Noun": ["wolf", "dog", "cat"]})
    assert found.endswith("        text: kitty\n")


def test_an_axis_that_takes_its_values_from_elsewhere_is_ordered_there():
    text = read_text(find("grammars", "photo"), "grammar")
    with pytest.raises(GrammarError, match=r"takes its values from coco-places\.Scene: order that"):
        reordered(text, {"Scene": ["street", "park"]})
