"""The examples of docs/python.md and of the notebook run, one after the other."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "python.md"
NOTEBOOK = ROOT / "examples" / "rldf.ipynb"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder that has the examples, and nothing else of the checkout."""
    (tmp_path / "examples").symlink_to(ROOT / "examples", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def code_blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)


def test_the_page_has_ten_examples_of_code() -> None:
    sections = re.findall(r"^## (\d+)\. ", PAGE.read_text("utf-8"), re.M)
    assert sections == [str(n) for n in range(1, 11)]
    assert len(code_blocks(PAGE)) >= 10


def test_the_examples_of_the_page_run_in_order(
    checkout: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    printed: list[object] = []
    names: dict[str, object] = {"print": lambda *values: printed.extend(values)}
    for number, block in enumerate(code_blocks(PAGE), start=1):
        exec(compile(block, f"docs/python.md, block {number}", "exec"), names)
    assert printed
    assert capfd.readouterr().out == "", "the functions themselves print nothing"
    assert names["seen"] and all(of == 12 for _, _, of in names["seen"])  # type: ignore[attr-defined]
    assert (checkout / "zoo.html").stat().st_size > 1000


@pytest.mark.slow
def test_the_cells_of_the_notebook_run_and_can_be_shown(checkout: Path) -> None:
    notebook = json.loads(NOTEBOOK.read_text("utf-8"))
    assert notebook["nbformat"] == 4
    names: dict[str, object] = {}
    shown = 0
    for number, cell in enumerate(notebook["cells"], start=1):
        if cell["cell_type"] != "code":
            continue
        assert cell["outputs"] == [] and cell["execution_count"] is None
        source = "".join(cell["source"])
        exec(compile(source, f"{NOTEBOOK.name}, cell {number}", "exec"), names)
        last = source.strip().splitlines()[-1]
        if re.fullmatch(r"\w+", last):  # a notebook shows the value of such a last line
            assert names[last]._repr_html_()  # type: ignore[attr-defined]
            shown += 1
    assert shown >= 3
