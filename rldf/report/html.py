"""The parts of a page that opens offline: nothing is fetched, nothing runs, all text is quoted.

Every text that comes from outside (file names, sentences, configuration) goes through `text`.
"""

import json
from collections.abc import Iterable, Mapping
from html import escape

from rldf.io.text import plain
from rldf.report.style import CSS

# nothing may be fetched and nothing may run, whatever got into the page
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

GENERATOR = '<meta name="generator" content="rldf">'
"""What marks a page as one of ours."""


def document(title: str, body: str) -> str:
    """Put a page together.

    Args:
        title: of the window; quoted here.
        body: HTML.

    Returns:
        An HTML document.
    """
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{GENERATOR}\n<title>{text(title)}</title>\n<style>\n{CSS}\n</style>\n</head>\n"
        f"<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )


def text(value: object) -> str:
    """Quote anything for HTML: it shows literally, in text and in attributes.

    Args:
        value: anything.

    Returns:
        HTML.
    """
    return escape(plain(str(value)), quote=True)


def figure(uri: str, alt: str, caption: str) -> str:
    """Show a picture with its caption.

    Args:
        uri: the picture's address.
        alt: what it shows, for those who cannot see it.
        caption: what stands below.

    Returns:
        HTML.
    """
    return (
        f'<figure><img src="{uri}" alt="{text(alt)}">'
        f"<figcaption>{text(caption)}</figcaption></figure>\n"
    )


def wide_picture(title: str, uri: str, alt: str, kind: str = "") -> str:
    """Show a picture that may be wider than the window, as a section of its own.

    Args:
        title: of the section.
        uri: the picture's address.
        alt: what it shows, for those who cannot see it.
        kind: a further class of the style sheet, such as "curves" for a white ground.

    Returns:
        HTML.
    """
    return (
        f"<section>\n<h2>{text(title)}</h2>\n"
        f'<div class="{f"scroll {kind}".strip()}" tabindex="0" role="region" '
        f'aria-label="{text(title)}"><img src="{uri}" alt="{text(alt)}"></div>\n</section>\n'
    )


def facts(values: Mapping[str, object]) -> str:
    """Show a few figures large.

    Args:
        values: by name.

    Returns:
        HTML.
    """
    pairs = (f"<div><dt>{text(k)}</dt><dd>{text(v)}</dd></div>\n" for k, v in values.items())
    return f'<dl class="facts">\n{"".join(pairs)}</dl>\n'


def doubts(warnings: Iterable[str]) -> str:
    """Show what is doubtful in the reading of an image.

    Args:
        warnings: one line each.

    Returns:
        HTML; nothing where there are none.
    """
    lines = "".join(f"<li>{text(warning)}</li>\n" for warning in warnings)
    if not lines:
        return ""
    return f'<section class="doubts">\n<h2>Doubts</h2>\n<ul>\n{lines}</ul>\n</section>\n'


def table(rows: Iterable[tuple[str, object]]) -> str:
    """Show names with their values.

    Args:
        rows: name and value.

    Returns:
        HTML.
    """
    lines = [
        f'<tr><th scope="row">{text(key)}</th><td><code>{text(value)}</code></td></tr>\n'
        for key, value in rows
    ]
    body = "".join(lines) or '<tr><td class="faint">nothing</td></tr>\n'
    return f'<div class="card plain"><table>\n{body}</table></div>\n'


def details(title: str, rows: Iterable[tuple[str, object]]) -> str:
    """Show names with their values in a part that can be folded.

    Args:
        title: of the part.
        rows: name and value.

    Returns:
        HTML.
    """
    return f"<details open><summary>{text(title)}</summary>\n{table(rows)}</details>\n"


def leaf_rows(record: Mapping[str, object], prefix: str = "") -> Iterable[tuple[str, object]]:
    """Flatten a record; text stands as it is, the rest as JSON.

    Args:
        record: records within records.
        prefix: of the keys.

    Yields:
        Dotted key and value.
    """
    for key, value in record.items():
        if isinstance(value, Mapping) and value:
            yield from leaf_rows(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value if isinstance(value, str) else json.dumps(value)
