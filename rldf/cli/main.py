"""The program: its commands, and the one place where errors become a line and an exit code.

The modules of the commands import nothing heavy: what a command needs is imported in it.
"""

import io
import os
import sys
from typing import Annotated

import typer

from rldf import __version__
from rldf.cli import (
    ablate,
    bench,
    cache,
    clone,
    compare,
    control,
    doctor,
    encode,
    evaluate,
    generate,
    grammar,
    models,
    output,
    pocket,
    run,
    search,
)
from rldf.cli.completion import WithCompletion
from rldf.errors import RldfError

app = typer.Typer(
    cls=WithCompletion,
    invoke_without_command=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command(cls=search.SearchCommand)(search.search)
app.command()(encode.encode)
app.command("clone-imagenet")(clone.clone_imagenet)
app.add_typer(clone.app, name="clone")
app.command()(generate.generate)
app.command()(control.control)
app.command()(ablate.ablate)
app.command()(evaluate.evaluate)
app.command()(compare.compare)
app.add_typer(bench.app, name="bench")
app.add_typer(run.app, name="run")
app.add_typer(grammar.app, name="grammar")
app.add_typer(models.app, name="models")
app.add_typer(pocket.app, name="pocket")
app.add_typer(cache.app, name="cache")
app.command()(doctor.doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rldf {__version__}")
        raise typer.Exit()


@app.callback()
def options(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Find the sentence that makes a diffusion model redraw your image."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the program and end it with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal may lack letters that we print
            stream.reconfigure(errors="backslashreplace")
    try:
        with output.log_as_warnings():
            code = app(prog_name="rldf", standalone_mode=False)
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        code = _close_stdout()
    except Exception as error:
        if os.environ.get("RLDF_DEBUG") == "1":
            raise
        code = _explain(error)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = _close_stdout()
    sys.exit(code if isinstance(code, int) else 0)


def _explain(error: Exception) -> int:
    """Tell an error in one line and give its exit code."""
    if isinstance(error, RldfError):
        output.fail(str(error))
        return error.exit_code
    if isinstance(error, typer.TyperException):
        return _explain_usage(error)
    said = str(error) or "no message"
    output.fail(f"internal: {type(error).__name__}: {said}; set RLDF_DEBUG=1 for the traceback")
    return 1


def _explain_usage(error: typer.TyperException) -> int:
    context: typer.Context | None = getattr(error, "ctx", None)
    said = error.format_message()
    if context and said == context.get_help():  # a group of commands without a command
        typer.echo(said, err=True)
        return error.exit_code
    command = context.command_path if context else "rldf"
    output.fail(f"{' '.join(said.split())} (see '{command} --help')")
    return error.exit_code


def _close_stdout() -> int:
    """Let a reader go who has seen enough, such as `head`, without a word."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
