"""Writes the report of an evaluation: one HTML page that needs no other file."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from rldf.errors import UsageError
from rldf.evaluation.evaluate import EvaluationResult
from rldf.evaluation.examples import class_keys
from rldf.evaluation.figures import NAMES, undetermined
from rldf.evaluation.image_sets import choose
from rldf.evaluation.pairs import FeatureSet
from rldf.evaluation.plots import draw_bars, draw_confusion, draw_fid_over_n
from rldf.io.files import write_text
from rldf.io.provenance import git_commit, versions
from rldf.report.html import (
    GENERATOR,
    details,
    document,
    facts,
    figure,
    leaf_rows,
    table,
    text,
    wide_image,
)
from rldf.report.images import data_uri, png_uri
from rldf.seeding import rng
from rldf.stats import read_figure

_CLASSES = 16  # most classes shown with images

_COLUMNS = {
    "real": "real images",
    "n_real": "N real",
    "fid": "FID",
    "fid_infinity": "FID at ∞",
    "kid": "KID",
    "kid_std": "±",
    "precision": "precision",
    "recall": "recall",
    "top1": "top-1",
    "top5": "top-5",
    "near_duplicate_rate": "near duplicates",
}

_EACH = 5  # images shown of a class, from the clone and from the real set each
_THUMB = 88  # px


def write_report(path: Path, result: EvaluationResult, command: Sequence[str]) -> None:
    """Write the report of a result as an HTML page; `command` is what was typed to get it."""
    check_target(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, draw_report(result, command))
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None


def check_target(path: Path) -> None:
    """Raise UsageError if the path exists and is not a report that rldf wrote."""
    try:
        head = path.read_bytes()[:4096] if path.exists() else GENERATOR.encode()
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None
    if GENERATOR.encode() not in head:
        raise UsageError(f"{path} exists and is not a report of rldf: type another --report-to")


def draw_report(result: EvaluationResult, command: Sequence[str]) -> str:
    """Make the HTML page; `command` is what was typed to get the result."""
    found = result.document
    name = result.clone.images.root.resolve().name
    body = "".join(
        (
            _hero(found, name),
            _rows_section(found["real"]),
            _beside_section(result),
            _fid_section(found["real"]),
            _class_sections(found["real"][0].get("per_class") or []),
            _confusion_section(result),
            *(_closest_pairs_section(result, i) for i in range(len(result.reals))),
            _how_section(found, command),
        )
    )
    return document(f"evaluation of {name}", body)


def _hero(found: Mapping[str, Any], name: str) -> str:
    n, figures = min(found["n_clone"], found["n_real"]), found["figures"]
    names = NAMES | {"fid": f"FID at N = {n}", "fid_infinity": "FID at N = ∞"}
    names |= {"top1": "top-1 on real images", "synthetic_real_gap": "gap to its own images"}
    shown: dict[str, object] = {
        "images of the clone": found["n_clone"],
        "real images": found["n_real"],
    }
    shown |= {names[name]: read_figure(record) for name, record in figures.items()}
    return (
        f'<header>\n<p class="faint">evaluation, {text(found["features"])} features</p>\n'
        f"<h1>{text(name)}</h1>\n{facts(shown)}</header>\n{_doubts_section(found)}"
    )


def _doubts_section(found: Mapping[str, Any]) -> str:
    """List the warnings, and the figures that are not determined."""
    lines = [*found["warnings"], *(line for row in found["real"] for line in undetermined(row))]
    if not lines:
        return ""
    items = "".join(f"<li>{text(line)}</li>\n" for line in lines)
    return f"<details open><summary>What may mislead</summary>\n<ul>\n{items}</ul>\n</details>\n"


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _rows_section(rows: Sequence[Mapping[str, Any]]) -> str:
    columns = [
        key
        for key in _COLUMNS
        if any(row[key] is not None or key in row["figures"] for row in rows)
    ]
    head = "".join(f'<th class="number">{_COLUMNS[key]}</th>' for key in columns[1:])
    lines = "".join(
        f"<tr><td>{text(row['real'])}</td>"
        + "".join(f'<td class="number">{text(_cell(row, key))}</td>' for key in columns[1:])
        + "</tr>\n"
        for row in rows
    )
    return (
        '<section>\n<h2>Against real images</h2>\n<div class="card"><table>\n'
        f"<thead><tr><th>{_COLUMNS['real']}</th>{head}</tr></thead>\n"
        f"<tbody>\n{lines}</tbody>\n</table></div>\n</section>\n"
    )


def _cell(row: Mapping[str, Any], key: str) -> str:
    if key in row["figures"]:
        return str(read_figure(row["figures"][key]))
    value = row[key]
    return str(value) if isinstance(value, int) else _short(value)


def _beside_section(result: EvaluationResult) -> str:
    real = result.reals[0]
    classes = _shown_classes(result.clone, real)
    ours, theirs = (class_strips(side, classes) for side in (result.clone, real))
    rows = "".join(
        f"<tr><td>{text(name)}</td>"
        f"<td>{_image(theirs[name], 'real')}</td><td>{_image(ours[name], 'synthetic')}</td></tr>\n"
        for name in classes
    )
    return (
        "<section>\n<h2>Real beside synthetic</h2>\n"
        '<div class="card"><table>\n<thead><tr><th>class</th><th>real</th><th>synthetic</th></tr>'
        f"</thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n</section>\n"
    )


def _image(picture: Image.Image | None, alt: str) -> str:
    if picture is None:
        return ""
    return f'<img src="{data_uri(picture)}" alt="{alt}" loading="lazy">'


def _shown_classes(clone: FeatureSet, real: FeatureSet) -> dict[str, str | None]:
    """Return key by name of the classes to show; {"any": None} if a set has no classes."""
    if not class_keys(real.contents):
        return {"any": None}
    names = clone.images.class_names
    return {names.get(key, key): key for key in class_keys(clone.contents)[:_CLASSES]} or {
        "any": None
    }


def _fid_section(rows: Sequence[Mapping[str, Any]]) -> str:
    if rows[0]["fid"] is None:
        return ""
    plot = draw_fid_over_n(rows, [row["real"] for row in rows])
    said = "; ".join(
        ", ".join(f"{_short(point['fid'])} at {point['n_clone']}" for point in row["fid_points"])
        + f", {read_figure(row['figures']['fid_infinity'])} extrapolated"
        for row in rows
    )
    return wide_image("FID over N", png_uri(plot), f"FID over N: {said}", "curves")


def _class_sections(rows: Sequence[Mapping[str, Any]]) -> str:
    sections = ""
    for figure_, label, high_is_bad in (
        ("kid", "KID to the real images of the class", True),
        ("top1", "share of the class's real images that are classified right", False),
    ):
        records = {row["name"]: row["figures"].get(figure_) for row in rows}
        figures = {name: read_figure(record) for name, record in records.items() if record}
        if any(found.value is not None for found in figures.values()):
            plot = draw_bars(figures, label, high_is_bad=high_is_bad)
            said = ", ".join(f"{name} {found}" for name, found in figures.items())
            sections += wide_image(f"By class: {label}", png_uri(plot), said, "curves")
    return sections


def _confusion_section(result: EvaluationResult) -> str:
    downstream = result.downstream
    if downstream is None:
        return ""
    names = result.clone.images.class_names
    plot = draw_confusion(
        downstream.tests[0].scores.confusion, [names.get(key, key) for key in downstream.classes]
    )
    alt = "How often real images of one class (rows) are predicted as another (columns)"
    return wide_image("Confusion on real images", png_uri(plot), alt, "curves")


def _closest_pairs_section(result: EvaluationResult, number: int) -> str:
    row, real = result.document["real"][number], result.reals[number]
    pairs = row.get("closest_pairs") or []
    if not pairs:
        return ""
    ours, theirs = (
        named_thumbs(side, [pair[which] for pair in pairs])
        for side, which in ((result.clone, "clone"), (real, "real"))
    )
    shown = ""
    for pair in pairs:
        both = strip([ours[pair["clone"]], theirs[pair["real"]]])
        assert both is not None
        said = f"{pair['cosine']:.4f}: {pair['clone']}, {pair['real']}"
        shown += figure(data_uri(both), "an image of the clone, its nearest real one", said)
    rate, bar = read_figure(row["figures"]["near_duplicate_rate"]), row["near_duplicate_threshold"]
    return (
        f"<section>\n<h2>Closest pairs: clone, {text(row['real'])}</h2>\n"
        f"<p>Share of near duplicates: {text(rate)}. These are images of the clone whose features "
        f"have a cosine above {bar:.4f} with those of a real image; one real image in 1,000 is as "
        "near to another real image.</p>\n"
        f'<div class="pairs">\n{shown}</div>\n</section>\n'
    )


def _how_section(found: Mapping[str, Any], command: Sequence[str]) -> str:
    about = {"command": shlex.join(command), "git": git_commit() or "no checkout"}
    known = {name: version or "not installed" for name, version in versions().items()}
    first = {key: value for key, value in found.items() if key != "real"}
    return (
        "<section>\n<h2>How it was made</h2>\n"
        f"{table(about.items())}"
        f"{details('Figures', leaf_rows(first))}"
        f"{details('Versions', known.items())}"
        "</section>\n"
    )


def class_strips(
    side: FeatureSet, classes: Mapping[str, str | None]
) -> dict[str, Image.Image | None]:
    """Join up to five thumbnails of each class into a row; the same images on every call.

    Args:
        side: the clone or the real set.
        classes: class key by name; the key None takes images of any class.

    Returns:
        A row of thumbnails by name, None for a class without images.
    """
    chosen = {name: _some(side, name, key) for name, key in classes.items()}
    places = sorted({place for some in chosen.values() for place in some})
    files = choose(side.images, places)
    thumbs = {
        place: _thumb(side.images.decode(picture))
        for place, picture in zip(places, files, strict=True)
    }
    return {name: strip([thumbs[i] for i in some]) for name, some in chosen.items()}


def _some(side: FeatureSet, name: str, key: str | None) -> list[int]:
    places = range(len(side.contents)) if key is None else side.of_class(key, name)
    some = rng(0, "report", key or "").permutation(len(places))[:_EACH]
    return sorted(places[i] for i in some.tolist())


def _thumb(image: Image.Image) -> Image.Image:
    return ImageOps.fit(image, (_THUMB, _THUMB), Image.Resampling.LANCZOS)


def strip(thumbs: Sequence[Image.Image]) -> Image.Image | None:
    """Join thumbnails into one row.

    Returns:
        The row, None for no images.
    """
    if not thumbs:
        return None
    row = Image.new("RGB", (len(thumbs) * (_THUMB + 2) - 2, _THUMB), "white")
    for i, thumb in enumerate(thumbs):
        row.paste(thumb, (i * (_THUMB + 2), 0))
    return row


def named_thumbs(side: FeatureSet, names: Sequence[str]) -> dict[str, Image.Image]:
    """Make a square thumbnail of each named image, by name."""
    places = sorted({side.contents.names.index(name) for name in names})
    files = choose(side.images, places)
    return {picture.name: _thumb(side.images.decode(picture)) for picture in files}
