"""`rldf run`: what the run folders hold."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rldf.cli import output
from rldf.io.text import counted

if TYPE_CHECKING:
    from rldf.runs.folder import RunFolder, RunSummary

app = typer.Typer(help="Look at runs.", no_args_is_help=True)


@app.command("list")
def list_(
    root: Annotated[Path, typer.Argument(help="The folder that holds the run folders.")] = Path(
        "runs"
    ),
    as_json: output.JsonFlag = False,
) -> None:
    """List the runs in a folder, the newest first."""
    from rldf.runs.folder import list_runs

    runs = [summary_document(summary) for summary in list_runs(root)]
    rows = [(run["path"], run["status"], run["started"], headline(run)) for run in runs]
    output.result(runs, output.table(rows) or [f"no runs in {root}"], as_json=as_json)


@app.command()
def show(
    run: Annotated[Path, typer.Argument(help="The run folder.", metavar="RUN")],
    as_json: output.JsonFlag = False,
) -> None:
    """Show one run: how it was made, how far it came, what it found."""
    from rldf.runs.folder import load_run

    document = run_document(load_run(run))
    output.result(document, run_lines(document), as_json=as_json)


def summary_document(summary: "RunSummary") -> dict[str, Any]:
    """Describe one line of a list of runs."""
    return {
        "path": str(summary.path),
        "status": summary.status,
        "started": summary.started,
        "result": summary.record.result if summary.record else None,
        "problem": summary.problem or None,
        "warnings": list(summary.record.warnings) if summary.record else [],
    }


def headline(run: dict[str, Any]) -> str:
    """Say in a few words what came of a run."""
    best = (run["result"] or {}).get("best") or {}
    return str(run["problem"] or best.get("sentence") or "-")


def run_document(run: "RunFolder") -> dict[str, Any]:
    """Describe a run for machines."""
    from dataclasses import asdict

    from rldf.runs.records import best_step

    steps = run.steps()
    best = best_step(steps, None) if steps else None
    return asdict(run.record) | {
        "path": str(run.path),
        "status": run.status,
        "steps": len(steps),
        "renders": steps[-1].renders if steps else 0,
        "episodes": steps[-1].episode if steps else 0,
        "best": asdict(best) if best else None,
        "doubtful": run.record.doubtful,
        "warnings": list(run.record.warnings),
    }


def run_lines(run: dict[str, Any]) -> list[str]:
    """Describe a run for people."""
    from rldf.runs.naming import resume_command

    best = run["best"]
    rows = [
        ("run", run["path"]),
        ("status", run["status"]),
        ("started", run["started"]),
        ("finished", run["finished"] or "-"),
        ("command", shlex.join(run["command"])),
        ("seed", str(run["seed"])),
        (
            "steps",
            f"{run['steps']} in {counted(run['episodes'], 'episode')}, "
            f"{counted(run['renders'], 'render')}",
        ),
        ("best", f"{best['sentence']} (reward {best['reward']:g})" if best else "-"),
    ]
    rows += [("doubt", warning) for warning in run["warnings"]]
    if run["status"] == "interrupted":
        rows.append(("resume", resume_command(run["command"], Path(run["path"]))))
    return output.table(rows)
