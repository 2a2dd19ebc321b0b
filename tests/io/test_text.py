"""Tests of rldf.io.text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rldf.io.text import plain


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
