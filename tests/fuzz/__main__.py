"""Run the corpus: `python -m tests.fuzz [--full] [--verbose] [WORD...]`; words choose cases."""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.fuzz.runner import MadeBases, Outcome, corpus, run

_WRONG = ("tracebacks", "internal", "hangs", "slow", "large", "strays", "other")
_HEAD = ("command", "inputs", "exit codes", *_WRONG, "worst s", "worst MB")
_KINDS = {  # by the beginning of a problem
    "traceback": "tracebacks", "internal": "internal", "hangs": "hangs", "slow": "slow",
    "large": "large",
    "writes": "strays", "changes": "strays",
}  # fmt: skip


def _row(command: str, outcomes: list[Outcome]) -> tuple[str, ...]:
    codes = Counter(str(outcome.code) for outcome in outcomes)
    wrong = Counter(
        _KINDS.get(problem.split()[0].strip(":"), "other")
        for outcome in outcomes
        for problem in outcome.problems
    )
    ends = ", ".join(f"{n} x {code}" for code, n in sorted(codes.items()))
    counts = (str(wrong[kind]) for kind in _WRONG)
    slowest = max(outcome.cost.seconds for outcome in outcomes)
    peak = max(outcome.cost.memory for outcome in outcomes) // 1_000_000
    return command, str(len(outcomes)), ends, *counts, f"{slowest:.1f}", str(peak)


def _table(outcomes: dict[str, list[Outcome]]) -> list[str]:
    rows = [_HEAD, *(_row(command, some) for command, some in sorted(outcomes.items()))]
    rows.append(_row("all", [outcome for some in outcomes.values() for outcome in some]))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(n) for cell, n in zip(row, widths, strict=True)) for row in rows]


def main(words: list[str]) -> int:
    """Run all cases, or those in whose name a word stands; print a table of the commands."""
    chosen = [word for word in words if not word.startswith("--")]
    cases = [
        case
        for case in corpus(full="--full" in words)
        if not chosen or any(word in str(case) for word in chosen)
    ]
    outcomes: dict[str, list[Outcome]] = {}
    wrong, slowest, largest = 0, (0.0, ""), (0, "")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bases").mkdir()
        bases = MadeBases(Path(folder) / "bases")
        for i, case in enumerate(cases):
            outcome = run(case, bases, Path(folder) / str(i))
            outcomes.setdefault(case.command, []).append(outcome)
            slowest = max(slowest, (outcome.cost.seconds, str(case)))
            largest = max(largest, (outcome.cost.memory // 1_000_000, str(case)))
            wrong += bool(outcome.problems)
            for problem in outcome.problems:
                print(f"WRONG {case}: {problem}", flush=True)
            if "--verbose" in words:
                said = outcome.err.strip()[:300]
                cost = f"{outcome.cost.seconds:.1f} s, {outcome.cost.memory // 1_000_000} MB"
                print(f"{outcome.code} {cost} {case}: {said}", flush=True)
    print("\n".join(_table(outcomes)))
    print(f"{len(cases)} inputs, {wrong} wrong")
    print(f"slowest {slowest[0]:.1f} s: {slowest[1]}")
    print(f"largest {largest[0]} MB: {largest[1]}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
