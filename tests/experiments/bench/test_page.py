"""How the table of a bench is shown."""

import io

import pytest
from PIL import Image

from rldf.experiments.bench.page import draw_progress, shown_rows
from rldf.experiments.bench.table3 import table
from tests.experiments.bench.test_table3 import outcome


@pytest.mark.parametrize(
    ("reached", "told"),
    [
        ([18], "18 (of 1 run)"),
        ([None, None], ">200 (of 2 runs)"),
        ([10, 20, 30], "20 (of 3 runs)"),
        ([10, 20, 30, 40], "20 (10-30)"),
    ],
)
def test_few_runs_have_no_quartiles(reached, told):
    rows = table([outcome("planner", count, 1.0, [4, 0]) for count in reached])
    head, line = shown_rows(rows, 200)
    assert dict(zip(head, line, strict=True))["renders"] == told


def test_the_plot_of_few_runs_has_no_band():
    def plot(n):  # the best reward differs, so that a band would have a width
        return draw_progress([outcome("planner", 5, k / 4, [4, 0]) for k in range(n)], 20)

    def colours(png):
        image = Image.open(io.BytesIO(png)).convert("RGB")
        return {colour: n for n, colour in image.getcolors(2**24)}

    band = tuple(round(255 - 0.08 * (255 - c)) for c in (0x5B, 0x76, 0xB8))
    near = [tuple(c + d for c in band) for d in (-1, 0, 1)]
    count = {n: sum(colours(plot(n)).get(colour, 0) for colour in near) for n in (3, 5)}
    assert count[5] > 5 * count[3] + 500
