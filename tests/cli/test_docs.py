"""The reference is what the program says, and every command says what it does."""

import subprocess
import sys
from pathlib import Path

import cli_docs  # of tools/, which pytest's configuration names
import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = list(cli_docs.commands())


def test_the_reference_is_up_to_date() -> None:
    assert cli_docs.PAGE.read_text(encoding="utf-8") == cli_docs.page(), "type 'make docs'"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_does(words: tuple[str, ...]) -> None:
    lines = cli_docs.help_of(words).splitlines()
    assert lines[0].startswith(" ".join(("Usage: rldf", *words)))
    assert lines[2].strip().endswith(".")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_argument_and_option_says_what_it_is(words: tuple[str, ...]) -> None:
    command = cli_docs.typer.main.get_command(cli_docs.app)
    for word in words:
        command = command.commands[word]
    unsaid = [p.name for p in command.params if not getattr(p, "help", None)]
    assert unsaid == []


def test_the_check_fails_on_a_stale_page(tmp_path: Path) -> None:
    stale = tmp_path / "cli.md"
    stale.write_text("old")
    code = (
        f"import sys, pathlib; sys.path.insert(0, 'tools'); import cli_docs; "
        f"cli_docs.PAGE = pathlib.Path({str(stale)!r}); sys.argv[1:] = ['--check']; cli_docs.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert done.stderr == "docs/cli.md is stale: type 'make docs'\n"
