"""Tests of rldf.report: the whole report, from the folder alone."""

import html
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from rldf.report import write_report
from rldf.runs.folder import load_run
from tests.report.runs import GOAL, color, made, step

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>[red]\x1b[31m\u202e&amp;.png"


class Page(HTMLParser):
    """What a browser would find: elements with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(folder: Path) -> Page:
    return Page((folder / "report.html").read_text())


def test_a_report_has_all_its_files(tmp_path: Path) -> None:
    run = made(tmp_path / "run", [step(1, 5), step(2, 4), step(3, 3)])
    write_report(run, GOAL)
    for name in ("trajectory.png", "curves.png", "best.png"):
        with Image.open(run.path / name) as image:
            image.load()
    with Image.open(run.path / "best.png") as best:
        assert best.getpixel((0, 0)) == color(3)
    page = page_of(run.path)
    assert "a photo of number 3" in page.text
    assert page.text.index("a photo of number 3") < page.text.index("a photo of number 5")


@pytest.mark.parametrize("known", [True, False], ids=["goal", "no goal"])
@pytest.mark.parametrize("n_steps", [0, 1, 5])
def test_short_runs_and_runs_without_a_goal_have_a_report(
    tmp_path: Path, n_steps: int, known: bool
) -> None:
    run = made(tmp_path / "run", [step(i, i + 3, goal=known) for i in range(1, n_steps + 1)])
    write_report(run)
    page = page_of(run.path)
    assert ("distance to the goal" in page.text) == (known and n_steps > 0)
    assert (run.path / "curves.png").exists() == (n_steps > 0)


def test_the_same_folder_makes_the_same_report(tmp_path: Path) -> None:
    run = made(tmp_path / "run", [step(1, 5), step(2, 4)])
    write_report(run)
    names = ("best.png", "trajectory.png", "curves.png", "report.html")
    first = [(run.path / name).read_bytes() for name in names]
    write_report(load_run(run.path))
    assert [(run.path / name).read_bytes() for name in names] == first


def test_strangers_text_appears_literally(tmp_path: Path) -> None:
    config: dict[str, object] = {"image": HOSTILE, HOSTILE: {"<b>": [HOSTILE]}}
    write_report(made(tmp_path / "run", [step(1, 3, sentence=HOSTILE)], config))
    source = (tmp_path / "run" / "report.html").read_text()
    page = Page(source)
    shown = HOSTILE.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e")
    assert page.text.count(shown) >= 3
    assert html.escape(shown) in source
    assert "\x1b" not in source and "\u202e" not in source
    assert not page.all("script") and not page.all("b")
    assert not [name for _, found in page.elements for name in found if name.startswith("on")]


def test_a_report_needs_nothing_from_outside(tmp_path: Path) -> None:
    write_report(made(tmp_path / "run", [step(1, 4), step(2, 3)]), GOAL)
    page = page_of(tmp_path / "run")
    assert page.all("img")
    for image in page.all("img"):
        assert (image["src"] or "").startswith("data:image/")
        assert "alt" in image
    addresses = [a for _, found in page.elements for a in found if a in ("href", "srcset", "data")]
    assert not addresses and not page.all("link") and not page.all("script")
    source = re.sub(r"data:image/[^\"]*", "", (tmp_path / "run" / "report.html").read_text())
    assert "http" not in source.replace("http-equiv", "") and "url(" not in source


def test_a_long_table_says_what_it_leaves_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rldf.report.page.ROWS", 2)
    write_report(made(tmp_path / "run", [step(1, 5), step(2, 4), step(3, 3)]), GOAL)
    text = page_of(tmp_path / "run").text
    assert "the best 2 of 3" in text and "a photo of number 5" not in text


def test_an_incomplete_folder_has_a_report(tmp_path: Path) -> None:
    run = made(tmp_path / "run", [step(1, 4)])
    run.input_path.unlink()
    run.image_path((0, 4)).unlink()
    write_report(run)
    assert "a photo of number 4" in page_of(run.path).text
    assert not (run.path / "best.png").exists()


def test_what_the_encoder_read_stands_under_the_input(tmp_path: Path) -> None:
    run = made(tmp_path / "run", [step(1, 4)])
    run.finish("done", {"goal": {"encoding": GOAL, "sentence": "a photo of number 3"}})
    write_report(run)
    assert "input: dog.png, read as: a photo of number 3" in page_of(run.path).text


def test_a_report_imports_no_plotting_library_until_it_draws() -> None:
    code = "import sys, rldf.report; assert not {'matplotlib', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
