"""Reports of run folders: a filmstrip, curves and one HTML page."""

from rldf.grammar.encoding import Encoding
from rldf.io.files import write_bytes, write_text
from rldf.report.filmstrip import draw_filmstrip
from rldf.report.images import png_bytes
from rldf.report.learned import draw_values, read_values
from rldf.report.page import draw_page
from rldf.report.plotting import draw_curves
from rldf.report.states import visited_states
from rldf.runs.folder import RunFolder
from rldf.runs.records import best_step


def write_report(run: RunFolder, goal: Encoding | None = None) -> None:
    """Write best.png, trajectory.png, curves.png and report.html, in place of older ones.

    Everything is read from the folder, so it can be done again at any time.
    """
    steps = run.steps()
    states = visited_states(steps)
    if steps:
        best = best_step(steps, goal)
        image = run.image_path(best.encoding, best.seed)
        if image.is_file():
            write_bytes(run.path / "best.png", image.read_bytes())
    write_bytes(run.path / "trajectory.png", png_bytes(draw_filmstrip(run, states, goal)))
    if steps:
        write_bytes(run.path / "curves.png", draw_curves(steps))
    if values := read_values(run):
        write_bytes(run.path / "values.png", draw_values(values))
    write_text(run.path / "report.html", draw_page(run, steps, states, goal))
