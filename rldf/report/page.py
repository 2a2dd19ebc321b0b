"""The report of a run: one HTML page that holds all that it shows, so that it opens offline."""

import shlex
from collections.abc import Sequence
from pathlib import Path, PureWindowsPath

from rldf.grammar.encoding import Encoding, format_encoding
from rldf.io.text import counted
from rldf.perception.reading import DOUBTFUL
from rldf.report.html import (
    details,
    document,
    doubts,
    facts,
    figure,
    leaf_rows,
    table,
    text,
    wide_image,
)
from rldf.report.images import data_uri, file_uri, load_image
from rldf.report.learned import greedy_section, read_values, values_alt
from rldf.report.states import VisitedState, by_reward
from rldf.runs.folder import RunFolder
from rldf.runs.records import Step

ROWS = 500  # of the table of states: a page has to open on a phone

_HERO, _THUMB = 384, 112  # px


def draw_page(
    run: RunFolder, steps: Sequence[Step], states: Sequence[VisitedState], goal: Encoding | None
) -> str:
    """Make the page of a run, with its filmstrip and curves as they are in the folder."""
    ranked = by_reward(states, goal)
    best = ranked[0] if ranked else None
    title = best.sentence if best else "no state was visited"
    body = "".join(
        (
            _hero(run, steps, best, goal),
            doubts(run.record.warnings),
            _image_section("Trajectory", run.path / "trajectory.png", _strip_alt(states), ""),
            _image_section("Curves", run.path / "curves.png", _curves_alt(steps), "curves"),
            greedy_section(run),
            _value_section(run),
            _states_section(run, ranked, goal),
            _how_section(run),
        )
    )
    return document(title, body)


def _hero(
    run: RunFolder, steps: Sequence[Step], best: VisitedState | None, goal: Encoding | None
) -> str:
    sentence = best.sentence if best else "No state was visited"
    given = load_image(run.input_path, _HERO)
    found = load_image(_image(run, best), _HERO) if best else None
    pictures = figure(data_uri(given), "the input image", _input_caption(run))
    if found and best:
        reward = f"best: reward {best.reward:.4g}"
        pictures += figure(data_uri(found), f"what it draws: {best.sentence}", reward)
    return (
        '<header class="hero">\n<div>\n'
        f'<p class="faint">{text(run.path.resolve().name)}</p>\n<h1>{text(sentence)}</h1>\n'
        f"<p>{_marks(run, best, best, goal)}</p>\n{_facts(run, steps, best)}</div>\n"
        f'<div class="pair">\n{pictures}</div>\n</header>\n'
    )


def _image(run: RunFolder, state: VisitedState) -> Path:
    return run.image_path(state.encoding, state.best.seed)


def _input_caption(run: RunFolder) -> str:
    """Name the input as the configuration does, without its folders, and say what was read in it.

    A photograph that only words were read in says which, by whom, and what is not known.

    The folder may be untrusted or of another version, so no key is assumed.
    """
    image = str(run.record.config.get("image", "input.png"))
    caption = f"input: {PureWindowsPath(image).name or image}"
    reading = run.record.reading
    if reading is not None and reading.medium == "photograph":
        return f"{caption}, a photograph: {reading.words}"
    goal = (run.record.result or {}).get("goal")
    sentence = goal.get("sentence") if isinstance(goal, dict) else None
    how = f"read as ({DOUBTFUL})" if run.record.doubtful else "read as"
    return f"{caption}, {how}: {sentence}" if sentence else caption


def _facts(run: RunFolder, steps: Sequence[Step], best: VisitedState | None) -> str:
    shown: dict[str, object] = {"status": run.status}
    if best:
        shown["reward"] = f"{best.reward:.4g}"
    if best and best.distance is not None:
        shown["distance to the goal"] = best.distance
    if steps:
        shown |= {"renders": steps[-1].renders, "steps": len(steps), "episodes": steps[-1].episode}
    return facts(shown)


def _marks(
    run: RunFolder, state: VisitedState | None, best: VisitedState | None, goal: Encoding | None
) -> str:
    if state is None:
        return ""
    reached = "goal, in doubt" if run.record.doubtful else "goal"
    names = [("goal", reached, state.is_goal(goal)), ("best", "best", state is best)]
    marks = [f'<span class="mark {kind}">{said}</span>' for kind, said, is_so in names if is_so]
    return " ".join(marks)


def _image_section(title: str, path: Path, alt: str, kind: str) -> str:
    return wide_image(title, file_uri(path), alt, kind) if path.is_file() else ""


def _value_section(run: RunFolder) -> str:
    values = read_values(run)
    path = run.path / "values.png"
    return _image_section("Value map", path, values_alt(values), "curves") if values else ""


def _strip_alt(states: Sequence[VisitedState]) -> str:
    return (
        f"Filmstrip: the input, then the {len(states)} distinct states in the order of their "
        "first visits; the table below says the same in words"
    )


def _curves_alt(steps: Sequence[Step]) -> str:
    known = [step.distance for step in steps if step.distance is not None]
    said = f"Reward over {counted(len(steps), 'step')}, with the best so far"
    return f"{said}; distance to the goal, {min(known)} at its least" if known else said


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
    thumb = data_uri(load_image(_image(run, state), _THUMB))
    distance = "" if state.distance is None else state.distance
    numbers = ((f"{state.reward:.4g}", ""), (distance, ""), (state.visits, " wide"))
    cells = (*numbers, (state.first, " wide"))
    return (
        # the sentence stands beside it, so the thumbnail is decoration to a screen reader
        f'<tr><td class="thumb"><img src="{thumb}" alt="" loading="lazy"></td>'
        f"<td>{text(state.sentence)} {_marks(run, state, best, goal)}"
        f'<br><code class="faint">{text(format_encoding(state.encoding))}</code></td>'
        + "".join(f'<td class="number{kind}">{text(cell)}</td>' for cell, kind in cells)
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
        f"{table(about.items())}"
        f"{details('Configuration', leaf_rows(record.config))}"
        f"{details('Versions', known.items())}"
        f"{details('Result', leaf_rows(record.result or {}))}"
        "</section>\n"
    )
