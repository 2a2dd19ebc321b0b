"""Run folders that hold what a search found, without a search."""

from pathlib import Path

from PIL import Image

from rldf.grammar.grammar import load_grammar
from rldf.runs.folder import RunFolder
from rldf.runs.records import Step

ROOT = Path(__file__).parents[3]
DRAWN = str(ROOT / "tests" / "drawn.yaml")
SENTENCE = "a photo of one dog and no people in a park"
WORSE = "a photo of many cars and no people on a street"


def step(number: int, sentence: str, reward: float, encoding: tuple[int, ...]) -> Step:
    return Step(
        step=number, episode=1, encoding=encoding, sentence=sentence, action=0, reward=reward,
        distance=None, new=True, renders=number, terminal=False, seed=0,
    )  # fmt: skip


def found_run(
    path: Path,
    sentences: dict[str, float] | None = None,
    *,
    grammar: str = "base",
    models: str = DRAWN,
    status: str = "done",
    cell: tuple[int, ...] | None = None,
) -> Path:
    """Write a run that saw these sentences; `cell` stands for encodings of a smaller grid."""
    seen = {WORSE: 0.5, SENTENCE: 2.0} if sentences is None else sentences
    config = {"image": "dog.png", "image_seed": 0, "grammar": grammar, "models": models}
    identity = {"model_set": {"name": "other", "generator": {"class": "other"}}}
    words = load_grammar("base")
    with RunFolder.create(path, config | identity, ["rldf", "search"], 0) as run:
        run.save_input(Image.new("RGB", (32, 32), "white"))
        for number, (sentence, reward) in enumerate(seen.items(), start=1):
            run.append(step(number, sentence, reward, cell or words.parse(sentence)))
        if status != "running":
            run.finish(status, None)
    return path
