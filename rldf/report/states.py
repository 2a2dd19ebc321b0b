"""Collects the distinct states of a run, which the filmstrip and the report's table show."""

from collections.abc import Iterable
from dataclasses import dataclass

from rldf.grammar.encoding import Encoding
from rldf.runs.records import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitedState:
    """A cell that the run visited, with its visits counted."""

    # the step at this cell with the highest reward, the earliest of equals; with fixed image seeds
    # all steps at a cell have the same reward
    best: Step
    first: int  # number of the first step at this cell, from 1
    visits: int  # number of steps at this cell

    @property
    def encoding(self) -> Encoding:
        """(n_axes,) the encoding of the cell."""
        return self.best.encoding

    @property
    def sentence(self) -> str:
        """The sentence that the grammar derives from the cell."""
        return self.best.sentence

    @property
    def reward(self) -> float:
        """The highest reward of a step at this cell."""
        return self.best.reward

    @property
    def distance(self) -> int | None:
        """L1 distance of the cell from the goal, or None if no goal is known."""
        return self.best.distance

    def is_goal(self, goal: Encoding | None) -> bool:
        """Return whether this cell is the goal; with `goal` None, whether its distance is 0."""
        return self.best.is_goal(goal)


def visited_states(steps: Iterable[Step]) -> list[VisitedState]:
    """Collect the distinct states of a run, in order of first visit."""
    states: dict[Encoding, VisitedState] = {}
    for step in steps:
        known = states.get(step.encoding)
        states[step.encoding] = (
            VisitedState(
                best=step if step.reward > known.reward else known.best,
                first=known.first,
                visits=known.visits + 1,
            )
            if known
            else VisitedState(best=step, first=step.step, visits=1)
        )
    return list(states.values())


def by_reward(states: Iterable[VisitedState], goal: Encoding | None) -> list[VisitedState]:
    """Sort states, the best first; that one holds the step of `rldf.runs.records.best_step`."""
    return sorted(states, key=lambda state: state.best.rank(goal))


def thinned(states: list[VisitedState], goal: Encoding | None, limit: int) -> list[VisitedState]:
    """Choose at most `limit` states evenly, with the first, the last, the best and the goal."""
    if len(states) <= limit:
        return states
    best = states.index(by_reward(states, goal)[0])
    goals = [i for i, state in enumerate(states) if state.is_goal(goal)]
    kept = {best, *goals[:1]}
    spots = limit - len(kept)
    kept |= {round(i * (len(states) - 1) / (spots - 1)) for i in range(spots)}
    return [states[i] for i in sorted(kept)]
