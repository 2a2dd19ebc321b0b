"""Does the picture follow the word? Weather, time and style of found sentences, read back by CLIP.

`python benchmarks/control.py [--sentences 10] [-n 4] [--axes Weather,Time,Style] [--work DIR]`

Fresh drawings are searched for with grammar base; each found sentence is read in grammar pocket,
and each axis slides while all else stays. The upper bound is the same with the world's own renderer
in the generator's place: what CLIP misreads there is no fault of the generator. Everything lies in
--work, and the same command goes on with it. JSON goes to --out, a table to stdout.
"""

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

from rldf.experiments.applications.common import found_sentence
from rldf.experiments.applications.control import Control, control, planned, read_back
from rldf.grammar.grammar import load_grammar
from rldf.io.images import write_png
from rldf.models.model_sets import ModelSet, load_model_set
from rldf.perception.encoder import Encoder
from rldf.pocket.world.drawing import draw
from rldf.pocket.world.sampling import CHECK_SEEDS, sample_encoding
from rldf.runs.config import SearchConfig, build_search
from rldf.runs.result import RunResult, in_words_of, read_result
from rldf.seeding import rng
from rldf.stats import wilson

_BOUND_SEED = CHECK_SEEDS + 500_000


def found_sentences(work: Path, count: int, models: str) -> list[RunResult]:
    """Search for fresh drawings.

    Args:
        work: folder for inputs and runs.
        count: how many.
        models: name or path of the set that searches.

    Returns:
        What was found, in the words of grammar pocket.
    """
    base, model_set, found = load_grammar("base"), load_model_set(models), []
    (work / "inputs").mkdir(parents=True, exist_ok=True)
    for k in range(count):
        image = work / "inputs" / f"{k:03d}.png"
        sentence = base.derive(sample_encoding(base, rng(CHECK_SEEDS, "control", k)))
        write_png(image, draw(sentence, CHECK_SEEDS + k).image)
        run = work / "runs" / f"{k:03d}"
        settings = SearchConfig(image=str(image), models=models, agent="planner")
        found_sentence(run, build_search(settings, model_set))
        found.append(in_words_of(read_result(run), "pocket"))
    return found


def bound(asked: Control) -> list[bool]:
    """Read the renderer's own drawings of the same sentences back.

    Args:
        asked: what was drawn by the generator.

    Returns:
        Whether the value that was asked for is read, picture by picture.
    """
    requests = planned(asked)
    images = [
        draw(request.sentence, _BOUND_SEED + k % asked.n).image
        for k, request in enumerate(requests)
    ]
    cells, encoder = (
        [request.encoding for request in requests],
        Encoder(asked.found.grammar, asked.models),
    )
    reads = read_back(encoder, asked.models, asked.number, images, cells)
    return [read.value == cell[asked.number] for read, cell in zip(reads, cells, strict=True)]


def measure(
    found: list[RunResult], models: ModelSet, axes: list[str], n: int, work: Path
) -> list[dict[str, Any]]:
    """Slide every axis of every sentence.

    Args:
        found: the sentences.
        models: what draws and reads.
        axes: symbols of the axes.
        n: pictures of a value.
        work: folder for the pictures.

    Returns:
        A row for each value, and one with value "all" for each axis.
    """
    rows = []
    for axis in axes:
        hits: Counter[str] = Counter()
        exact: Counter[str] = Counter()
        names: list[str] = []
        for k, sentence in enumerate(found):
            asked = Control(found=sentence, models=models, axis=axis, n=n)
            result = control(asked, work / models.file.name / axis / f"{k:03d}")
            names = [row.value for row in result.figures.rows]
            hits.update({row.value: row.rate.hits for row in result.figures.rows})
            for i, right in enumerate(bound(asked)):
                exact[names[i // n]] += right
        of = n * len(found)
        rows += [_row(axis, name, hits[name], exact[name], of) for name in names]
        rows.append(_row(axis, "all", hits.total(), exact.total(), of * len(names)))
    return rows


def _row(axis: str, value: str, hits: int, exact: int, of: int) -> dict[str, Any]:
    low, high = wilson(hits, of)
    return {
        "axis": axis,
        "value": value,
        "hits": hits,
        "of": of,
        "rate": round(hits / of, 4),
        "ci_low": round(low, 4),
        "ci_high": round(high, 4),
        "renderer": round(exact / of, 4),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=10)
    parser.add_argument("-n", type=int, default=4, help="pictures of a value and sentence")
    parser.add_argument("--axes", default="Weather,Time,Style")
    parser.add_argument("--models", default="pocket", help="what draws and reads")
    parser.add_argument("--search-models", default="pocket", help="what searches")
    parser.add_argument("--work", type=Path, default=Path("control-bench"))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    found = found_sentences(asked.work, asked.sentences, asked.search_models)
    models = load_model_set(asked.models)
    rows = measure(found, models, asked.axes.split(","), asked.n, asked.work)
    if asked.out:
        document = {"sentences": [one.sentence for one in found], "rows": rows}
        asked.out.write_text(json.dumps(document, indent=1) + "\n")
    for row in rows:
        print(
            f"{row['axis']:8} {row['value']:14} {row['hits']:4} of {row['of']:4} "
            f"{row['rate']:.3f} ({row['ci_low']:.3f} to {row['ci_high']:.3f})  "
            f"renderer {row['renderer']:.3f}"
        )


if __name__ == "__main__":
    main()
