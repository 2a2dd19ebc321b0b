"""Many pictures of a found sentence, with some of its axes varied (paper, applications)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from rldf import seeding as seeds
from rldf.agents.cover import latin_cover
from rldf.errors import UsageError
from rldf.experiments.applications.common import IMAGES, Shot, check_count, draw_shots, image_seed
from rldf.io.images import write_png
from rldf.io.workdir import ResultFolder
from rldf.models.model_set import ModelSet
from rldf.report.images import Tile, picture_grid
from rldf.search.result import SearchResult

SHEET = "sheet.png"
_COLUMNS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """Pictures that are to be made.

    Attributes:
        found: the sentence, in the words of a grammar that has the varied axes.
        models: what draws.
        n: how many pictures.
        vary: symbols of the axes whose values change from picture to picture.
        seed: of the choice of values and of the pictures.
    """

    found: SearchResult
    models: ModelSet
    n: int
    vary: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what was asked for.

        Raises:
            UsageError: the number makes no sense, or an axis is named twice.
            GrammarError: the grammar has no such axis.
        """
        check_count(self.n)
        for symbol in self.vary:
            self.found.axis_number(symbol)
        if len(set(self.vary)) < len(self.vary):
            raise UsageError(f"--vary {','.join(self.vary)}: name each axis once")

    def config(self) -> dict[str, Any]:
        """Give all that decides the pictures.

        Returns:
            As JSON can say it.
        """
        return {
            "command": "generate",
            **self.found.document(),
            "drawn_with": self.models.identity(),
            "n": self.n,
            "vary": list(self.vary),
            "seed": self.seed,
        }


def planned(generation: Generation) -> list[Shot]:
    """Choose the sentence and the seed of every picture.

    Each value of a varied axis is shown equally often, give or take one, as far as there are
    enough pictures; axes are shuffled apart from one another.

    Args:
        generation: what was asked for.

    Returns:
        The pictures to draw.
    """
    found, n = generation.found, generation.n
    places = [found.axis_number(symbol) for symbol in generation.vary]
    rng = seeds.rng(generation.seed, "vary")
    # A column of n more rows makes the cover n long.
    cover = latin_cover((*(found.grammar.shape[i] for i in places), n), rng)[:n]
    shots = []
    for k, values in enumerate(cover):
        chosen = dict(zip(places, values, strict=False))
        encoding = tuple(chosen.get(i, value) for i, value in enumerate(found.encoding))
        sentence = found.grammar.derive(encoding)
        file = f"{IMAGES}/{k:04d}.png"
        shots.append(Shot(file, encoding, sentence, image_seed(generation.seed, k)))
    return shots


def generate(
    generation: Generation, out: Path, progress: Callable[[int], None] = lambda n: None
) -> dict[str, Any]:
    """Draw the pictures, a contact sheet and a manifest; done again, it goes on.

    Args:
        generation: what was asked for.
        out: the output folder.
        progress: told how many pictures are there.

    Returns:
        The result, as JSON can say it.

    Raises:
        RunError: the folder holds something else.
    """
    folder, shots = ResultFolder(out, generation.config()), planned(generation)
    with folder.filling():
        images = draw_shots(generation.models, shots, out, progress)
        write_png(out / SHEET, _sheet(generation, shots, images))
        grammar = generation.found.grammar
        result = {
            "run": str(generation.found.run),
            "warnings": list(generation.found.notes),
            "images": [shot.document(grammar) for shot in shots],
        }
        folder.finish(result)
    return {"out": str(out), "sheet": str(out / SHEET), **generation.config(), **result}


def _sheet(
    generation: Generation, shots: Sequence[Shot], images: Sequence[Image.Image]
) -> Image.Image:
    tiles = []
    for shot, image in zip(shots, images, strict=True):
        words = generation.found.grammar.decode(shot.encoding)
        tiles.append(Tile(image, ", ".join(words[symbol] for symbol in generation.vary)))
    rows = [tiles[i : i + _COLUMNS] for i in range(0, len(tiles), _COLUMNS)]
    return picture_grid(rows)
