"""One run of a bench: an agent walks a world past its goal until the budget is spent."""

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
    """What is run.

    Attributes:
        agent: the search agent.
        reward: the reward.
        epsilon: rate of exploration, None for an agent that has none.
        image: number of the goal.
        seed: seeds the agent and its starts.
    """

    agent: str
    reward: str
    epsilon: str | None
    image: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run went.

    Attributes:
        trial: what was run.
        reached: unique images until the goal was seen, None where it was not.
        renders: unique images in all.
        steps: cells seen in all.
        distances: the distance to the goal along the run.
        fine: steps whose image shares an object with the goal's.
        coarse: steps whose image shows the goal's scene.
        best: renders spent and the best reward from there on, at each change.
        optimum: the most that any cell pays, None where that is not known.
        episode_steps: where episodes end at the goal, the steps of each until then, None where it
            was not reached.
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
    """Return the settings of an agent's runs."""
    given = {"epsilon": epsilon or budget.options.get("epsilon")} | {
        name: value for name, value in budget.options.items() if name != "epsilon"
    }
    options = {k: v for k, v in given.items() if v is not None and takes(agent, k)}
    return replace(budget, agent=agent, options=options, rollouts=0)


def run_trial(world: World, trial: Trial, budget: SearchConfig) -> Outcome:
    """Run one search, past its goal or in episodes that end there.

    The starts depend on image and seed alone, not on the agent.
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
    start = environment.random_start(deepcopy(environment.np_random))  # the one that comes next
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
    """Counts along a run."""

    def __init__(self) -> None:
        self.walked: list[int] = []
        self.best: list[tuple[int, float]] = []
        self.reached: int | None = None
        self.fine = self.coarse = 0
        self._steps: Counter[int] = Counter()
        self._ended: set[int] = set()

    def episode_steps(self, episodes: int) -> tuple[int | None, ...]:
        """Return the steps to the goal of each episode, None where it was not reached."""
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
            if self.best and self.best[-1][0] == step.renders:  # of one batch
                del self.best[-1]
            self.best.append((step.renders, step.reward))
