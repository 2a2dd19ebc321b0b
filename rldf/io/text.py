"""Strangers' text, made safe to show, and labels, made alike."""

import re
from functools import lru_cache


def plain(text: str) -> str:
    r"""Write characters that do not print as visible escapes, so that text is only text.

    Control characters, the terminal's escape sequences, line ends, marks that turn the reading
    direction and bytes that were no text come out as `\x1b`, `\n`, `\u202e`, `\udcff`. Markup such
    as `[red]` or `<b>` is left alone: whoever shows it has to quote it.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def one_line(error: BaseException | str) -> str:
    """Shorten what a library says of an error."""
    said = " ".join(str(error).split())[:160]
    return said or (type(error).__name__ if isinstance(error, BaseException) else "")


@lru_cache(maxsize=10_000)
def plain_label(name: str) -> str:
    """Bring the spellings of a model's label into one form."""
    return re.sub(r"[\W_]+", "", re.sub(r"^/[a-z]/", "", name)).lower() or name


def counted(n: int, noun: str) -> str:
    """Write a number with its noun, as in "1 class" and "2 classes"."""
    ending = "" if n == 1 else "es" if noun.endswith("s") else "s"
    return f"{n} {noun}{ending}"
