"""Executes one run of a bench: an agent searches for a goal until its budget is used up."""

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, replace

from rldf import seeding as seeds
from rldf.agents.options import make_agent, takes
from rldf.experiments.bench.measures import Distances, distances
from rldf.experiments.bench.worlds import World
from rldf.runs.config import SearchConfig
from rldf.runs.loop import SearchState, walk
from rldf.runs.records import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The settings of one run.

    Attributes:
        agent: name of the agent.
        reward: name of the reward file.
        epsilon: exploration rate, None for an agent without this option.
        image: number of the goal.
        seed: seed of the agent and, with `image`, of its starts.
    """

    agent: str
    reward: str
    epsilon: str | None
    image: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one run.

    Attributes:
        trial: the settings of the run.
        reached: unique images until the goal was reached, None if it was not.
        renders: number of unique images of the run.
        steps: number of steps of the run.
        distances: statistics of the distance to the goal.
        fine: number of steps whose image shares an object with the goal's image.
        coarse: number of steps whose image shows the scene of the goal's image.
        best: unique images so far and the new best reward, at each change of the best reward.
        optimum: highest reward of any cell, None if not all cells are known.
        episode_steps: if episodes end at the goal, the steps of each episode until the goal, None
            for an episode that did not reach it; else empty.
        start_distance: distance of the first start from the goal, None in older records.
    """

    trial: Trial
    reached: int | None
    renders: int
    steps: int
    distances: Distances
    fine: int
    coarse: int
    best: tuple[tuple[int, float], ...]
    optimum: float | None
    episode_steps: tuple[int | None, ...] = ()
    start_distance: int | None = None


def settings_of(budget: SearchConfig, agent: str, epsilon: str | None) -> SearchConfig:
    """Return the budget with the agent, and with those of the options that the agent takes."""
    given = {"epsilon": epsilon or budget.options.get("epsilon")} | {
        name: value for name, value in budget.options.items() if name != "epsilon"
    }
    options = {k: v for k, v in given.items() if v is not None and takes(agent, k)}
    return replace(budget, agent=agent, options=options, rollouts=0)


def run_trial(world: World, trial: Trial, budget: SearchConfig) -> Outcome:
    """Execute one run; episodes end at the goal if `budget.stop` is "episodes", else not.

    The starts depend on the image and the seed of the trial only, not on the agent.
    """
    by_episodes = budget.stop == "episodes"
    environment = world.environment(trial.image, trial.reward, stop_at_goal=by_episodes)
    environment.reset(seed=seeds.derive(trial.seed, "start", trial.image) % 2**31)
    settings = settings_of(budget, trial.agent, trial.epsilon)
    agent = make_agent(
        settings.agent,
        environment.world,
        seeds.rng(trial.seed, "agent", trial.image),
        settings.options,
    )
    start = environment.random_start(
        deepcopy(environment.np_random)
    )  # the start that `walk` will draw next
    assert environment.goal is not None, "every goal of a bench is known"
    place, log = SearchState(), _Log()
    for step in walk(environment, agent, settings, place):
        log.take(step, *world.gains(trial.image, environment))
    return Outcome(
        trial=trial,
        reached=log.reached,
        renders=place.renders,
        steps=place.steps,
        distances=distances(log.walked),
        fine=log.fine,
        coarse=log.coarse,
        best=tuple(log.best),
        optimum=world.optimum(trial.image, trial.reward),
        episode_steps=log.episode_steps(place.episode) if by_episodes else (),
        start_distance=environment.world.distance(start, environment.goal),
    )


class _Log:
    """Collects the measures of a run, step by step."""

    def __init__(self) -> None:
        self.walked: list[int] = []
        self.best: list[tuple[int, float]] = []
        self.reached: int | None = None
        self.fine = self.coarse = 0
        self._steps: Counter[int] = Counter()
        self._ended: set[int] = set()

    def episode_steps(self, episodes: int) -> tuple[int | None, ...]:
        """Return the steps of each episode to the goal, None for one that did not reach it."""
        return tuple(
            self._steps[number] if number in self._ended else None
            for number in range(1, episodes + 1)
        )

    def take(self, step: Step, fine: bool, coarse: bool) -> None:
        assert step.distance is not None, "every goal of a bench is known"
        self.walked.append(step.distance)
        self._steps[step.episode] += 1
        if step.distance == 0:
            self._ended.add(step.episode)
        self.fine += fine
        self.coarse += coarse
        if self.reached is None and step.distance == 0:
            self.reached = step.renders
        if not self.best or step.reward > self.best[-1][1]:
            if self.best and self.best[-1][0] == step.renders:  # a step of the same batch
                del self.best[-1]
            self.best.append((step.renders, step.reward))
