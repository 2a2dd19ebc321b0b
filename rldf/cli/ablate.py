"""`rldf ablate`: measure whether a concept that the grammar lacks disappears."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rldf.cli import output
from rldf.cli.endpoint import BaseUrl, models_at
from rldf.cli.model_choice import SetGrammar, grammar_of, settle, tell
from rldf.io.text import counted
from rldf.models.auto import AUTO

if TYPE_CHECKING:
    from rldf.experiments.applications.ablate import AblationResult, Drop
    from rldf.models.auto import Choice
    from rldf.runs.config import SearchConfig

_DROPS = {
    "input_to_caption": "input to its caption's drawing",
    "input_to_rldf": "input to RLDF's drawing",
    "caption_to_rldf": "caption's drawing to RLDF's",
}


def ablate(
    concept: Annotated[str, typer.Argument(help="A style or character, such as watercolour.")],
    images: Annotated[list[str], typer.Argument(help="Images that show it.", metavar="IMAGE...")],
    caption: Annotated[
        list[str] | None, typer.Option(help="Caption of an image; once for each, in their order.")
    ] = None,
    captioner: Annotated[
        Path | None,
        typer.Option(help="Folder of an image-to-text model. Default: CLIP picks a sentence."),
    ] = None,
    neutral: Annotated[
        str | None, typer.Option(help="Subtract this text's score from the concept's.")
    ] = None,
    grammar: SetGrammar = None,
    models: Annotated[str, typer.Option(help="Model set: a name or a YAML file.")] = AUTO,
    base_url: BaseUrl = None,
    reward: Annotated[str, typer.Option(help="Reward to maximise.")] = "multi",
    agent: Annotated[str, typer.Option(help="Search agent (docs/agents.md).")] = "planner",
    renders: Annotated[int, typer.Option(help="Unique renders of each search.")] = 40,
    seed: Annotated[int, typer.Option(help="Seed of the agent and its starts.")] = 0,
    image_seed: Annotated[int, typer.Option(help="Seed of every image.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder. Default: ./ablated/<concept>.")] = None,
    as_json: output.JsonFlag = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Measure how much of a concept is left in the images of a caption and of RLDF."""
    from rldf.experiments.applications.ablate import check_request, names_concept
    from rldf.grammar.grammar import load_grammar
    from rldf.runs.config import SearchConfig
    from rldf.runs.naming import clean_stem

    check_request(concept, images, caption or None)
    choice = settle(models)
    drawn_by = models_at(choice.name, base_url)
    settings = SearchConfig(
        image=images[0], grammar=grammar_of(grammar, drawn_by), models=drawn_by, reward=reward,
        agent=agent, renders=renders, seed=seed, image_seed=image_seed,
    )  # fmt: skip
    if names_concept(load_grammar(settings.grammar), concept):
        output.warn(f"grammar {settings.grammar} has a word for {concept}: it need not fall away")
    place = out or Path("ablated", clean_stem(concept))
    result = run_ablation(
        settings, concept, images, place, choice, captions=caption or None,
        captioner=captioner, neutral=neutral, quiet=quiet or as_json,
    )  # fmt: skip
    output.result(result.document(), _told(result), as_json=as_json)


def run_ablation(
    settings: "SearchConfig",
    concept: str,
    images: Sequence[str],
    out: Path,
    choice: "Choice",
    *,
    captions: Sequence[str] | None,
    captioner: Path | None,
    neutral: str | None,
    quiet: bool,
) -> "AblationResult":
    """Load what is needed, and measure."""
    from rldf.errors import NoGoalError
    from rldf.models.checksums import checksum_of
    from rldf.models.model_sets import load_model_set

    with output.busy("loading the models", quiet=quiet):
        from rldf.experiments.applications.ablate import Ablation, ablate
        from rldf.experiments.compare.captions import make_captioner
        from rldf.runs.config import build_search

        models = load_model_set(settings.models)
        tasks = []
        for image in images:
            try:
                tasks.append(build_search(replace(settings, image=image), models))
            except NoGoalError as error:  # which of the images?
                raise NoGoalError(f"{image}: {error}") from None
    tell(choice)
    for hint in dict.fromkeys(hint for task in tasks for hint in task.hints):
        output.warn(hint)
    asked = Ablation(
        concept=concept,
        tasks=tuple(tasks),
        models=models,
        captions=None if captions is None else tuple(captions),
        captioner=None if captioner is None else checksum_of(captioner),
        neutral=neutral,
    )
    with output.busy("searching and drawing", quiet=quiet):
        return ablate(asked, lambda: make_captioner(models, captioner, settings.grammar), out)


def _told(result: "AblationResult") -> list[str]:
    head = ("image", "input", "caption", "RLDF", "found sentence")
    rows = [
        (image.image, *(f"{score:.3f}" for score in image.scores.values()), image.sentence)
        for image in result.images
    ]
    means = ("mean", *(f"{score:.3f}" for score in result.mean_scores.values()), "")
    lines = [f"CLIP's score of '{result.concept}'", *output.table([head, *rows, means]), ""]
    lines += [f"{text}: {_drop(result.drops[name])}" for name, text in _DROPS.items()]
    return [*lines, f"look at {result.sheet}"]


def _drop(drop: "Drop") -> str:
    sure = "" if drop.ci is None else f" (95 % interval {drop.ci[0]:.3f} to {drop.ci[1]:.3f})"
    return f"drop of {drop.mean:.3f}{sure}, in {drop.fell} of {counted(drop.of, 'image')}"
