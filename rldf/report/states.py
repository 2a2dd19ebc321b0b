"""The distinct states of a run: what the filmstrip and the table of a report show."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rldf.encoding import Encoding
from rldf.runs import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitedState:
    """A cell that the run visited.

    Attributes:
        encoding: (n_axes,) the cell.
        sentence: what the grammar derives from it.
        reward: the highest that it earned; with fixed image seeds it earns the same every time.
        distance: L1 steps from the goal, or None where no goal is known.
        first: number of the step that led there first, from 1.
        visits: how many steps led there.
    """

    encoding: Encoding
    sentence: str
    reward: float
    distance: int | None
    first: int
    visits: int

    def is_goal(self, goal: Encoding | None) -> bool:
        """Tell whether this is the cell that was searched for.

        Args:
            goal: the goal cell, or None where the steps alone have to tell.

        Returns:
            True if it is.
        """
        return self.distance == 0 if goal is None else self.encoding == tuple(goal)


def visited_states(steps: Iterable[Step]) -> list[VisitedState]:
    """Collect the distinct states of a run.

    Args:
        steps: the steps of a run.

    Returns:
        The states in the order of their first visits.
    """
    states: dict[Encoding, VisitedState] = {}
    for step in steps:
        known = states.get(step.encoding)
        states[step.encoding] = _again(known, step) if known else _first(step)
    return list(states.values())


def _first(step: Step) -> VisitedState:
    return VisitedState(
        encoding=step.encoding,
        sentence=step.sentence,
        reward=step.reward,
        distance=step.distance,
        first=step.step,
        visits=1,
    )


def _again(state: VisitedState, step: Step) -> VisitedState:
    return replace(state, reward=max(state.reward, step.reward), visits=state.visits + 1)


def by_reward(states: Iterable[VisitedState]) -> list[VisitedState]:
    """Sort states, the best first.

    Args:
        states: some states.

    Returns:
        The same, by falling reward; of equals, the one visited first.
    """
    return sorted(states, key=lambda state: (-state.reward, state.first))


def thinned(states: list[VisitedState], goal: Encoding | None, limit: int) -> list[VisitedState]:
    """Choose some states evenly over the run, with the first, the last, the best and the goal.

    Args:
        states: states in the order of their first visits.
        goal: the goal cell, or None where the steps alone have to tell.
        limit: how many to choose at most, 4 or more.

    Returns:
        The chosen states, in the same order.
    """
    if len(states) <= limit:
        return states
    best = states.index(by_reward(states)[0])
    goals = [i for i, state in enumerate(states) if state.is_goal(goal)]
    kept = {best, *goals[:1]}
    spots = limit - len(kept)
    kept |= {round(i * (len(states) - 1) / (spots - 1)) for i in range(spots)}
    return [states[i] for i in sorted(kept)]
