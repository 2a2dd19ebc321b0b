"""tools/structure.py counts a small package whose figures are known."""

from pathlib import Path

import pytest
import structure

FILES = {
    "__init__.py": '"""The package."""\n',
    "low.py": '"""Low."""\n\n# a comment\nX = 1\n',
    "a/__init__.py": "",
    "a/one.py": (
        '"""One.\n\nMore.\n"""\n\nfrom rldf.b.two import y\nfrom rldf.low import X\n\n\n'
        'def f() -> int:\n    """Say."""\n    z = X + y\n    return z\n'
    ),
    "b/__init__.py": "",
    "b/two.py": "from rldf.low import X\n\ny = X\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "rldf" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_the_figures_of_a_small_package(root: Path) -> None:
    figures = structure.measure(root, frames=False)
    assert figures["modules"] == 6
    assert figures["root modules"] == 2
    assert figures["module lines, maximum"] == 13
    assert figures["docstring lines"] == 1 + 1 + 4 + 1
    assert figures["code lines"] == 1 + 5 + 2
    assert figures["functions"] == 1 and figures["function lines, median"] == 2
    assert figures["one importer"] == ["rldf.b.two"]
    assert figures["package cycles"] == []


@pytest.mark.parametrize(
    ("line", "cycle"),
    [
        ("from rldf.a.one import f\n", [["a", "b"]]),
        ("def late():\n    import rldf.a.one\n", [["a", "b"]]),
        ("if TYPE_CHECKING:\n    from rldf.a.one import f\n", []),
        ("from rldf.a import one\n", [["a", "b"]]),
    ],
)
def test_a_cycle_of_packages_is_found_wherever_the_import_is(
    root: Path, line: str, cycle: list[list[str]]
) -> None:
    with (root / "rldf" / "b" / "two.py").open("a") as file:
        file.write(line)
    figures = structure.measure(root, frames=False)
    assert figures["package cycles"] == cycle
    assert ("b > a" in figures["imports in cycles"]) == bool(cycle)
