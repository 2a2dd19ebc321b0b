"""The report: one HTML page that holds all that it shows, so that it opens offline.

Every text that comes from outside (file names, sentences, configuration) goes through `_text`.
"""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path, PureWindowsPath

from rldf.encoding import Encoding, format_encoding
from rldf.report.pictures import data_uri, file_uri, load_picture
from rldf.report.states import VisitedState, by_reward
from rldf.report.style import CSS
from rldf.run_records import Step
from rldf.runs import RunFolder
from rldf.text import plain

ROWS = 500  # of the table of states: a page has to open on a phone

_HERO, _THUMB = 384, 112  # px

# nothing may be fetched and nothing may run, whatever got into the page
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def draw_page(
    run: RunFolder, steps: Sequence[Step], states: Sequence[VisitedState], goal: Encoding | None
) -> str:
    """Make the page of a run, with its filmstrip and curves as they are in the folder.

    Args:
        run: the run.
        steps: its steps.
        states: its distinct states, in the order of their first visits.
        goal: the goal cell, or None where the steps alone have to tell.

    Returns:
        An HTML document.
    """
    ranked = by_reward(states, goal)
    best = ranked[0] if ranked else None
    title = best.sentence if best else "no state was visited"
    body = "".join(
        (
            _hero(run, steps, best, goal),
            _picture_section("Trajectory", run.path / "trajectory.png", _strip_alt(states), ""),
            _picture_section("Curves", run.path / "curves.png", _curves_alt(steps), " curves"),
            _states_section(run, ranked, goal),
            _how_section(run),
        )
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>\n{CSS}\n</style>\n</head>\n"
        f"<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )


def _text(value: object) -> str:
    """Quote anything for HTML: it shows literally, in text and in attributes."""
    return escape(plain(str(value)), quote=True)


def _hero(
    run: RunFolder, steps: Sequence[Step], best: VisitedState | None, goal: Encoding | None
) -> str:
    sentence = best.sentence if best else "No state was visited"
    given = load_picture(run.input_path, _HERO)
    found = load_picture(_image(run, best), _HERO) if best else None
    pictures = _figure(data_uri(given), "the input image", _input_caption(run))
    if found and best:
        reward = f"best: reward {best.reward:.4g}"
        pictures += _figure(data_uri(found), f"what it draws: {best.sentence}", reward)
    return (
        '<header class="hero">\n<div>\n'
        f'<p class="faint">{_text(run.path.resolve().name)}</p>\n<h1>{_text(sentence)}</h1>\n'
        f"<p>{_marks(best, best, goal)}</p>\n{_facts(run, steps, best)}</div>\n"
        f'<div class="pair">\n{pictures}</div>\n</header>\n'
    )


def _image(run: RunFolder, state: VisitedState) -> Path:
    return run.image_path(state.encoding, state.best.seed)


def _input_caption(run: RunFolder) -> str:
    """Name the input as the configuration does, without its folders, and say what was read in it.

    The folder may be of another version or a stranger's, so no key is taken for granted.
    """
    image = str(run.record.config.get("image", "input.png"))
    caption = f"input: {PureWindowsPath(image).name or image}"
    goal = (run.record.result or {}).get("goal")
    sentence = goal.get("sentence") if isinstance(goal, dict) else None
    return f"{caption}, read as: {sentence}" if sentence else caption


def _figure(uri: str, alt: str, caption: str) -> str:
    return (
        f'<figure><img src="{uri}" alt="{_text(alt)}">'
        f"<figcaption>{_text(caption)}</figcaption></figure>\n"
    )


def _facts(run: RunFolder, steps: Sequence[Step], best: VisitedState | None) -> str:
    facts: dict[str, object] = {"status": run.status}
    if best:
        facts["reward"] = f"{best.reward:.4g}"
    if best and best.distance is not None:
        facts["distance to the goal"] = best.distance
    if steps:
        facts |= {"renders": steps[-1].renders, "steps": len(steps), "episodes": steps[-1].episode}
    pairs = (f"<div><dt>{_text(k)}</dt><dd>{_text(v)}</dd></div>\n" for k, v in facts.items())
    return f'<dl class="facts">\n{"".join(pairs)}</dl>\n'


def _marks(state: VisitedState | None, best: VisitedState | None, goal: Encoding | None) -> str:
    if state is None:
        return ""
    names = [("goal", state.is_goal(goal)), ("best", state is best)]
    return " ".join(f'<span class="mark {name}">{name}</span>' for name, is_so in names if is_so)


def _picture_section(title: str, path: Path, alt: str, kind: str) -> str:
    if not path.is_file():
        return ""
    return (
        f"<section>\n<h2>{title}</h2>\n"
        f'<div class="scroll{kind}" tabindex="0" role="region" aria-label="{title}">'
        f'<img src="{file_uri(path)}" alt="{_text(alt)}"></div>\n</section>\n'
    )


def _strip_alt(states: Sequence[VisitedState]) -> str:
    return (
        f"Filmstrip: the input, then the {len(states)} distinct states in the order of their "
        "first visits; the table below says the same in words"
    )


def _curves_alt(steps: Sequence[Step]) -> str:
    known = [step.distance for step in steps if step.distance is not None]
    text = f"Reward over {len(steps)} steps, with the best so far"
    return f"{text}; distance to the goal, {min(known)} at its least" if known else text


def _states_section(run: RunFolder, ranked: Sequence[VisitedState], goal: Encoding | None) -> str:
    if not ranked:
        return ""
    rows = "".join(_state_row(run, state, ranked[0], goal) for state in ranked[:ROWS])
    note = f"; the best {ROWS} of {len(ranked)}" if len(ranked) > ROWS else ""
    return (
        f"<section>\n<h2>States, best first{note}</h2>\n"
        '<div class="card"><table>\n<thead><tr><th class="wide">image</th><th>sentence</th>'
        '<th class="number">reward</th><th class="number">distance</th>'
        '<th class="number wide">visits</th><th class="number wide">first at step</th></tr>'
        f"</thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n</section>\n"
    )


def _state_row(
    run: RunFolder, state: VisitedState, best: VisitedState, goal: Encoding | None
) -> str:
    thumb = data_uri(load_picture(_image(run, state), _THUMB))
    distance = "" if state.distance is None else state.distance
    numbers = ((f"{state.reward:.4g}", ""), (distance, ""), (state.visits, " wide"))
    cells = (*numbers, (state.first, " wide"))
    return (
        # the sentence stands beside it, so the thumbnail is decoration to a screen reader
        f'<tr><td class="thumb"><img src="{thumb}" alt="" loading="lazy"></td>'
        f"<td>{_text(state.sentence)} {_marks(state, best, goal)}"
        f'<br><code class="faint">{_text(format_encoding(state.encoding))}</code></td>'
        + "".join(f'<td class="number{kind}">{_text(cell)}</td>' for cell, kind in cells)
        + "</tr>\n"
    )


def _how_section(run: RunFolder) -> str:
    record = run.record
    about = {
        "command": shlex.join(record.command),
        "seed": record.seed,
        "started": record.started,
        "finished": record.finished or "not yet",
        "resumed": ", ".join(again.at for again in record.resumed) or "never",
        "git": record.git or "no checkout",
    }
    known = {name: version or "not installed" for name, version in record.versions.items()}
    return (
        "<section>\n<h2>How it was made</h2>\n"
        f"{_table(about.items())}"
        f"{_details('Configuration', _leaf_rows(record.config))}"
        f"{_details('Versions', known.items())}"
        f"{_details('Result', _leaf_rows(record.result or {}))}"
        "</section>\n"
    )


def _details(title: str, rows: Iterable[tuple[str, object]]) -> str:
    return f"<details open><summary>{title}</summary>\n{_table(rows)}</details>\n"


def _table(rows: Iterable[tuple[str, object]]) -> str:
    lines = [
        f'<tr><th scope="row">{_text(key)}</th><td><code>{_text(value)}</code></td></tr>\n'
        for key, value in rows
    ]
    body = "".join(lines) or '<tr><td class="faint">nothing</td></tr>\n'
    return f'<div class="card plain"><table>\n{body}</table></div>\n'


def _leaf_rows(record: Mapping[str, object], prefix: str = "") -> Iterable[tuple[str, object]]:
    """Flatten a record to rows of dotted key and value; text stands as it is, the rest as JSON."""
    for key, value in record.items():
        if isinstance(value, Mapping) and value:
            yield from _leaf_rows(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value if isinstance(value, str) else json.dumps(value)
