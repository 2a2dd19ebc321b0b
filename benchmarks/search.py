"""How often does each agent reach the goal? Q-learning, SARSA and random with each reward.

`python benchmarks/search.py [--images 10] [--seeds 10] [--renders 200] [--out FILE]`

Every agent starts from the same cells with the same budget of unique renders. All runs share the
images of the 480 cells of base.yaml (one image seed) and what the readers see in them, so that one
process is enough. JSON goes to --out, a table to stdout.
"""

import argparse
import itertools
import json
import statistics
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from rldf import seeds
from rldf.agents.options import make_agent
from rldf.environment import EncodingGridEnv
from rldf.generators.cached import CachedGenerator
from rldf.grammar import Grammar, load_grammar
from rldf.models.model_sets import ModelSet, load_model_set
from rldf.perception.encoder import Encoder
from rldf.places import cache_folder
from rldf.pocket.world.drawing import draw
from rldf.pocket.world.sampling import CHECK_SEEDS, sample_encoding
from rldf.ports import (
    Detection,
    Detector,
    ImageGenerator,
    ImageTextModel,
    Reward,
    SceneClassifier,
)
from rldf.rewards.context import RewardContext
from rldf.rewards.files import build_reward, load_reward_file
from rldf.search import Place, walk
from rldf.search_task import Settings

AGENTS = ("q", "sarsa", "random")
REWARDS = ("multi", "partial", "clip")
_BATCH = 8


class Drawn:
    """All cells of a grammar, drawn once and kept in memory: a generator without waiting."""

    def __init__(self, generator: ImageGenerator, grammar: Grammar) -> None:
        """Draw every cell with image seed 0.

        Args:
            generator: what draws.
            grammar: whose cells.
        """
        self.identity = generator.identity
        states = itertools.product(*(range(n) for n in grammar.shape))
        sentences = [grammar.derive(state) for state in states]
        self.images: dict[str, Image] = {}
        for i in range(0, len(sentences), _BATCH):
            batch = sentences[i : i + _BATCH]
            drawn = generator.generate(batch, [0] * len(batch))
            self.images.update(zip(batch, drawn, strict=True))

    def generate(self, sentences: Sequence[str], seeds: Sequence[int]) -> list[Image]:
        """Look up what was drawn.

        Args:
            sentences: prompts.
            seeds: unused; every image has seed 0.

        Returns:
            RGB images.
        """
        return [self.images[sentence] for sentence in sentences]


class Remembering:
    """Readers that look at every image once; images are told apart by identity."""

    def __init__(self, models: ModelSet) -> None:
        """Wrap a model set.

        Args:
            models: whose readers look.
        """
        self._models = models
        self._known: dict[tuple[str, int], Any] = {}
        self._kept: list[Image] = []  # so that no identity is given out twice

    def _once(self, what: str, images: Sequence[Image], look: Any) -> list[Any]:
        new = [image for image in images if (what, id(image)) not in self._known]
        for image, seen in zip(new, look(new) if new else [], strict=True):
            self._known[what, id(image)] = seen
            self._kept.append(image)
        return [self._known[what, id(image)] for image in images]

    def detect(self, images: Sequence[Image]) -> list[list[Detection]]:
        """List what is in each image.

        Args:
            images: RGB.

        Returns:
            Detections, most confident first.
        """
        return self._once("detect", images, self._models.detector.detect)

    def classify(self, images: Sequence[Image]) -> list[dict[str, float]]:
        """Give the probability of every scene.

        Args:
            images: RGB.

        Returns:
            Probability by label for each image.
        """
        return self._once("classify", images, self._models.scene.classify)

    def embed_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Embed images.

        Args:
            images: RGB.

        Returns:
            (n, d), rows of length 1.
        """
        return np.stack(self._once("embed", images, self._models.clip.embed_images))

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts, anew each time.

        Args:
            texts: sentences.

        Returns:
            (n, d), rows of length 1.
        """
        return self._models.clip.embed_texts(texts)

    @property
    def detector(self) -> Detector:
        """What finds things."""
        return self

    @property
    def scene(self) -> SceneClassifier:
        """What tells the place."""
        return self

    @property
    def clip(self) -> ImageTextModel:
        """What compares images with images and texts."""
        return self


def main() -> None:
    """Run all searches, print the table and write the document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--renders", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/search.json"))
    options = parser.parse_args()
    begun = time.monotonic()
    grammar = load_grammar("base")
    models = load_model_set("pocket")
    drawn = Drawn(CachedGenerator(models.generator, cache_folder()), grammar)
    readers = Remembering(models)
    goals = [Goal(grammar, readers, CHECK_SEEDS + 900_000 + k) for k in range(options.images)]
    runs = [
        run_once(goal, drawn, agent, reward, seed, options.renders)
        for goal, reward in itertools.product(goals, REWARDS)
        for agent, seed in itertools.product(AGENTS, range(options.seeds))
    ]
    rows = [summarise(runs, agent, reward) for agent in AGENTS for reward in REWARDS]
    document = {"rows": rows, "runs": runs, "seconds": round(time.monotonic() - begun, 1)}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"{'agent':8}{'reward':9}{'reached':>9}{'rate':>7}{'median renders to the goal':>29}")
    for row in rows:
        median = "-" if row["median_renders"] is None else f"{row['median_renders']:.0f}"
        print(
            f"{row['agent']:8}{row['reward']:9}{row['reached']:>5}/{row['runs']:<3}"
            f"{row['rate']:>7.2f}{median:>29}"
        )


class Goal:
    """One drawn input image, read once, with its rewards."""

    def __init__(self, grammar: Grammar, readers: Remembering, seed: int) -> None:
        """Draw the image of a random sentence and read it.

        Args:
            grammar: whose sentence.
            readers: who looks.
            seed: decides sentence and drawing.
        """
        self.seed = seed
        self.grammar = grammar
        self.sentence = grammar.derive(sample_encoding(grammar, seeds.rng(seed, "sentence")))
        encoder = Encoder(grammar, readers)
        image = draw(self.sentence, seed).image
        self.reading = encoder.read(image)
        self._context = RewardContext(
            image=image, reading=self.reading, encoder=encoder, readers=readers
        )

    @cache  # noqa: B019 goals live as long as the program
    def reward(self, name: str) -> Reward:
        """Make a reward, or the one made before.

        Args:
            name: of a shipped reward file.

        Returns:
            The reward for finding this image.
        """
        return build_reward(load_reward_file(name), self._context)


def run_once(
    goal: Goal, drawn: Drawn, agent_name: str, reward: str, seed: int, renders: int
) -> dict[str, Any]:
    """Walk once; the start depends on image and seed alone, never on the agent.

    Args:
        goal: the image to find again.
        drawn: all cells.
        agent_name: who walks.
        reward: name of the reward.
        seed: seeds the agent and its start.
        renders: budget of unique renders.

    Returns:
        What was asked and how it ended.
    """
    settings = Settings(image=goal.sentence, agent=agent_name, seed=seed, renders=renders)
    environment = EncodingGridEnv(
        grammar=goal.grammar,
        generator=drawn,
        reward=goal.reward(reward),
        goal=goal.reading.encoding,
    )
    environment.reset(seed=seeds.derive(seed, "start", goal.seed) % 2**31)
    agent = make_agent(
        agent_name,
        environment.world,
        seeds.rng(seed, "agent", goal.seed),
        alpha=settings.alpha,
        epsilon=settings.epsilon,
        gamma=settings.gamma,
    )
    place = Place()
    for _ in walk(environment, agent, settings, place):
        pass
    return {
        "image": goal.sentence,
        "goal": goal.reading.encoding,
        "agent": agent_name,
        "reward": reward,
        "seed": seed,
        "reached": place.ended == "goal",
        "renders": environment.renders,
        "steps": place.steps,
    }


def summarise(runs: list[dict[str, Any]], agent: str, reward: str) -> dict[str, Any]:
    """Count how often an agent reached the goal with a reward.

    Args:
        runs: what `run_once` returned.
        agent: of which agent.
        reward: with which reward.

    Returns:
        Number of runs, of those that reached the goal, and their median of renders.
    """
    mine = [run for run in runs if run["agent"] == agent and run["reward"] == reward]
    reached = [run["renders"] for run in mine if run["reached"]]
    return {
        "agent": agent,
        "reward": reward,
        "runs": len(mine),
        "reached": len(reached),
        "rate": len(reached) / len(mine),
        "median_renders": statistics.median(reached) if reached else None,
    }


if __name__ == "__main__":
    main()
