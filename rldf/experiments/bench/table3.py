"""Computes Table 3 of the paper with many runs: agents, rewards and ε with the same budget.

The paper has one run for each of its 18 settings of agent, reward and ε. Here each setting has
images x seeds runs, and all settings have the same starts. The table adds columns to the paper's:
how often the goal is reached, after how many unique images, and the regret, which is the highest
reward of any cell less the highest one found.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from rldf import registry as catalog
from rldf.agents.options import takes
from rldf.errors import UsageError
from rldf.experiments.bench.measures import quartiles
from rldf.experiments.bench.trial import Outcome, Trial
from rldf.stats import wilson

COLUMNS = (
    "agent", "reward", "epsilon", "runs", "reached", "rate", "ci_low", "ci_high", "renders_q1",
    "renders_median", "renders_q3", "d_t", "d_max", "d_min", "rho", "sigma2", "f_semantic",
    "c_semantic", "regret",
)  # fmt: skip
"""Columns of the table; the values of the paper's columns are means over the runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The runs of a bench: all combinations of agent, reward, ε, image and seed.

    Attributes:
        agents: names of agents in the registry.
        rewards: names of reward files.
        epsilons: exploration rates; an agent without this option runs once, without one.
        images: number of goals.
        seeds: number of runs for each goal and setting.
    """

    agents: tuple[str, ...]
    rewards: tuple[str, ...]
    epsilons: tuple[str, ...]
    images: int
    seeds: int

    def __post_init__(self) -> None:
        """Raise UsageError for an empty or repeated choice or an unknown agent."""
        for option in ("agents", "rewards", "epsilons"):
            given = getattr(self, option)
            if not given or len(set(given)) < len(given):
                raise UsageError(
                    f"--{option} {','.join(given)}: name one or more, each once, joined by commas"
                )
        for agent in self.agents:
            catalog.find("agents", agent)

    def groups(self) -> list[tuple[Trial, ...]]:
        """List the runs in groups, one group for each setting and image."""
        settings = [
            (agent, reward, epsilon)
            for agent, reward in product(self.agents, self.rewards)
            for epsilon in (self.epsilons if takes(agent, "epsilon") else (None,))
        ]
        return [
            tuple(
                Trial(agent=agent, reward=reward, epsilon=epsilon, image=image, seed=seed)
                for seed in range(self.seeds)
            )
            for (agent, reward, epsilon), image in product(settings, range(self.images))
        ]


def table(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Compute a row of the table, with the keys of COLUMNS, for each setting."""
    settings: dict[tuple[str, str, str | None], list[Outcome]] = {}
    for outcome in outcomes:
        trial = outcome.trial
        settings.setdefault((trial.agent, trial.reward, trial.epsilon), []).append(outcome)
    return [
        {"agent": agent, "reward": reward, "epsilon": epsilon, **_figures(group)}
        for (agent, reward, epsilon), group in settings.items()
    ]


def _figures(group: Sequence[Outcome]) -> dict[str, Any]:
    reached = sum(outcome.reached is not None for outcome in group)
    low, high = wilson(reached, len(group))
    q1, median, q3 = quartiles([outcome.reached for outcome in group])
    walks = [outcome.distances for outcome in group]
    regrets = [o.optimum - o.best[-1][1] for o in group if o.optimum is not None]
    mean = statistics.fmean
    return {
        "runs": len(group),
        "reached": reached,
        "rate": reached / len(group),
        "ci_low": low,
        "ci_high": high,
        "renders_q1": q1,
        "renders_median": median,
        "renders_q3": q3,
        "d_t": mean(walk.d_t for walk in walks),
        "d_max": mean(walk.d_max for walk in walks),
        "d_min": mean(walk.d_min for walk in walks),
        "rho": mean(walk.rho for walk in walks),
        "sigma2": mean(walk.sigma2 for walk in walks),
        "f_semantic": mean(outcome.fine for outcome in group),
        "c_semantic": mean(outcome.coarse for outcome in group),
        "regret": mean(regrets) if regrets else None,
    }
