"""The program as a whole: exit codes, one-line errors, nothing heavy loaded for help."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = (
    "accelerate",
    "diffusers",
    "matplotlib",
    "open_clip",
    "torch",
    "transformers",
    "ultralytics",
)

LOADED = f"""
import sys
from rldf.cli.main import main
sys.argv = ["rldf", *sys.argv[1:]]
try:
    main()
except SystemExit:
    pass
print("LOADED", *sorted(set({HEAVY!r}) & set(sys.modules)))
"""


def python(code: str, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | environment,
        timeout=120,
    )


def rldf(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return python("from rldf.cli.main import main; main()", *words, **environment)


def with_command(body: str, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the program with one more command, `trial`, whose body is given."""
    code = f"""
from rldf.cli.main import app, main

@app.command()
def trial():
    {body}

main()
"""
    return python(code, "trial", *words, **environment)


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["grammar", "show", "base"], ["run", "list"]]
)
def test_light_commands_load_nothing_heavy(words: list[str]) -> None:
    done = python(LOADED, *words)
    assert done.stdout.splitlines()[-1].split() == ["LOADED"], done.stderr


def test_the_check_of_heavy_modules_can_fail() -> None:
    done = python("import matplotlib\n" + LOADED, "--version")
    assert done.stdout.splitlines()[-1] == "LOADED matplotlib"


@pytest.mark.parametrize("words", [["--version"], ["--help"], [], ["grammar", "list"]])
def test_what_works_exits_with_0_and_says_nothing_on_stderr(words: list[str]) -> None:
    done = rldf(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["bogus"], "error: No such command 'bogus'. (see 'rldf --help')"),
        (["--bogus"], "error: No such option: --bogus (see 'rldf --help')"),
        (["grammar", "show"], "error: Missing argument 'name'. (see 'rldf grammar show --help')"),
        (
            ["grammar", "show", "nope"],
            "error: no grammar 'nope': name one of base, coco-places, imagenet, paper, photo, "
            "pocket",
        ),
        (
            ["grammar", "sentence", "base", "1,2"],
            "error: vector 1,2 is outside this grammar's grid",
        ),
        (
            ["grammar", "check", "none.yaml"],
            "error: grammar none.yaml cannot be read: No such file",
        ),
        (["run", "show", "none"], "error: none holds no run"),
    ],
)
def test_wrong_usage_is_one_line_on_stderr_and_exits_with_2(words: list[str], message: str) -> None:
    done = rldf(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1


def test_a_group_without_a_command_shows_its_help() -> None:
    done = rldf("grammar")
    assert done.returncode == 2
    assert "Commands:" in done.stderr


def test_each_error_of_rldf_ends_with_its_own_code() -> None:
    missing = "from rldf.errors import ModelMissingError; raise ModelMissingError('no weights')"
    done = with_command(missing)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "error: no weights\n")


def test_an_interrupted_program_exits_with_130() -> None:
    assert with_command("raise KeyboardInterrupt").returncode == 130


def test_an_unexpected_error_is_one_line() -> None:
    done = with_command("raise ZeroDivisionError('oh\\n\\x1b[31mno')")
    assert done.returncode == 1
    assert done.stderr == (
        "error: internal: ZeroDivisionError: oh\\n\\x1b[31mno; set RLDF_DEBUG=1 for the traceback\n"
    )


def test_rldf_debug_shows_the_traceback() -> None:
    done = with_command("raise ZeroDivisionError('oh')", RLDF_DEBUG="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "ZeroDivisionError: oh" in done.stderr


def test_a_reader_who_leaves_early_gets_no_traceback() -> None:
    body = "import typer; [typer.echo('x' * 1000) for _ in range(1000)]"
    code = f"""
from rldf.cli.main import app, main

@app.command()
def trial():
    {body}

main()
"""
    program = [sys.executable, "-c", code, "trial"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.readline()
        run.stdout.close()
        assert run.stderr.read() == b""
        assert run.wait(timeout=60) == 1


def test_a_terminal_without_our_letters_gets_escapes() -> None:
    done = with_command("print('\\u03c5')", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout) == (0, "\\u03c5\n")


def test_json_is_one_document_of_ascii() -> None:
    done = rldf("grammar", "show", "base", "--json")
    assert done.stdout.isascii()
    assert json.loads(done.stdout)["states"] == 480


def test_python_m_rldf_is_rldf() -> None:
    program = [sys.executable, "-m", "rldf", "--version"]
    done = subprocess.run(program, capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == rldf("--version").stdout


KNOWN = ("bash", "zsh", "fish", "powershell", "pwsh")
MARKS = {
    "bash": "complete -o default -F",
    "zsh": "#compdef rldf",
    "fish": "complete --command rldf",
    "powershell": "Register-ArgumentCompleter",
    "pwsh": "Register-ArgumentCompleter",
}


@pytest.mark.parametrize("shell", KNOWN)
def test_the_completion_of_the_named_shell_is_shown(call, monkeypatch, shell):
    monkeypatch.setattr("typer._completion_shared._get_shell_name", lambda: "tcsh")
    for words in (["--show-completion", shell], [f"--show-completion={shell.upper()}"]):
        code, out, err = call(*words)
        assert (code, err) == (0, "")
        assert MARKS[shell] in out
        assert "_RLDF_COMPLETE" in out


@pytest.mark.parametrize("option", ["--show-completion", "--install-completion"])
@pytest.mark.parametrize(
    ("running", "words", "told"),
    [
        (None, [], "which shell this is cannot be told"),
        ("nu", [], ": nu: "),
        ("bash", ["tcsh"], ": tcsh: "),
        ("bash", ["fish", "zsh"], "fish zsh"),
    ],
)
def test_of_other_shells_the_known_ones_are_named(call, monkeypatch, option, running, words, told):
    monkeypatch.setattr("typer._completion_shared._get_shell_name", lambda: running)
    code, out, err = call(option, *words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert told in err
    assert ", ".join(KNOWN) in err


def test_the_running_shell_is_taken_where_none_is_named(call, monkeypatch):
    monkeypatch.setattr("typer._completion_shared._get_shell_name", lambda: "zsh")
    assert call("--show-completion")[1].startswith("#compdef rldf")


def test_completion_is_installed_for_the_named_shell(call, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    code, out, _ = call("--install-completion", "fish")
    assert code == 0
    file = tmp_path / ".config" / "fish" / "completions" / "rldf.fish"
    assert str(file) in out
    assert MARKS["fish"] in file.read_text()
    monkeypatch.setenv("PATH", str(tmp_path))
    code, out, err = call("--install-completion", "pwsh")
    assert (code, out) == (1, "")
    assert "type --show-completion pwsh" in err
    assert err.count("\n") == 1
