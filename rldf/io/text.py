"""Makes untrusted text safe to show, and labels comparable."""

import re
from functools import lru_cache


def plain(text: str) -> str:
    r"""Return a text with its non-printable characters written as escapes.

    Control characters (also in a terminal's escape sequences), line ends, marks of the writing
    direction and undecodable bytes become `\x1b`, `\n`, `\u202e`, `\udcff`. Markup such as `[red]`
    or `<b>` is unchanged: the caller must quote it.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def one_line(error: BaseException | str) -> str:
    """Return a library's error message in one line of at most 160 characters."""
    said = " ".join(str(error).split())[:160]
    return said or (type(error).__name__ if isinstance(error, BaseException) else "")


@lru_cache(maxsize=10_000)
def plain_label(name: str) -> str:
    """Return a model's label as letters and digits in lower case, to compare spellings."""
    return re.sub(r"[\W_]+", "", re.sub(r"^/[a-z]/", "", name)).lower() or name


def counted(n: int, noun: str) -> str:
    """Return a number with its noun, as in "1 class" and "2 classes"."""
    ending = "" if n == 1 else "es" if noun.endswith("s") else "s"
    return f"{n} {noun}{ending}"
