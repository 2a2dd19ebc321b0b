"""Search from Python: the function that the command line and `rldf.search` call."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from PIL.Image import Image

from rldf.errors import RunError
from rldf.models.auto import AUTO
from rldf.models.model_sets import ModelSet, auto_choice, load_model_set
from rldf.search.config import Search, SearchConfig, budget_of, build_search
from rldf.search.loop import search as run_search
from rldf.search.records import Step
from rldf.search.result import SearchResult, read_result
from rldf.search.run_folder import RunFolder
from rldf.search.run_naming import new_out, refuse_foreign_run


def search(
    image: str | Path | Image,
    *,
    reward: str = "clip",
    agent: str = "planner",
    models: str | ModelSet = AUTO,
    grammar: str | None = None,
    renders: int | None = None,
    episodes: int | None = None,
    steps: int = 200,
    stop: str = "goal",
    seed: int = 0,
    out: Path | str | None = None,
    resume: bool = False,
    progress: Callable[[Step], None] | None = None,
    **options: Any,
) -> SearchResult:
    """Search for the sentence whose image comes nearest to an input image.

    Args:
        image: path of the input image, or the image itself (converted to RGB).
        reward: reward to maximise, a name ("multi", "partial", "clip", "combined") or a YAML file.
        agent: search agent, a name of the catalogue (see docs/agents.md).
        models: model set, a name, a YAML file or one that is loaded; "auto" takes the best one
            that is installed.
        grammar: grammar of the sentences, a name or a YAML file; None takes the model set's.
        renders: budget of unique images, 1 or more; None is 200, or no bound with stop "episodes".
        episodes: maximum number of episodes, 1 or more; None is 50.
        steps: maximum number of steps of an episode, 1 or more.
        stop: what ends the search: "goal" (reached once), "budget" (also after the goal) or
            "episodes" (each episode ends at the goal; `episodes` has to be given).
        seed: seed of the agent and of its starts.
        out: run folder; None makes a new one, `./runs/<image>-<time>`.
        resume: whether to go on with the run in `out`, which must have the same configuration.
        progress: called after every step.
        options: any other field of `rldf.search.config.SearchConfig`, and the agent's options
            (`alpha=0.3`, `batch=8`; see docs/agents.md).

    Returns:
        The best sentence, its image, the steps, and the run folder with the report.

    Raises:
        UsageError: an argument is wrong; the message says which.
        NoGoalError: the reward needs a goal, and not every axis could be read in the image.
        RunError: the run folder cannot be used.
        ModelMissingError: a model is not installed.
    """
    from rldf.report import write_report  # the report reads run folders, so it imports this package

    folder = None if out is None else Path(out)
    check_out(folder, resume=resume)
    if isinstance(models, ModelSet):
        name, loaded = models.named, models
    else:
        name = auto_choice().name if models == AUTO else models
        loaded = load_model_set(name)
    config = SearchConfig.of(
        image="image" if isinstance(image, Image) else str(image),
        reward=reward,
        agent=agent,
        models=name,
        grammar=grammar or AUTO,
        steps=steps,
        stop=stop,
        **budget_of(stop, renders, episodes, steps, options.get("image_seeds", 1)),
        seed=seed,
        **options,
    )
    ready = build_search(config, loaded, image if isinstance(image, Image) else None)
    with open_run(ready, folder, resume=resume) as run:
        run_search(ready, run, progress or (lambda step: None))
        write_report(run, ready.environment.goal)
    return read_result(run.path)


def check_out(out: Path | None, *, resume: bool) -> None:
    """Refuse a run folder that cannot be used, before anything is loaded."""
    if out is not None:
        refuse_foreign_run(out)
    elif resume:
        raise RunError("--resume needs --out with the folder of the run to go on with")


def open_run(
    ready: Search,
    out: Path | None,
    *,
    resume: bool = False,
    command: Sequence[str] = ("rldf", "search"),
    model_choice: str | None = None,
) -> RunFolder:
    """Make or resume the run folder of a search, and hold its lock."""
    check_out(out, resume=resume)
    if resume and out is not None:
        return RunFolder.resume(out, ready.config)
    return RunFolder.create(
        out or new_out(Path("runs"), Path(ready.settings.image).name, datetime.now()),
        ready.config,
        command,
        ready.settings.seed,
        model_choice=model_choice,
        reading=ready.reading.record,
    )
