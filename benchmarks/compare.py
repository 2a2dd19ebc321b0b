"""What is the found sentence worth? The search beside its baselines on drawings it never saw.

`python benchmarks/compare.py [--images 20] [--renders 40] [--grammar base] [--out FILE]`

The inputs are drawings, made by the world's renderer and not by the diffusion model, of random
sentences of the grammar. They and the pictures lie in --folder; typed again, the command goes on
with them. JSON goes to --out, a table to stdout.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from rldf import seeding as seeds
from rldf.experiments.compare.comparison import Question, compare, prepare_comparison
from rldf.experiments.compare.documents import ComparisonDocument, MethodSummary
from rldf.grammar.grammar import load_grammar
from rldf.pocket.world.drawing import draw
from rldf.pocket.world.sampling import CHECK_SEEDS, sample_encoding

RIVALS = ("encoder", "random", "caption", "pez", "split", "exhaustive")
FIRST = CHECK_SEEDS + 960_000


def main() -> None:
    """Draw the inputs, compare, print the table and write the document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--renders", type=int, default=40)
    parser.add_argument("--grammar", default="base")
    parser.add_argument("--baselines", default=",".join(RIVALS))
    parser.add_argument("--folder", type=Path, default=Path("comparisons"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/compare.json"))
    options = parser.parse_args()
    begun = time.monotonic()
    name = f"{options.grammar}-{options.images}-{options.renders}"
    question = Question(
        images=tuple(map(str, inputs(options.folder, options.grammar, options.images))),
        grammar=options.grammar,
        renders=options.renders,
        baselines=tuple(options.baselines.split(",")),
    )
    comparison = prepare_comparison(question)
    total = options.images * len(question.methods)
    found = compare(
        comparison,
        options.folder / name,
        lambda done: print(f"\r{done}/{total} methods", end="", flush=True),
    )
    document = without_places(found) | {"seconds": round(time.monotonic() - begun, 1)}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print_table(found["summary"])


def print_table(summary: list[MethodSummary]) -> None:
    """Print a line for each method.

    Args:
        summary: of the document.
    """
    print(f"\n{'method':12}{'renders':>8}{'best':>8}{'mean':>8}{'axes':>7}{'wins/ties/losses':>18}")
    for row in summary:
        duel = "/".join(str(row.get(key, "-")) for key in ("wins", "ties", "losses"))
        print(
            f"{row['method']:12}{row['renders']:>8.0f}{row['best']:>8.3f}{row['mean']:>8.3f}"
            f"{row['axes']:>7.2f}{duel:>18}"
        )


def inputs(folder: Path, grammar: str, n: int) -> list[Path]:
    """Draw the input images, held out from all training by their seeds.

    Args:
        folder: where they are kept.
        grammar: whose sentences.
        n: how many.

    Returns:
        Their paths.
    """
    words, place = load_grammar(grammar), folder / f"{grammar}-inputs"
    place.mkdir(parents=True, exist_ok=True)
    paths = []
    for seed in range(FIRST, FIRST + n):
        sentence = words.derive(sample_encoding(words, seeds.rng(seed, "sentence")))
        paths.append(place / f"{sentence.replace(' ', '-')}-{seed - FIRST}.png")
        draw(sentence, seed).image.save(paths[-1])
    return paths


def without_places(document: ComparisonDocument) -> dict[str, Any]:
    """Leave out where files lie on this machine.

    Args:
        document: what `compare` returned.

    Returns:
        The rest.
    """
    kept = {key: value for key, value in document.items() if key not in ("out", "picture")}
    rows = [{**row, "image": Path(row["image"]).name} for row in document["images"]]
    return kept | {"images": rows}


if __name__ == "__main__":
    main()
