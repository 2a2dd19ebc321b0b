"""The distinct states of a run: what the filmstrip and the table of a report show."""

from collections.abc import Iterable
from dataclasses import dataclass

from rldf.grammar.encoding import Encoding
from rldf.runs.records import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitedState:
    """A cell that the run visited."""

    # the step there that earned most, the earliest of equals; with fixed image seeds they all earn
    # the same
    best: Step
    first: int  # number of the step that led there first, from 1
    visits: int  # how many steps led there

    @property
    def encoding(self) -> Encoding:
        """(n_axes,) the cell."""
        return self.best.encoding

    @property
    def sentence(self) -> str:
        """What the grammar derives from it."""
        return self.best.sentence

    @property
    def reward(self) -> float:
        """The highest that it earned."""
        return self.best.reward

    @property
    def distance(self) -> int | None:
        """L1 steps from the goal, or None where no goal is known."""
        return self.best.distance

    def is_goal(self, goal: Encoding | None) -> bool:
        """Tell whether this is the cell that was searched for."""
        return self.best.is_goal(goal)


def visited_states(steps: Iterable[Step]) -> list[VisitedState]:
    """Collect the distinct states of a run."""
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
    """Sort states, the best first, which is the one of `rldf.runs.records.best_step`."""
    return sorted(states, key=lambda state: state.best.rank(goal))


def thinned(states: list[VisitedState], goal: Encoding | None, limit: int) -> list[VisitedState]:
    """Choose some states evenly over the run, with the first, the last, the best and the goal."""
    if len(states) <= limit:
        return states
    best = states.index(by_reward(states, goal)[0])
    goals = [i for i, state in enumerate(states) if state.is_goal(goal)]
    kept = {best, *goals[:1]}
    spots = limit - len(kept)
    kept |= {round(i * (len(states) - 1) / (spots - 1)) for i in range(spots)}
    return [states[i] for i in sorted(kept)]
