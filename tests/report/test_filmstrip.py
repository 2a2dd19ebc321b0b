"""Tests of rldf.report.filmstrip."""

from pathlib import Path

import pytest
from PIL import Image, ImageFont

from rldf.report.filmstrip import COLUMNS, FRAMES, draw_filmstrip, wrapped
from rldf.report.states import visited_states
from tests.report.runs import GOAL, color, made, step


def strip_of(folder: Path, columns: list[int]) -> Image.Image:
    steps = [step(i, column) for i, column in enumerate(columns, start=1)]
    return draw_filmstrip(made(folder, steps), visited_states(steps), GOAL)


def colors(strip: Image.Image) -> set[object]:
    return {found for _, found in strip.getcolors(strip.width * strip.height) or []}


def test_the_strip_shows_the_input_and_every_state(tmp_path: Path) -> None:
    shown = colors(strip_of(tmp_path / "run", [5, 4, 5, 3]))
    assert {(255, 255, 255), color(5), color(4), color(3)} <= shown
    assert color(7) not in shown


def test_the_best_and_the_goal_are_marked(tmp_path: Path) -> None:
    best, goal = (246, 190, 66), (88, 200, 140)
    assert {best, goal} <= colors(strip_of(tmp_path / "reached", [4, 3]))
    assert goal not in colors(strip_of(tmp_path / "missed", [5, 4]))


def test_a_long_run_is_thinned_and_wrapped(tmp_path: Path) -> None:
    steps = [step(i + 1, i) for i in range(100)]
    run = made(tmp_path / "run", steps[:2])  # most images missing: cards stand for them
    strip = draw_filmstrip(run, visited_states(steps), GOAL)
    rows = -(-(FRAMES + 1) // COLUMNS)
    assert strip.width < COLUMNS * 250
    assert strip.height < rows * 400


def test_a_run_without_a_step_shows_its_input(tmp_path: Path) -> None:
    assert (255, 255, 255) in colors(strip_of(tmp_path / "run", []))


@pytest.mark.parametrize("damage", [b"", b"no image", b"\x89PNG\r\n\x1a\n"])
def test_a_damaged_image_is_a_card(tmp_path: Path, damage: bytes) -> None:
    run = made(tmp_path / "run", [step(1, 4)])
    run.image_path((0, 4)).write_bytes(damage)
    assert color(4) not in colors(draw_filmstrip(run, visited_states(run.steps()), None))


@pytest.mark.parametrize("text", ["a photo of one dog and no people in a park", "w" * 90, "", "a"])
def test_wrapped_lines_fit_and_lose_nothing(text: str) -> None:
    font = ImageFont.load_default(size=14)
    lines = wrapped(text, font, 150, limit=99)
    assert all(font.getlength(line) <= 150 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_too_long_a_sentence_ends_in_an_ellipsis() -> None:
    font = ImageFont.load_default(size=14)
    lines = wrapped("one dog and " * 50, font, 150, limit=3)
    assert len(lines) == 3
    assert lines[-1].endswith("…")
    assert all(font.getlength(line) <= 150 for line in lines)
