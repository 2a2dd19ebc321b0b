"""The records of `run.json` and `steps.jsonl`, which are checked when they are loaded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat, TypeAdapter, ValidationError

from rldf.errors import RunError
from rldf.grammar.encoding import Encoding
from rldf.io.files import read_file, read_lines
from rldf.perception.reading import ReadingRecord
from rldf.seeding import SEED_BITS

VALUES = "values.json"
"""Name of the value map in a run folder."""

Status = Literal["running", "interrupted", "done"]

# encoding and seed become a file name and may come from an untrusted file, so they are bounded
_Index = Annotated[int, Field(ge=0, lt=1_000_000)]
_Cell = Annotated[tuple[_Index, ...], Field(min_length=1, max_length=32)]
_Positive = Annotated[int, Field(ge=1)]
_Seed = Annotated[int, Field(ge=0, lt=2**SEED_BITS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of `steps.jsonl`.

    Attributes:
        step: number of the step in the whole run, from 1.
        episode: number of the episode, from 1.
        encoding: the cell that the step led to.
        sentence: the sentence of that cell.
        action: the last move to that cell; the first cell of an episode is not a step, since no
            image is generated for it.
        reward: the reward of the image of the cell; finite.
        distance: L1 distance to the goal, or None if no goal is known.
        new: true if the image was generated for this step, false if the reward was known before.
        renders: unique images spent so far, including those generated together with this one.
        terminal: true if the episode ended here, at the goal or at an unrealistic image.
        seed: the seed of the image.
        moves: number of legal moves to the cell; no images were generated on the way.
    """

    step: _Positive
    episode: _Positive
    encoding: _Cell
    sentence: str
    action: int
    reward: FiniteFloat
    distance: int | None
    new: bool
    renders: int
    terminal: bool
    seed: _Seed
    moves: _Positive = 1

    def is_goal(self, goal: Encoding | None) -> bool:
        """Return whether this step led to the goal; if `goal` is None, whether `distance` is 0."""
        return self.distance == 0 if goal is None else self.encoding == tuple(goal)

    def rank(self, goal: Encoding | None) -> tuple[float, bool, int]:
        """Return the sort key of the step: the best step has the lowest key."""
        return -self.reward, not self.is_goal(goal), self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeEvent:
    """The record of one resumption of a run.

    Attributes:
        at: the time, ISO 8601 in UTC.
        versions: version by package, None where a package is not installed.
        git: the commit of rldf's checkout, or None where it is installed without one.
    """

    at: str
    versions: dict[str, str | None]
    git: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """The content of `run.json`.

    Attributes:
        status: "running", "interrupted" or "done".
        config: the resolved configuration: everything that decides the run.
        seed: the seed of the agent and of its starts.
        command: the command line, one item for each word.
        versions: version by package, None where a package is not installed.
        git: the commit of rldf's checkout, or None where it is installed without one.
        started: time of the start, ISO 8601 in UTC.
        finished: time of the end or interruption, or None while the run goes on.
        result: the result, or None while the run goes on.
        resumed: one record for each time that the run was resumed.
        model_choice: why this model set was chosen, or None if that was not recorded.
        reading: how certain the reading of the input image is, or None in runs of older versions.
    """

    status: Status
    config: dict[str, Any]
    seed: int
    command: tuple[str, ...]
    versions: dict[str, str | None]
    git: str | None
    started: str
    finished: str | None = None
    result: dict[str, Any] | None = None
    resumed: tuple[ResumeEvent, ...] = ()
    model_choice: str | None = None
    reading: ReadingRecord | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings about the reading of the input image."""
        return () if self.reading is None else self.reading.warnings

    @property
    def doubtful(self) -> bool:
        """Whether the goal comes from a doubtful reading; False if no reading was recorded."""
        return self.reading is not None and self.reading.doubtful


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueMap:
    """The value max_a Q(s, a) over two axes of the grid.

    Attributes:
        axes: symbols of the two axes, rows first.
        rows: names of the values of the first axis.
        columns: names of the values of the second axis.
        held: the value name of each other axis, by its symbol.
        held_at: "goal" or "best cell": where the other axes are held.
        values: one list a row; None for a cell of which no action was ever taken.
        mark: row and column of the goal or the best cell.
    """

    axes: tuple[str, str]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    held: dict[str, str]
    held_at: str
    values: tuple[tuple[float | None, ...], ...]
    mark: tuple[int, int]


_STEP = TypeAdapter(Step)
_RECORD = TypeAdapter(RunRecord)


def read_record(path: Path) -> RunRecord:
    """Load and check a `run.json`."""
    try:
        return _RECORD.validate_json(read_file(path))
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise RunError(f"{path} is damaged: {_first_problem(error)}") from None


def read_steps(path: Path) -> list[Step]:
    """Load and check a `steps.jsonl`, without an incomplete last line."""
    return [_step(path, n, line) for n, line in enumerate(read_lines(path), start=1)]


def _step(path: Path, number: int, line: bytes) -> Step:
    try:
        return _STEP.validate_json(line)
    except ValidationError as error:
        raise RunError(f"{path}, line {number} is damaged: {_first_problem(error)}") from None


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, problem["loc"]))
    return f"{place}: {problem['msg']}" if place else problem["msg"]


def upgraded(there: Mapping[str, object], here: Mapping[str, object]) -> dict[str, object]:
    """Convert the configuration `there` of a run of version 0.13 or older to the present form.

    Old versions recorded the options of all agents and `stop_at_goal`; newer keys get defaults.
    """
    if "options" in there or "options" not in here:
        return dict(there)
    options = here["options"]
    assert isinstance(options, Mapping)
    kept = {name: value for name, value in there.items() if name not in _OLD}
    stop = "goal" if there.get("stop_at_goal", True) else "budget"
    new = {"rollouts": here.get("rollouts"), "value_axes": None, "end_unrealistic": False}
    return {**new, **kept, "stop": stop, "options": {name: there.get(name) for name in options}}


_OLD = {
    "epsilon", "alpha", "gamma", "optimism", "gain", "step_size", "momentum", "batch",
    "warm_start", "stop_at_goal",
}  # fmt: skip


def best_step(steps: Iterable[Step], goal: Encoding | None) -> Step:
    """Return the step with the highest reward; of equal ones a step at the goal, then the first."""
    return min(steps, key=lambda step: step.rank(goal))
