"""Compares a search with baselines: equal renders, equal seeds, equal scores.

    <out>/manifest.json          configuration and result
    <out>/comparison.png         one row for each image: the input, then the best of each method
    <out>/01-<image>/            results of the first image
        input.png rldf.png ...   the input, and the best image of each method
        result.json              its scores; there only when all of the image is done

A finished image is not computed again, and the render cache keeps single images, so the same
command resumes where it stopped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from rldf import seeding as seeds
from rldf.errors import UsageError
from rldf.experiments.compare.baselines import SPLIT, check_baselines, check_exhaustible
from rldf.experiments.compare.captions import Captioner, make_captioner
from rldf.experiments.compare.documents import (
    ComparisonDocument,
    ImageScores,
    read_scores,
)
from rldf.experiments.compare.runner import SEARCH, MethodRunner
from rldf.experiments.compare.score import evaluation_seeds
from rldf.experiments.compare.summary import draw_comparison, summarise
from rldf.grammar.grammar import load_grammar
from rldf.io.files import write_json
from rldf.io.images import write_png
from rldf.io.workdir import ResultFolder
from rldf.models.checksums import checksum_of
from rldf.models.model_sets import ModelSet, load_model_set
from rldf.runs.config import Search, SearchConfig, build_search
from rldf.runs.naming import clean_stem

RESULT, PICTURE = "result.json", "comparison.png"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is compared."""

    images: tuple[str, ...]  # paths of the input images
    grammar: str = "base"  # whose cells are searched, name or path
    models: str = "pocket"  # model set, name or path
    renders: int = 40  # unique renders of each method and image
    agent: str = "planner"  # search agent
    reward: str = "clip"  # reward to maximise
    # names of the baselines, in order
    baselines: tuple[str, ...] = ("encoder", "random", "caption", "pez")
    # folder of an image-to-text model; None retrieves a sentence by CLIP
    captioner: Path | None = None
    seed: int = 0  # of the agent and of the baselines' chance
    image_seed: int = 0  # of all cells, and the first seed of a baseline with one sentence

    def __post_init__(self) -> None:
        """Refuse what cannot be compared, before anything is loaded."""
        if not self.images:
            raise UsageError("no image: type the path of one")
        check_baselines(self.baselines)
        if self.captioner is not None and "caption" not in self.baselines:
            raise UsageError("--captioner is for the baseline caption: name it in --baselines")
        self._check_budget()
        self.settings(self.images[0])
        last = 2**seeds.SEED_BITS - self.renders
        if self.image_seed > last:
            raise UsageError(f"--image-seed {self.image_seed}: give 0 or more, at most {last}")

    def _check_budget(self) -> None:
        usual = SearchConfig(image=self.images[0], agent=self.agent)
        batch = usual.options.get("batch", 1)
        least = 2 * batch if SPLIT in self.baselines else batch
        if 1 <= self.renders < least:
            halved = ", and split searches with half of them" if SPLIT in self.baselines else ""
            raise UsageError(
                f"--renders {self.renders}: {self.agent} draws {batch} together{halved}: "
                f"give {least} or more"
            )

    def settings(self, image: str) -> SearchConfig:
        """Give the settings of the search for one image; it goes on past the goal."""
        return SearchConfig(
            image=image, grammar=self.grammar, models=self.models, reward=self.reward,
            agent=self.agent, renders=self.renders, seed=self.seed, image_seed=self.image_seed,
            stop="budget",
        )  # fmt: skip

    @property
    def methods(self) -> tuple[str, ...]:
        """The search and its baselines."""
        return (SEARCH, *self.baselines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A question with everything that it names, loaded and checked."""

    question: Question  # what is compared
    models: ModelSet  # what draws and sees
    captioner: Captioner | None  # describes images; None where no baseline asks for captions
    tasks: tuple[Search, ...]  # a search for each image

    @property
    def hints(self) -> list[str]:
        """Sentences for the user, each once."""
        return list(dict.fromkeys(hint for task in self.tasks for hint in task.hints))

    def config(self) -> dict[str, Any]:
        """Give all that decides the result."""
        asked, searched = self.question, self.tasks[0].config
        names = ("grammar", "models", "renders", "agent", "reward", "seed", "image_seed")
        parts = ("grammar_sha256", "reward_file", "model_set", "drawn_as")
        return {
            "command": "compare",
            "inputs": [task.config["image_sha256"] for task in self.tasks],
            **{name: getattr(asked, name) for name in names},
            "rivals": list(asked.baselines),
            "captioner": None if asked.captioner is None else checksum_of(asked.captioner),
            "evaluation_seeds": list(evaluation_seeds(asked.image_seed)),
            **{part: searched[part] for part in parts},
        }


def prepare_comparison(question: Question) -> Comparison:
    """Load and check everything; nothing is drawn or written."""
    if "exhaustive" in question.baselines:
        check_exhaustible(load_grammar(question.grammar))
    models = load_model_set(question.models)
    captioner = None
    if "caption" in question.baselines:
        captioner = make_captioner(models, question.captioner, question.grammar)
    tasks = tuple(build_search(question.settings(image), models) for image in question.images)
    return Comparison(question=question, models=models, captioner=captioner, tasks=tasks)


def compare(
    comparison: Comparison, out: Path, progress: Callable[[int], None] = lambda done: None
) -> ComparisonDocument:
    """Draw and score everything; done again, it goes on."""
    methods = comparison.question.methods
    folder = ResultFolder(out, comparison.config())
    with folder.filling():
        rows = []
        for number, task in enumerate(comparison.tasks):
            name = f"{number + 1:02d}-{clean_stem(task.settings.image)}"
            rows.append(_row(comparison, task, out / name, number * len(methods), progress))
        write_png(out / PICTURE, draw_comparison(rows, out, methods))
        warnings = dict.fromkeys(told for row in rows for told in row.get("warnings", ()))
        result = {
            "images": rows,
            "summary": summarise(rows, methods),
            "warnings": list(warnings),
        }
        folder.finish(result)
    places = {"out": str(out), "picture": str(out / PICTURE)}
    return cast(ComparisonDocument, {**places, **comparison.config(), **result})


def _row(
    comparison: Comparison, task: Search, place: Path, before: int, progress: Callable[[int], None]
) -> ImageScores:
    """Give the result of one image, from its file where that is there."""
    if (place / RESULT).exists():
        return read_scores(place / RESULT, comparison.question.methods)
    place.mkdir(exist_ok=True)
    write_png(place / "input.png", task.image)
    runner = MethodRunner(task, comparison.models, comparison.captioner)
    scores = []
    for method in comparison.question.methods:
        scores.append(runner.score(method, place))
        progress(before + len(scores))
    row: ImageScores = {
        "image": task.settings.image,
        "folder": place.name,
        "sentence": task.reading.sentence,
        "doubtful": task.reading.record.doubtful,
        "warnings": list(task.hints),
        "methods": scores,
    }
    write_json(place / RESULT, row)
    return row
