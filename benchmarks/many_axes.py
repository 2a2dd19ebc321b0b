"""Does the planner find all nine axes of pocket.yaml (12.6 million cells) in 400 renders?

`python benchmarks/many_axes.py [--images 20] [--renders 400] [--image-seeds 1]`

Drawn images that no model was trained on are searched by the pocket models; what the best cell says
is compared, axis by axis, with the sentence that the image was drawn from. An action counts only
where there are people to do it. Results are written image by image to --out, and the same command
goes on with them.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from rldf import seeding as seeds
from rldf.agents.options import make_agent
from rldf.agents.planner import Planner
from rldf.agents.tables import best_cells
from rldf.experiments.bench.goals import drawn_images, read_goals
from rldf.experiments.bench.readers import RememberingReaders
from rldf.generators.cached import CachedGenerator
from rldf.grammar.encoding import Encoding
from rldf.grammar.grammar import Grammar, load_grammar
from rldf.io.files import write_json
from rldf.io.paths import cache_folder
from rldf.models.model_sets import ModelSet, load_model_set
from rldf.rewards.files import build_reward, load_reward_file
from rldf.runs.config import SearchConfig
from rldf.runs.env import EncodingGridEnv
from rldf.runs.loop import SearchState, walk
from rldf.runs.records import best_step


def main() -> None:
    """Search all images, and print the share of right words by axis."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--renders", type=int, default=400)
    parser.add_argument("--reward", default="combined")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--image-seeds", type=int, default=1)
    parser.add_argument("--models", default="pocket")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/many_axes.json"))
    options = parser.parse_args()
    grammar, models = load_grammar("pocket"), load_model_set(options.models)
    settings = SearchConfig.of(
        image="", grammar="pocket", models=options.models, reward=options.reward,
        renders=options.renders, batch=options.batch, image_seeds=options.image_seeds,
        stop="budget",
    )  # fmt: skip
    asked = {name: value for name, value in vars(options).items() if name not in ("out", "images")}
    done = _done(options.out, asked)
    for number, (sentence, image) in enumerate(drawn_images(grammar, options.images)):
        if number == len(done):
            done.append(_search(grammar, models, settings, sentence, image, number))
            print(json.dumps(done[-1]), flush=True)
            document = {"asked": asked, "figures": _figures(grammar, done), "searches": done}
            write_json(options.out, document)
    for name, value in _figures(grammar, done).items():
        print(f"{name:32}{value:.3f}")


def _done(path: Path, asked: dict[str, Any]) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    document = json.loads(path.read_text(encoding="utf-8"))
    return list(document["searches"]) if document["asked"] == asked else []


def _search(
    grammar: Grammar,
    models: ModelSet,
    settings: SearchConfig,
    sentence: str,
    image: Any,
    number: int,
) -> dict[str, Any]:
    begun = time.monotonic()
    readers = RememberingReaders(models)
    (goal,) = read_goals([(sentence, image)], grammar, readers)
    environment = EncodingGridEnv(
        grammar=grammar,
        generator=CachedGenerator(models.generator, cache_folder()),
        reward=build_reward(load_reward_file(settings.reward), goal.context),
        goal=goal.encoding,
        image_seeds=settings.image_seeds,
        stop_at_goal=False,
    )
    environment.reset(seed=seeds.derive(0, "start", number) % 2**31)
    agent = make_agent(
        settings.agent,
        environment.world,
        seeds.rng(0, "agent", number),
        settings.options,
    )
    best = best_step(list(walk(environment, agent, settings, SearchState())), None)
    assert isinstance(agent, Planner), "the one agent that has a belief"
    (believed,) = best_cells(agent.belief().mean(), 1)
    truth = grammar.parse(sentence)
    return {
        "sentence": sentence,
        "found": best.sentence,
        "reward": best.reward,
        "renders": best.renders,
        "believed": grammar.derive(believed),
        "right": _right(grammar, best.encoding, truth),
        "right_believed": _right(grammar, believed, truth),
        "read": _right(grammar, goal.encoding, truth),
        "seconds": round(time.monotonic() - begun, 1),
    }


def _right(grammar: Grammar, found: Encoding, truth: Encoding) -> dict[str, bool]:
    """Compare two cells, axis by axis; an action of nobody is left out."""
    words = grammar.decode(truth)
    return {
        axis.symbol: f == t
        for axis, f, t in zip(grammar.axes, found, truth, strict=True)
        if not (axis.reads == "action" and words["Density"] == "no")
    }


def _share(rows: list[bool]) -> float:
    return sum(rows) / len(rows) if rows else 0.0


def _figures(grammar: Grammar, searches: list[dict[str, Any]]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for kind in ("right", "right_believed", "read"):
        figures |= {
            f"{kind}: {name}": share
            for name, share in _shares(grammar, [search[kind] for search in searches]).items()
        }
    return figures


def _shares(grammar: Grammar, found: list[dict[str, bool]]) -> dict[str, float]:
    by_axis = {
        axis.symbol: _share([right[axis.symbol] for right in found if axis.symbol in right])
        for axis in grammar.axes
    }
    both = _share([right["Noun"] and right["Scene"] for right in found])
    whole = _share([all(right.values()) for right in found])
    return by_axis | {"noun and scene": both, "every axis": whole}


if __name__ == "__main__":
    main()
