"""Prepares a bench: checks the request, reads the goals, and draws every cell of a small grid."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rldf.agents.options import all_options
from rldf.errors import UsageError
from rldf.experiments.bench.goals import Goal, drawn_images, folder_images, read_goals
from rldf.experiments.bench.readers import RememberingReaders
from rldf.experiments.bench.table3 import Plan
from rldf.experiments.bench.trial import settings_of
from rldf.experiments.bench.worlds import WHOLE, LiveWorld, World, draw_whole
from rldf.generators.cached import CachedGenerator
from rldf.grammar.grammar import Grammar, load_grammar
from rldf.io.paths import cache_folder
from rldf.models.model_sets import ModelSet, load_model_set
from rldf.rewards.files import load_reward_file, resolved
from rldf.runs.config import SearchConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A bench that is ready to start.

    Attributes:
        plan: the combinations of agent, reward, ε, image and seed to run.
        budget: renders, episodes and steps of a run, and the agents' options.
        grammar: the grammar whose cells are searched.
        models: the model set that generates and reads images.
        readers: the models that read images, with a cache of their results.
        goals: the images to search for.
        config: everything that decides the figures, as JSON values.
    """

    plan: Plan
    budget: SearchConfig
    grammar: Grammar
    models: ModelSet
    readers: RememberingReaders
    goals: tuple[Goal, ...]
    config: dict[str, Any]

    @property
    def is_small(self) -> bool:
        """Whether every cell is generated before the first run."""
        return self.grammar.n_states <= WHOLE and not self.budget.dynamic_seeds

    @property
    def warnings(self) -> list[str]:
        """Warnings about the readings of the goals, with the name of each image."""
        return [
            f"{goal.name}: {warning}"
            for goal in self.goals
            for warning in goal.context.reading.record.warnings
        ]

    def world(self, watch: Callable[[int], None]) -> World:
        """Make the world, and generate all its images if it is small.

        `watch` is called with the number of images generated.
        """
        drawer = CachedGenerator(self.models.generator, cache_folder())
        parts = (self.grammar, drawer, self.readers, self.goals, self.plan.rewards)
        if self.is_small:
            return draw_whole(*parts, watch)
        return LiveWorld(*parts, dynamic_seeds=self.budget.dynamic_seeds)


def prepare(
    *,
    agents: tuple[str, ...],
    rewards: tuple[str, ...],
    epsilons: tuple[str, ...],
    images: Path | None,
    count: int,
    n_seeds: int,
    budget: SearchConfig,
    warn: Callable[[str], None] = lambda message: None,
) -> Bench:
    """Check the request and read the goals; no search starts, and no file is written."""
    for agent in agents:
        for epsilon in epsilons or (None,):
            settings_of(budget, agent, epsilon)  # refuses what a search would refuse
    grammar = load_grammar(budget.grammar)
    files = {reward: resolved(load_reward_file(reward)) for reward in rewards}
    models = load_model_set(budget.models)
    if images is None and models.file.vocabulary_grammar is None:
        raise UsageError(
            f"model set {budget.models} needs photographs as goals: name a folder of them with "
            "--images, or type --models pocket"
        )
    found = drawn_images(grammar, count) if images is None else folder_images(images, count, warn)
    plan = Plan(agents=agents, rewards=rewards, epsilons=epsilons, images=len(found), seeds=n_seeds)
    readers = RememberingReaders(models)
    goals = read_goals(found, grammar, readers, models.file)
    config = {
        "agents": agents,
        "rewards": files,
        "epsilons": epsilons,
        "seeds": n_seeds,
        "images": {name: hashlib.sha256(image.tobytes()).hexdigest() for name, image in found},
        "grammar": budget.grammar,
        "renders": budget.renders,
        "episodes": budget.episodes,
        "steps": budget.steps,
        **({"dynamic_seeds": True} if budget.dynamic_seeds else {}),
        **({"stop": "episodes"} if budget.stop == "episodes" else {}),
        **{
            option.name: budget.options.get(option.name, option.default)
            for option in all_options()
            if option.name not in ("epsilon", "warm_start")
        },
        "states": grammar.n_states,
        "grammar_sha256": grammar.digest(),
        "model_set": models.identity(),
        "drawn_as": dict(models.generator.identity),  # includes settings that depend on the device
    }
    return Bench(
        plan=plan,
        budget=budget,
        grammar=grammar,
        models=models,
        readers=readers,
        goals=goals,
        config=config,
    )
