"""What a bench needs before its first run: checked, read, and drawn where the world is small."""

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
        plan: what is run.
        budget: renders, episodes, steps, and the agents' options.
        grammar: the world's cells.
        models: what draws and looks.
        readers: the models that look, with a memory.
        goals: the images to find again.
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
        """Whether the world is drawn whole."""
        return self.grammar.n_states <= WHOLE and not self.budget.dynamic_seeds

    @property
    def warnings(self) -> list[str]:
        """What is doubtful in the readings of the goals."""
        return [
            f"{goal.name}: {warning}"
            for goal in self.goals
            for warning in goal.context.reading.record.warnings
        ]

    def world(self, watch: Callable[[int], None]) -> World:
        """Make the world, and draw it if it is small."""
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
    """Check what is asked, and read the goals; nothing is drawn or written."""
    for agent in agents:
        for epsilon in epsilons or (None,):
            settings_of(budget, agent, epsilon)  # refuses what a search would refuse
    grammar = load_grammar(budget.grammar)
    files = {reward: resolved(load_reward_file(reward)) for reward in rewards}
    models = load_model_set(budget.models)
    if images is None and models.file.vocabulary_grammar is None:
        raise UsageError(
            f"model set {budget.models} knows photographs: name a folder of them with "
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
        "drawn_as": dict(models.generator.identity),  # with what the device decided
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
