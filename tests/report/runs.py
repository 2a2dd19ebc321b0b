"""Run folders for the tests of reports: flat colours for images, a walk along one line."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from rldf.runs.folder import RunFolder
from rldf.runs.records import Step

GOAL = (0, 3)


def step(number: int, column: int, *, goal: bool = True, sentence: str | None = None) -> Step:
    """A step to the cell (0, column); rewards rise towards the goal, column 3."""
    distance = abs(column - GOAL[1])
    return Step(
        step=number,
        episode=1,
        encoding=(0, column),
        sentence=sentence or f"a photo of number {column}",
        action=1,
        reward=-float(distance),
        distance=distance if goal else None,
        new=True,
        renders=number,
        terminal=False,
        seed=0,
    )


def color(column: int) -> tuple[int, int, int]:
    """The colour of a cell's image."""
    return (20 * column % 256, 80, 160)


def made(path: Path, steps: Sequence[Step], config: dict[str, object] | None = None) -> RunFolder:
    """A finished run of these steps."""
    with RunFolder.create(path, config or {"image": "dog.png"}, ["rldf", "search"], 0) as run:
        run.save_input(Image.new("RGB", (32, 32), "white"))
        for one in steps:
            run.append(one)
            run.save_image(one.encoding, Image.new("RGB", (32, 32), color(one.encoding[1])))
        run.finish("done", None)
    return run
