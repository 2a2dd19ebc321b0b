"""`rldf.encode`, `rldf.search` and `rldf.make_env`: an image and the search for its sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL.Image import Image

from rldf.agents.options import all_options
from rldf.api.inputs import ImageLike, image_file, open_image
from rldf.api.progress import Progress, told
from rldf.errors import RunError, UsageError
from rldf.grammar.encoding import Encoding
from rldf.grammar.grammar import Grammar, load_grammar
from rldf.io.images import read_image
from rldf.io.text import counted
from rldf.models.auto import AUTO
from rldf.models.model_set import ModelSet
from rldf.models.model_sets import auto_choice, load_model_set
from rldf.perception.encoder import Encoder, grammar_for
from rldf.perception.reading import ImageReading
from rldf.report import write_report
from rldf.runs.config import Search, SearchConfig, build_search
from rldf.runs.env import EncodingGridEnv
from rldf.runs.folder import RunFolder, load_run
from rldf.runs.loop import check_out, open_run
from rldf.runs.loop import search as run_search
from rldf.runs.records import Step, best_step


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """What a search found; everything is read from its run folder.

    Attributes:
        out: the run folder, which other commands and functions take too.
        sentence: the sentence with the highest reward.
        reward: what its image earned; its range is the reward's.
        encoding: (n_axes,) of the sentence in the grammar that was searched.
        steps: every step in the order in which they were taken, at least 1.
        goal: the sentence read in the input image, None where not every axis could be read.
        goal_reached: whether the search saw the goal's cell, None where no goal is known.
        renders: unique images drawn.
        warnings: what is doubtful in the reading of the input, one line each.
    """

    out: Path
    sentence: str
    reward: float
    encoding: Encoding
    steps: Sequence[Step]
    goal: str | None
    goal_reached: bool | None
    renders: int
    warnings: tuple[str, ...]

    @cached_property
    def image(self) -> Image:
        """The image with the highest reward, RGB."""
        return read_image(self._run.image_path(self.encoding, best_step(self.steps, None).seed))

    @cached_property
    def input(self) -> Image:
        """The image that was given, RGB."""
        return read_image(self._run.input_path)

    def to_html(self) -> str:
        """Return the run's report: one HTML page that needs no other file and no network.

        Raises:
            RunError: the run folder is gone or damaged.
        """
        from rldf.report.page import draw_page
        from rldf.report.states import visited_states

        return draw_page(self._run, self.steps, visited_states(self.steps), None)

    def _repr_html_(self) -> str:
        """Show input and result side by side, in a notebook."""
        from rldf.report.html import figure
        from rldf.report.images import data_uri

        shown = f"{self.sentence} (reward {self.reward:.3f}, {counted(self.renders, 'render')})"
        pictures = figure(data_uri(self.input), "the input image", "input") + figure(
            data_uri(self.image), self.sentence, shown
        )
        return f'<div style="display: flex; gap: 1em">{pictures}</div>'

    @cached_property
    def _run(self) -> RunFolder:
        return load_run(self.out)


def load_result(run: str | Path) -> SearchResult:
    """Read what a search found from its run folder; the search may still go on.

    Args:
        run: the folder, of `rldf search` or `rldf.search`.

    Returns:
        The result so far.

    Raises:
        RunError: there is no run, it has no step yet, or it is damaged.
    """
    folder = load_run(Path(run))
    steps = folder.steps()
    if not steps:
        raise RunError(f"{run} has no step yet: wait, or name another run")
    best = best_step(steps, None)
    summary = folder.record.result or {}
    goal = summary.get("goal")
    return SearchResult(
        out=Path(run),
        sentence=best.sentence,
        reward=best.reward,
        encoding=best.encoding,
        steps=tuple(steps),
        goal=goal["sentence"] if isinstance(goal, dict) else None,
        goal_reached=summary.get("goal_reached"),
        renders=steps[-1].renders,
        warnings=tuple(summary.get("warnings", folder.record.warnings)),
    )


def encode(
    image: ImageLike,
    *,
    grammar: str | Path | Grammar | None = None,
    models: str | Path | ModelSet = "auto",
) -> ImageReading:
    """Read an image in the words of a grammar: its encoding, its sentence, what was seen.

    Args:
        image: a path, a PIL image or an array of uint8, (h, w, 3).
        grammar: a shipped name, a path that ends in .yaml, or what `load_grammar` returned; the
            model set's own where it is left out.
        models: a model set: name, path, or what `load_models` returned. "auto" is the best one
            that is complete on this machine.

    Returns:
        The reading: `encoding` (n_axes,) and `sentence`, both None where an axis could not be
        read, and `record` with how sure each axis is.

    Raises:
        ImageError: the image cannot be read.
        UsageError: there is no such grammar or model set.
        ModelMissingError: a model is not on this machine.
    """
    model_set = _model_set(models)
    opened = open_image(image)
    words = grammar
    if not isinstance(words, Grammar):
        words = load_grammar(str(words or grammar_for(opened, model_set, model_set.file)))
    return Encoder(words, model_set, model_set.file).encode(opened)


def search(
    image: ImageLike,
    *,
    reward: str | Path = "multi",
    agent: str = "planner",
    grammar: str | Path | None = None,
    models: str | Path | ModelSet = "auto",
    renders: int = 200,
    seed: int = 0,
    out: str | Path | None = None,
    resume: bool = False,
    progress: Progress | bool = False,
    **options: Any,
) -> SearchResult:
    """Search for the sentence that makes the generator draw the image again.

    Args:
        image: a path, a PIL image or an array of uint8, (h, w, 3).
        reward: "multi", "partial", "clip", "combined", or a path that ends in .yaml.
        agent: "planner", "q", "sarsa", "expected-sarsa", "dyna-q", "gradient" or "random".
        grammar: a shipped name or a path; the model set's own where it is left out.
        models: a model set: name, path, or what `load_models` returned.
        renders: the budget: unique images drawn, 1 or more.
        seed: of the agent and its starts.
        out: the run folder; a new one under ./runs where it is left out.
        resume: continue the run in `out`, which must be of the same options.
        progress: True for a bar, or a function called with ("search", images drawn, `renders`)
            after every step.
        **options: the other fields of `rldf.runs.config.SearchConfig` and the agent's own
            options, as `rldf search` has them: axes="Noun,Scene", image_seed=0, epsilon=0.1.

    Returns:
        The result.

    Raises:
        UsageError: an option is not allowed; what is, is said in its message.
        NoGoalError: the reward needs a goal, and none could be read in the image.
        RunError: `out` holds something else, or a run of other options.
        ModelMissingError: a model is not on this machine.
    """
    place = None if out is None else Path(out)
    if resume and place is None:
        raise UsageError("resume=True needs out, the folder of the run to continue")
    check_out(place, resume=resume)  # before models are loaded
    given = dict(options, reward=str(reward), agent=agent, renders=renders, seed=seed)
    task, why = _task(image, models, grammar, given)
    call = f"rldf.search({task.config['image']!r}, reward={task.settings.reward!r}, ...)"
    run = open_run(task, place, resume=resume, command=[call], model_choice=why)
    with run, told(progress) as show:
        run_search(task, run, lambda step: show("search", step.renders, renders))
        write_report(run, task.environment.goal)
    return load_result(run.path)


def make_env(
    image: ImageLike,
    *,
    reward: str | Path = "multi",
    grammar: str | Path | None = None,
    models: str | Path | ModelSet = "auto",
    **options: Any,
) -> EncodingGridEnv:
    """Make the Gymnasium environment of a search, for an agent or a library of your own.

    Args:
        image: a path, a PIL image or an array of uint8, (h, w, 3).
        reward: as for `search`.
        grammar: as for `search`.
        models: as for `search`.
        **options: fields of `rldf.runs.config.SearchConfig` about the environment: axes,
            image_seed, image_seeds, stop, dynamic_seeds, penalise_unrealistic.

    Returns:
        The environment: observations MultiDiscrete(grammar shape), actions Discrete(2 n_axes),
        `info["action_mask"]` (2 n_axes,) with the actions that move. See docs/environment.md.

    Raises:
        UsageError, NoGoalError, ModelMissingError: as for `search`.
    """
    return _task(image, models, grammar, dict(options, reward=str(reward)))[0].environment


def _task(
    image: ImageLike,
    models: str | Path | ModelSet,
    grammar: str | Path | None,
    options: dict[str, Any],
) -> tuple[Search, str | None]:
    """Load what a search needs; also why its model set was chosen, None if it was named."""
    known = {*SearchConfig.__dataclass_fields__, *(option.name for option in all_options())}
    for name in sorted(options.keys() - known):
        raise UsageError(f"no option '{name}' of a search: give one of {', '.join(sorted(known))}")
    why = auto_choice().why if models == "auto" else None
    model_set = _model_set(models)
    with image_file(image) as path:
        settings = SearchConfig.of(
            **options | {"image": str(path), "models": model_set.named},
            grammar=str(grammar or AUTO),
        )
        return build_search(settings, model_set), why


def _model_set(models: str | Path | ModelSet) -> ModelSet:
    return models if isinstance(models, ModelSet) else load_model_set(str(models))
