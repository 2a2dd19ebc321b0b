"""`rldf compare`: compare a search with baseline prompts."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rldf.cli import output
from rldf.cli.endpoint import BaseUrl, models_at
from rldf.cli.model_choice import SetGrammar, grammar_of, settle, tell
from rldf.models.auto import AUTO
from rldf.perception.reading import DOUBTFUL

if TYPE_CHECKING:
    from rldf.experiments.compare.comparison import Question
    from rldf.experiments.compare.documents import ComparisonDocument, MethodScores, MethodSummary
    from rldf.models.auto import Choice

_BASELINES = "Of encoder, random, caption, pez, split, exhaustive, with commas (docs/compare.md)."


def compare(
    images: Annotated[list[str], typer.Argument(help="Image files.", metavar="IMAGE...")],
    grammar: SetGrammar = None,
    models: Annotated[str, typer.Option(help="Model set: a name or a YAML file.")] = AUTO,
    base_url: BaseUrl = None,
    renders: Annotated[int, typer.Option(help="Images of each method and input.")] = 40,
    agent: Annotated[str, typer.Option(help="Search agent (docs/agents.md).")] = "planner",
    reward: Annotated[
        str, typer.Option(help="Reward to maximise: a name or a YAML file.")
    ] = "clip",
    baselines: Annotated[
        str, typer.Option("--baselines", "--rivals", help=_BASELINES)
    ] = "encoder,random,caption,pez",
    captioner: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="An image-to-text model of transformers, such as BLIP or GIT, for the captions. "
            "Default: the sentence that CLIP finds most like the image.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the agent and of random baselines.")] = 0,
    image_seed: Annotated[int, typer.Option(help="Seed of the images, or the first of them.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder. Default: ./comparisons/<image>-<time>.")
    ] = None,
    as_json: output.JsonFlag = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Compare the result of a search with baseline prompts: equal renders, equal scores.

    The same command with the same --out resumes where it stopped.
    """
    from rldf.experiments.compare.comparison import Question

    choice = settle(models)
    drawn_by = models_at(choice.name, base_url)
    question = Question(
        images=tuple(images), grammar=grammar_of(grammar, drawn_by), models=drawn_by,
        renders=renders, agent=agent, reward=reward,
        baselines=tuple(word.strip() for word in baselines.split(",")), captioner=captioner,
        seed=seed, image_seed=image_seed,
    )  # fmt: skip
    document = run_comparison(question, out, choice, quiet=quiet or as_json)
    for row in document["images"]:
        for entry in row["methods"]:
            for note in entry["notes"]:
                output.warn(f"{row['image']}, {entry['method']}: {note}")
    output.result(document, _told(document), as_json=as_json)


def run_comparison(
    question: "Question", out: Path | None, choice: "Choice", *, quiet: bool
) -> "ComparisonDocument":
    """Prepare a comparison and run it."""
    with output.busy("loading the models", quiet=quiet):
        from rldf.experiments.compare.comparison import compare as compare_
        from rldf.experiments.compare.comparison import prepare_comparison
        from rldf.runs.naming import new_out

        comparison = prepare_comparison(question)
    tell(choice)
    for hint in comparison.hints:
        output.warn(hint)
    if out is None:
        out = new_out(Path("comparisons"), question.images[0], datetime.now())
    total = len(question.images) * len(question.methods)
    with output.bars(quiet=quiet) as show:
        show("comparing", 0, total)
        return compare_(comparison, out, lambda done: show("comparing", done, total))


def _told(document: "ComparisonDocument") -> list[str]:
    lines = []
    for row in document["images"]:
        read = row["sentence"] or "no sentence, not every axis was read"
        lines += [f"{row['image']}: {read}" + f" ({DOUBTFUL})" * bool(row.get("doubtful"))]
        lines += [f"  doubt: {warning}" for warning in row.get("warnings", ())]
        lines += [f"  {line}" for line in output.table([_HEAD, *map(_scores, row["methods"])])]
    if len(document["images"]) > 1:
        lines += ["", f"means of {len(document['images'])} images, with 95 % intervals"]
        lines += output.table([_SUMMARY_HEAD, *map(_means, document["summary"])])
    return [*lines, f"look at {document['picture']}"]


_HEAD = ("method", "renders", "best", "mean", "axes", "noun", "scene", "sentence")


def _scores(entry: "MethodScores") -> list[str]:
    yes = {True: "yes", False: "no", None: "-"}
    return [
        entry["method"],
        str(entry["renders"]),
        _number(entry["best"]),
        _number(entry["mean"]),
        _number(entry["axes"], 2),
        yes[entry["noun"]],
        yes[entry["scene"]],
        entry["sentence"] or "-",
    ]


_SUMMARY_HEAD = (
    "method", "images", "renders", "best", "", "mean", "", "axes", "noun", "scene", "rldf wins",
    "ties", "loses", "by", "",
)  # fmt: skip


def _means(entry: "MethodSummary") -> list[str]:
    return [
        entry["method"],
        str(entry["images"]),
        _number(entry["renders"], 0),
        *_spread(entry, "best"),
        *_spread(entry, "mean"),
        *(_number(entry[name], 2) for name in ("axes", "noun", "scene")),
        *(str(entry.get(name, "")) for name in ("wins", "ties", "losses")),
        *(_spread(entry, "margin") if "margin" in entry else ("", "")),
    ]


def _spread(entry: Mapping[str, Any], name: str) -> tuple[str, str]:
    low, high = entry[f"{name}_low"], entry[f"{name}_high"]
    return _number(entry[name]), "" if low is None else f"[{low:.3f}, {high:.3f}]"


def _number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
