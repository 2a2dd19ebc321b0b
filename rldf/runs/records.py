"""The records of a run folder: what `run.json` and `steps.jsonl` say, checked as they are read."""

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

# steps.jsonl may be a stranger's, and encoding and seed become a file name: they are bounded
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
        sentence: what the grammar derives from it.
        action: the last move there; an episode's own start is no step, since no render is spent
            on it.
        reward: what the cell's image earned; finite.
        distance: L1 steps from the goal, or None where no goal is known.
        new: true if a unique image was spent on it.
        renders: unique images spent so far, this one and those drawn together with it included.
        terminal: true if the episode ended here, at the goal or at an unrealistic image.
        seed: the seed that the image was drawn with.
        moves: legal moves to the cell; those passed before it were not drawn.
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
        """Return whether this step led to the cell that was searched for."""
        return self.distance == 0 if goal is None else self.encoding == tuple(goal)

    def rank(self, goal: Encoding | None) -> tuple[float, bool, int]:
        """Return what steps are compared by; the best step is the one with the lowest."""
        return -self.reward, not self.is_goal(goal), self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeEvent:
    """One time that a run was resumed.

    Attributes:
        at: when, ISO 8601 in UTC.
        versions: version by package, None where a package is not installed.
        git: the commit of rldf's checkout, or None where it is installed without one.
    """

    at: str
    versions: dict[str, str | None]
    git: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What `run.json` holds.

    Attributes:
        status: "running", "interrupted" or "done".
        config: the resolved configuration: everything that decides the run.
        seed: the seed of the agent and its start.
        command: the command line, one word an item.
        versions: version by package, None where a package is not installed.
        git: the commit of rldf's checkout, or None where it is installed without one.
        started: when, ISO 8601 in UTC.
        finished: when it was done or interrupted, or None while it runs.
        result: what came of it, or None while it runs.
        resumed: the times that it was resumed.
        model_choice: why its model set was taken, or None where nobody said.
        reading: how sure the reading of its input is, or None in runs of older versions.
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
        """What is doubtful in the reading of its input."""
        return () if self.reading is None else self.reading.warnings

    @property
    def doubtful(self) -> bool:
        """Whether its goal rests on a doubtful reading; False where nobody said."""
        return self.reading is not None and self.reading.doubtful


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueMap:
    """The value max_a Q(s, a) over two axes of the grid.

    Attributes:
        axes: symbols of the two axes, rows first.
        rows: names of the values of the first axis.
        columns: names of the values of the second axis.
        held: value name by symbol of the other axes.
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
    """Read a `run.json`."""
    try:
        return _RECORD.validate_json(read_file(path))
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise RunError(f"{path} is damaged: {_first_problem(error)}") from None


def read_steps(path: Path) -> list[Step]:
    """Read a `steps.jsonl`, without a torn last line."""
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
    """Write the configuration of a run of version 0.13 or older as this version does.

    Those listed the options of all agents and `stop_at_goal`; what is new has its default.
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
    """Find the step that earned most."""
    return min(steps, key=lambda step: step.rank(goal))
