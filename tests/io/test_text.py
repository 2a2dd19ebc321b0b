"""Tests of rldf.io.text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rldf.io.text import counted, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("two\nlines\r", "two\\nlines\\r"),
        ("exe\u202egnp", "exe\\u202egnp"),
        ("\udcff", "\\udcff"),
        ("[red]<b> été 犬", "[red]<b> été 犬"),
    ],
)
def test_what_does_not_print_is_spelled_out(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text())
def test_plain_text_is_printable_and_stays_what_it_is(text: str) -> None:
    assert plain(text).isprintable()
    assert plain(plain(text)) == plain(text)
    assert not text.isprintable() or plain(text) == text


@pytest.mark.parametrize(
    ("n", "noun", "said"),
    [(1, "episode", "1 episode"), (0, "image", "0 images"), (2, "class", "2 classes")],
)
def test_a_number_agrees_with_its_noun(n: int, noun: str, said: str) -> None:
    assert counted(n, noun) == said
