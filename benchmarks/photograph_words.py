"""What do the pocket models make of photographs whose main object they have a noun for?

`python benchmarks/photograph_words.py --material FOLDER [--renders N] [--out FOLDER]`

Each photograph is read, and searched with reward `clip` as `rldf search PHOTO --reward clip` does.
The figures are in `benchmarks/results/photograph_words.json`; the runs are in the folder of --out,
and continue where they were when the command is typed again.
"""

import argparse
from pathlib import Path
from typing import Any

import rldf
from rldf.grammar.grammar import load_grammar
from rldf.io.files import write_json
from rldf.io.images import read_image
from rldf.models.model_set import ModelSet
from rldf.models.model_sets import load_model_set
from rldf.perception.encoder import Encoder, grammar_for
from rldf.stats import share

NOUNS = {
    "photos/azure/dog.jpg": "dog",
    "photos/coral/hot_dog.jpg": "hot dog",
    "photos/coral/pets.jpg": "dog",
    "photos/ibm-max/dog-human.jpg": "dog",
    "photos/ibm-max/plane.jpg": "airplane",
    "photos/ibm-max/soccer.jpg": "soccer ball",
    "coco/images/000000121647.jpg": "pizza",
    "coco/images/000000125870.jpg": "airplane",
    "coco/images/000000159269.jpg": "umbrella",
    "coco/images/000000173350.jpg": "dog",
    "coco/images/000000234748.jpg": "car",
    "coco/images/000000458756.jpg": "banana",
    "coco/images/000000491525.jpg": "dog",
    "coco/images/000000501760.jpg": "hot dog",
}
"""The main object of the photographs of the material folder that show a noun of pocket."""

RESULT = Path(__file__).parent / "results" / "photograph_words.json"


def measure_reading(material: Path, models: ModelSet) -> list[dict[str, Any]]:
    """Read each photograph: the noun, its probability, and what is said of it."""
    rows = []
    for name, noun in NOUNS.items():
        image = read_image(material / name)
        grammar = load_grammar(grammar_for(image, models, models.file))
        record = Encoder(grammar, models, models.file).encode(image).record
        read = record.axes["Noun"]
        rows.append(
            {
                "photograph": name,
                "medium": record.medium,
                "true": noun,
                "read": read.value,
                "probability": None if read.probability is None else round(read.probability, 3),
                "known": read.known,
            }
        )
    return rows


def search(material: Path, row: dict[str, Any], renders: int, out: Path) -> str | None:
    """Search for a photograph; None where nothing was read, else the best sentence."""
    if row["read"] is None:
        return None
    place = out / row["photograph"].replace("/", "-")
    result = rldf.search(
        material / row["photograph"], reward="clip", models="pocket", renders=renders,
        out=place, resume=(place / "run.json").exists(),
    )  # fmt: skip
    return result.sentence


def main() -> None:
    """Read, search and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--material", type=Path, required=True)
    parser.add_argument("--renders", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("runs") / "photograph-words")
    asked = parser.parse_args()
    rows = measure_reading(asked.material, load_model_set("pocket"))
    for row in rows:
        row["sentence"] = search(asked.material, row, asked.renders, asked.out)
        row["has noun"] = row["sentence"] is not None and _names(row["sentence"], row["true"])
        print(f"{row['photograph']}: {row['true']}, read {row['read']}: {row['sentence']}")
    right = sum(row["read"] == row["true"] for row in rows)
    named = sum(row["has noun"] for row in rows)
    figures = {
        "noun read right": share(right / len(rows), len(rows)).document(),
        "sentence has the noun": share(named / len(rows), len(rows)).document(),
    }
    write_json(RESULT, {"renders": asked.renders, **figures, "photographs": rows})
    print(f"noun read right in {right} of {len(rows)}; sentence has the noun in {named}")


def _names(sentence: str, noun: str) -> bool:
    grammar = load_grammar("pocket-nouns")
    return grammar.decode(grammar.parse(sentence))["Noun"] == noun


if __name__ == "__main__":
    main()
