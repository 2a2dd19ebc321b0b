"""Does the judgement tell a good clone from a bad one, and how long does it take?

`python benchmarks/evaluate.py [--classes 20] [--per-class 50] [--epochs 30] [--models pocket]`

Makes a clone, drawings of its classes and equally many of other classes, and judges the clone
against both, by the commands that a user would type, in an empty cache. Prints JSON:

- `fid_same`, `fid_other`: to drawings of the clone's classes, and of others; their `fid_ratio`;
- `top1`: on drawings never seen, of classifiers that learned from the clone; `top1_real`: of those
  that learned from equally many drawings; `share` is the one over the other;
- `seconds` of each step. The second evaluation asks the same as the first, with all features kept.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rldf.pocket.reference import world_classes

_VAL = 50  # drawings of a class to be tested on


class Commands:
    """Runs `rldf` and remembers how long each step took."""

    def __init__(self, cache: Path) -> None:
        """Remember nothing yet.

        Args:
            cache: the program's cache folder.
        """
        self.seconds: dict[str, float] = {}
        self._environment = os.environ | {"RLDF_CACHE": str(cache)}

    def __call__(self, step: str, *words: object) -> dict[str, Any]:
        """Run a command.

        Args:
            step: what to call it.
            words: after `rldf`, without `--json`.

        Returns:
            The document that it printed.
        """
        begun = time.perf_counter()
        command = [sys.executable, "-m", "rldf", *map(str, words), "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=self._environment)
        self.seconds[step] = round(time.perf_counter() - begun, 2)
        document: dict[str, Any] = json.loads(done.stdout)
        return document


def measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Make the sets and judge the clone.

    Args:
        folder: where all of it goes.
        options: what was typed.

    Returns:
        Figures and times.
    """
    rldf = Commands(folder / "cache")
    clone, same, other = (folder / name for name in ("clone", "same", "other"))
    made = rldf(
        "clone", "clone-imagenet", "--classes", options.classes, "--per-class", options.per_class,
        "--models", options.models, "--out", clone,
    )  # fmt: skip
    classes = made["classes"]
    n_train = made["splits"]["train"] // classes
    drawn = rldf(
        "draw_same", "pocket", "reference", "--like", clone, "--train", n_train, "--val", _VAL,
        "--out", same,
    )  # fmt: skip
    # FID depends on the number of images, so both sets have the same
    n_other = round(drawn["images"] / (len(world_classes()) - classes))
    rldf(
        "draw_other", "pocket", "reference", "--unlike", clone, "--train", 0, "--val", n_other,
        "--out", other,
    )  # fmt: skip
    asked = "evaluate", clone, "--real", same, "--fid", "--kid", "--prc"
    first = rldf("first", *asked)
    rldf("second", *asked)
    far = rldf("other", "evaluate", clone, "--real", other, "--fid")
    taught = rldf("classify", *asked, "--classify", "--epochs", options.epochs)
    reference = taught["real"][0]["real_trained"]
    main_job = [rldf.seconds[step] for step in ("clone", "first", "classify")]
    return {
        "models": options.models,
        "classes": classes,
        "n_clone": first["n_clone"],
        "n_same": first["n_real"],
        "n_other": far["n_real"],
        "fid_same": first["fid"],
        "fid_other": far["fid"],
        "fid_ratio": first["fid"] / far["fid"],
        "fid_infinity_same": first["fid_infinity"],
        "fid_infinity_other": far["fid_infinity"],
        **{name: first[name] for name in ("kid", "kid_std", "precision", "recall")},
        "epochs": options.epochs,
        "n_train": taught["classifier"]["n_train"],
        "n_train_real": reference["n_train"],
        "top1_own": taught["own"]["top1"],
        "top1": taught["top1"],
        "top1_ci": taught["top1_ci"],
        "top1_real": reference["top1"],
        "top1_real_ci": reference["top1_ci"],
        "share": reference["share"],
        "seconds": rldf.seconds,
        "second_over_first": rldf.seconds["second"] / rldf.seconds["first"],
        "minutes_of_clone_and_evaluation": round(sum(main_job) / 60, 2),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--classes", type=int, default=20)
    parser.add_argument("--per-class", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--models", default="pocket")
    parser.add_argument("--out", type=Path, help="Keep everything here; go on with what is there.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(options.out or Path(folder), options), indent=1))


if __name__ == "__main__":
    main()
