"""Runs every method on one input image, and scores all in the same way."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from PIL.Image import Image

from rldf import seeding as seeds
from rldf.experiments.compare.baselines import SPLIT, BaselineInput, baseline_prompts
from rldf.experiments.compare.captions import Captioner
from rldf.experiments.compare.documents import MethodScores
from rldf.experiments.compare.score import Judge, Prompt, drawn, evaluation_seeds
from rldf.generators.cached import CachedGenerator
from rldf.io.images import write_png
from rldf.io.paths import cache_folder
from rldf.models.model_sets import ModelSet
from rldf.perception.encoder import Encoder
from rldf.runs.config import Search, build_search
from rldf.runs.loop import SearchState, walk

SEARCH = "rldf"
"""The method that the baselines are compared with."""

_NOTHING = "not every axis of grammar {} can be read in the image, so there is no sentence"
_CUT = "the generator reads no more of a longer sentence: '{}'"


class MethodRunner:
    """The methods on one input image."""

    def __init__(self, task: Search, models: ModelSet, captioner: Captioner | None) -> None:
        """Embed and read the input image; nothing is generated yet."""
        settings, grammar = task.settings, task.environment.grammar
        self._task, self._models = task, models
        self._generator = CachedGenerator(models.generator, cache_folder())
        self._judge = Judge(task.image, task.reading, Encoder(grammar, models), models)
        self._case = BaselineInput(
            image=task.image,
            vector=self._judge.vector,
            sentence=task.reading.sentence,
            key=task.config["image_sha256"],
            grammar=grammar,
            clip=models.clip,
            captioner=captioner,
            renders=settings.renders,
            seed=settings.seed,
            image_seed=settings.image_seed,
        )

    def score(self, method: str, place: Path) -> MethodScores:
        """Generate a method's images, score the best one and write it."""
        pictures, notes = self._pictures(method)
        if pictures is None:
            return _without_sentence(method, notes)
        best = self._judge.best(pictures)
        sentence = best.prompt.sentence
        image_seeds = evaluation_seeds(self._case.image_seed)
        mean = self._judge.mean(self._generator, sentence, image_seeds)
        file = f"{method}.png"
        write_png(place / file, best.image)
        return {
            "method": method,
            "sentence": sentence,
            "seed": best.prompt.seed,
            "renders": best.renders,
            "best": round(best.likeness, 6),
            "mean": round(mean, 6),
            **self._judge.semantics(best.image),
            "picture": file,
            "notes": notes,
        }

    def _pictures(self, method: str) -> tuple[Iterator[tuple[Prompt, Image]] | None, list[str]]:
        if method == SEARCH:
            return searched(self._task), []
        if method == SPLIT:
            return self._split(), []
        prompts = baseline_prompts(method, self._case)
        if not prompts:
            return None, [_NOTHING.format(self._case.grammar.name)]
        cut = [Prompt(self._models.generator.cut(p.sentence), p.seed) for p in prompts]
        longer = next((p.sentence for p, c in zip(prompts, cut, strict=True) if p != c), None)
        return drawn(self._generator, cut), [] if longer is None else [_CUT.format(longer)]

    def _split(self) -> Iterator[tuple[Prompt, Image]]:
        """Search with half of the renders, then draw the best cell with the next image seeds."""
        settings = self._task.settings
        half = settings.renders // 2
        task = build_search(replace(settings, renders=half), self._models)
        best: tuple[float, str] | None = None
        for prompt, image in searched(task):
            yield prompt, image
            likeness = self._judge.likeness([image])[0]
            if best is None or likeness > best[0]:
                best = likeness, prompt.sentence
        assert best is not None, "a search draws at least one picture"
        first = settings.image_seed + 1  # the search drew it with the seed before
        more = range(first, first + settings.renders - half)
        yield from drawn(self._generator, [Prompt(best[1], s) for s in more])


def searched(task: Search) -> Iterator[tuple[Prompt, Image]]:
    """Search, without a run folder."""
    environment, settings = task.environment, task.settings
    environment.reset(seed=seeds.derive(settings.seed, "start") % 2**31)
    for step in walk(environment, task.agent, settings, SearchState()):
        if step.new:
            yield Prompt(step.sentence, step.seed), environment.image()


def _without_sentence(method: str, notes: list[str]) -> MethodScores:
    return {
        "method": method,
        "sentence": None,
        "seed": None,
        "renders": 0,
        "best": None,
        "mean": None,
        "axes": None,
        "noun": None,
        "scene": None,
        "picture": None,
        "notes": notes,
    }
