"""Run the corpus: `python -m tests.fuzz [--full] [WORD...]`; words choose among the cases."""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.fuzz.runner import MadeBases, corpus, run


def main(words: list[str]) -> int:
    """Run all cases, or those in whose name a word stands; print counts for each command."""
    chosen = [word for word in words if not word.startswith("--")]
    cases = [
        case
        for case in corpus(full="--full" in words)
        if not chosen or any(word in str(case) for word in chosen)
    ]
    codes: dict[str, Counter[int | None]] = {}
    wrong, slowest = 0, (0.0, "")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bases").mkdir()
        bases = MadeBases(Path(folder) / "bases")
        for i, case in enumerate(cases):
            outcome = run(case, bases, Path(folder) / str(i))
            codes.setdefault(case.command, Counter())[outcome.code] += 1
            slowest = max(slowest, (outcome.seconds, str(case)))
            wrong += bool(outcome.problems)
            for problem in outcome.problems:
                print(f"WRONG {case}: {problem}", flush=True)
            if "--verbose" in words:
                said = outcome.err.strip()[:300]
                print(f"{outcome.code} {outcome.seconds:.1f} {case}: {said}", flush=True)
    for command, counts in sorted(codes.items()):
        ends = ", ".join(f"{n} x exit {code}" for code, n in sorted(counts.items(), key=str))
        print(f"{command:26} {counts.total():5} inputs: {ends}")
    total = sum(counts.total() for counts in codes.values())
    print(f"{total} inputs, {wrong} wrong; slowest {slowest[0]:.1f} s: {slowest[1]}")
    return 1 if wrong else 0


sys.exit(main(sys.argv[1:]))
