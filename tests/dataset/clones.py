"""Small clones for tests: the drawn world's plan, and a generator that costs nothing."""

import hashlib
import json
import zlib
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from rldf.dataset.build import BuildResult, make_clone
from rldf.dataset.config import imagenet_config
from rldf.dataset.filters import blank_filter
from rldf.dataset.layout import CloneFolder, enter_folder
from rldf.dataset.plan import make_plan
from rldf.dataset.record import WriteConfig, new_record
from rldf.dataset.render import Renderer
from rldf.dataset.sharding import ShardSlice
from rldf.interfaces import ImageGenerator
from rldf.models.model_sets import load_model_set

DRAWN = str(Path(__file__).parents[1] / "drawn.yaml")
ALONE = ShardSlice()
SPLITS = {"train": 10, "val": 3, "test": 2}


class Speckled(ImageGenerator):
    """Draws noise that follows from sentence and seed, and remembers what it was asked for."""

    identity = None

    def __init__(self) -> None:
        self.identity = {"generator": "speckled"}
        self.asked: list[list[tuple[str, int]]] = []

    def generate(self, sentences, seeds):
        pairs = list(zip(sentences, seeds, strict=True))
        self.asked.append(pairs)
        return [self.draw(sentence, seed) for sentence, seed in pairs]

    def draw(self, sentence, seed):
        rng = np.random.default_rng(zlib.crc32(f"{seed} {sentence}".encode()))
        return Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8))

    @property
    def n_drawn(self):
        return sum(len(batch) for batch in self.asked)


def plan_config(classes=3, splits=SPLITS, **options):
    """Configure a small plan; reading the grammar takes longer than all else, so once each."""
    return _config(classes, tuple(splits.items()), tuple(options.items()))


@cache
def _config(classes, splits, options):
    models = load_model_set(DRAWN, "cpu")
    return imagenet_config(models, classes=str(classes), splits=dict(splits), **dict(options))


def write_config(**changed):
    told = {
        "format": "imagefolder",
        "shard_size": 16,
        "attempts": 4,
        "verify_labels": None,
        "safety_checker": "none",
        "source_type": "algorithmicMedia",
        "license": "CC0-1.0",
        "numbering": "split",
    }
    return WriteConfig.model_validate(told | changed)


def begin(root: Path, config=None, **write) -> CloneFolder:
    """Enter a clone's folder."""
    return enter_folder(root, new_record(config or plan_config(), write_config(**write)))


def renderer(generator=None, filter=blank_filter, batch_size=4, attempts=4) -> Renderer:
    return Renderer(
        generator=generator or Speckled(),
        filter=filter,
        batch_size=batch_size,
        attempts=attempts,
    )


def draw(folder: CloneFolder, who: Renderer | None = None, part=ALONE, **telling) -> BuildResult:
    """Draw what is missing of a clone."""
    return make_clone(folder, make_plan(folder.record.plan), who or renderer(), part, **telling)


def clone(root: Path, who: Renderer | None = None, config=None, **write) -> CloneFolder:
    """Make a whole clone."""
    folder = begin(root, config, **write)
    draw(folder, who)
    return folder


def contents(root: Path) -> dict[str, str]:
    """Sum up all files of a clone but what tells of the work, its times and the program."""
    passing = ("log.jsonl", "locks/", "journal/")
    return {
        name: hashlib.sha256(_lasting(path)).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and not (name := path.relative_to(root).as_posix()).startswith(
            tuple(f".rldf/{start}" for start in passing)
        )
    }


def _lasting(path: Path) -> bytes:
    if path.name != "clone.json":
        return path.read_bytes()
    record = json.loads(path.read_text())
    return json.dumps({key: record[key] for key in ("plan", "write")}).encode()
