"""Makes the parts of an offline HTML page, which fetches nothing and runs no script.

Every text from outside (file names, sentences, configuration) is escaped by `text`.
"""

import json
from collections.abc import Iterable, Mapping
from html import escape

from rldf.io.text import plain

# nothing may be fetched and nothing may run, whatever got into the page
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

GENERATOR = '<meta name="generator" content="rldf">'
"""Tag in the head of each page, by which rldf recognizes pages that it wrote."""

CSS = """
:root {
  color-scheme: light dark;
  --paper: #f7f7f5; --card: #ffffff; --ink: #1f2127; --faint: #646978; --line: #e3e4e8;
  --best: #9a6700; --goal: #1a7f4b; --best-wash: #fdf3da; --goal-wash: #dff5e8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131418; --card: #1c1e24; --ink: #e9eaee; --faint: #9a9fae; --line: #2d3038;
    --best: #f6be42; --goal: #58c88c; --best-wash: #3a2f14; --goal-wash: #15342a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 68rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 {
  margin: 0; font-size: clamp(1.5rem, 1rem + 2.4vw, 2.6rem); line-height: 1.2;
  font-weight: 650; text-wrap: balance; overflow-wrap: anywhere;
}
h2 { margin: 3rem 0 1rem; font-size: 1.15rem; font-weight: 650; }
p { margin: .35rem 0; }
a { color: inherit; }
img { display: block; max-width: 100%; height: auto; border-radius: 8px; }
code, pre { font: .86em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.faint { color: var(--faint); }
.small { font-size: .9rem; }
.hero { display: grid; grid-template-columns: minmax(0, 1.15fr) minmax(0, 1fr); gap: 2.5rem;
  align-items: center; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
figure { margin: 0; }
.pair img { width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--card); }
figcaption { margin-top: .4rem; color: var(--faint); font-size: .9rem; overflow-wrap: anywhere; }
.facts { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr));
  gap: .75rem 1.25rem; margin: 1.5rem 0 0; }
.facts dt { color: var(--faint); font-size: .85rem; }
.facts dd { margin: 0; font-size: 1.2rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.mark { display: inline-block; padding: .05rem .55rem; border-radius: 1rem; font-size: .8rem;
  font-weight: 650; vertical-align: .1em; }
.mark.best { color: var(--best); background: var(--best-wash); }
.mark.goal { color: var(--goal); background: var(--goal-wash); }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr));
  gap: 1rem; }
.scroll { overflow-x: auto; border-radius: 10px; }
.curves { background: #fff; padding: .75rem; border: 1px solid var(--line); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .5rem .9rem; text-align: left; border-top: 1px solid var(--line);
  overflow-wrap: anywhere; }
thead th { border-top: 0; color: var(--faint); font-size: .85rem; font-weight: 500; }
.plain tr:first-child > * { border-top: 0; }
.plain th { width: 11rem; color: var(--faint); font-weight: 500; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.thumb { width: 5.2rem; padding-right: 0; }
td.thumb img { width: 4.3rem; height: 4.3rem; object-fit: cover; }
details { margin-top: 1rem; }
summary { cursor: pointer; padding: .4rem 0; font-weight: 600; }
@media (max-width: 46rem) {
  main { padding-top: 1.5rem; }
  .hero { grid-template-columns: 1fr; gap: 1.5rem; }
  .wide { display: none; }
  .scroll img { max-width: none; }
  .curves img { width: 42rem; }
  th, td { padding: .45rem .6rem; }
  .plain th { width: 7.5rem; }
}
@media print { .card, .curves { break-inside: avoid; } }
""".strip()


def document(title: str, body: str) -> str:
    """Assemble an HTML document from its title and body."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{GENERATOR}\n<title>{text(title)}</title>\n<style>\n{CSS}\n</style>\n</head>\n"
        f"<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )


def text(value: object) -> str:
    """Escape any value for HTML text and attributes."""
    return escape(plain(str(value)), quote=True)


def figure(uri: str, alt: str, caption: str) -> str:
    """Make an HTML figure of an image and its caption."""
    return (
        f'<figure><img src="{uri}" alt="{text(alt)}">'
        f"<figcaption>{text(caption)}</figcaption></figure>\n"
    )


def wide_image(title: str, uri: str, alt: str, kind: str = "") -> str:
    """Make a section with one image that scrolls if it is wider than the window."""
    return (
        f"<section>\n<h2>{text(title)}</h2>\n"
        f'<div class="{f"scroll {kind}".strip()}" tabindex="0" role="region" '
        f'aria-label="{text(title)}"><img src="{uri}" alt="{text(alt)}"></div>\n</section>\n'
    )


def facts(values: Mapping[str, object]) -> str:
    """Make a list of a few values in large type."""
    pairs = (f"<div><dt>{text(k)}</dt><dd>{text(v)}</dd></div>\n" for k, v in values.items())
    return f'<dl class="facts">\n{"".join(pairs)}</dl>\n'


def doubts(warnings: Iterable[str]) -> str:
    """Make a section of warnings about how an image was read; "" without warnings."""
    lines = "".join(f"<li>{text(warning)}</li>\n" for warning in warnings)
    if not lines:
        return ""
    return f'<section class="doubts">\n<h2>Doubts</h2>\n<ul>\n{lines}</ul>\n</section>\n'


def table(rows: Iterable[tuple[str, object]]) -> str:
    """Make a table of names and values."""
    lines = [
        f'<tr><th scope="row">{text(key)}</th><td><code>{text(value)}</code></td></tr>\n'
        for key, value in rows
    ]
    body = "".join(lines) or '<tr><td class="faint">nothing</td></tr>\n'
    return f'<div class="card plain"><table>\n{body}</table></div>\n'


def details(title: str, rows: Iterable[tuple[str, object]]) -> str:
    """Make a table of names and values that the reader of the page can fold."""
    return f"<details open><summary>{text(title)}</summary>\n{table(rows)}</details>\n"


def leaf_rows(record: Mapping[str, object], prefix: str = "") -> Iterable[tuple[str, object]]:
    """Yield the dotted key of each value in a nested record, with the text or JSON of the value."""
    for key, value in record.items():
        if isinstance(value, Mapping) and value:
            yield from leaf_rows(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value if isinstance(value, str) else json.dumps(value)
