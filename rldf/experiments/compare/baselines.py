"""Other ways to a prompt, each with as many pictures as the search.

A rival names all of its pictures before one is drawn: it has no feedback. Either it has one
sentence, which is drawn with one image seed after the other, or many sentences with one seed.
Only `split`, in `rldf.experiments.compare.runner`, is a search too: it keeps half of its renders
for image seeds.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from rldf import seeding as seeds
from rldf.errors import UsageError
from rldf.experiments.compare.captions import Captioner
from rldf.experiments.compare.pez import hard_prompt
from rldf.experiments.compare.score import Prompt
from rldf.grammar.encoding import Encoding
from rldf.grammar.grammar import Grammar
from rldf.gridworld import Gridworld
from rldf.interfaces import ImageTextModel

SPLIT = "split"
"""The rival that searches with half of the renders, and draws what it found with the rest."""

EXHAUSTIBLE = 10_000
"""The most cells that the rival `exhaustive` draws."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One input image, as a rival may see it.

    Attributes:
        image: the input, RGB.
        vector: (d,) its CLIP embedding, of length 1.
        sentence: what the encoder reads in it, None where the grammar has no word for it.
        key: tells the image from others; the random rival draws other cells for each.
        grammar: whose cells are searched.
        clip: what compares images and texts.
        captioner: describes images; None where no rival asks for captions.
        renders: how many pictures may be drawn.
        seed: of what is left to chance.
        image_seed: the first image seed.
    """

    image: Image
    vector: NDArray[np.float32]
    sentence: str | None
    key: str
    grammar: Grammar
    clip: ImageTextModel
    captioner: Captioner | None
    renders: int
    seed: int
    image_seed: int


def rival_prompts(name: str, case: Case) -> list[Prompt]:
    """Name the pictures of a rival.

    Args:
        name: of the rival.
        case: the input.

    Returns:
        What it draws; nothing where it has no sentence for this image.
    """
    if name in SENTENCES:
        sentence = SENTENCES[name](case)
        last = case.image_seed + case.renders
        return [Prompt(sentence, s) for s in range(case.image_seed, last)] if sentence else []
    return [Prompt(case.grammar.derive(cell), case.image_seed) for cell in CELLS[name](case)]


def check_rivals(names: tuple[str, ...]) -> None:
    """Refuse rivals that do not exist.

    Args:
        names: what was asked for.

    Raises:
        UsageError: there is no such rival, one is named twice, or none at all.
    """
    known = [*SENTENCES, *CELLS, SPLIT]
    for name in names:
        if name not in known:
            raise UsageError(
                f"--rivals: no rival '{name}': name some of {', '.join(known)}, with commas"
            )
    if not names or len(set(names)) < len(names):
        raise UsageError(
            f"--rivals {','.join(names)}: name one or more of {', '.join(known)}, each once"
        )


def check_exhaustible(grammar: Grammar) -> None:
    """Refuse to draw all cells of a large world.

    Args:
        grammar: whose cells.

    Raises:
        UsageError: there are too many.
    """
    if grammar.n_states > EXHAUSTIBLE:
        raise UsageError(
            f"--rivals exhaustive: grammar {grammar.name} has {grammar.n_states} cells, at most "
            f"{EXHAUSTIBLE} are drawn: name random instead"
        )


def _read(case: Case) -> str | None:
    return case.sentence


def _caption(case: Case) -> str | None:
    assert case.captioner is not None, "made where the rival caption is asked for"
    return case.captioner.caption(case.image)


def _gradient(case: Case) -> str | None:
    return hard_prompt(case.clip, case.vector, seeds.derive(case.seed, case.key))


def _random_cells(case: Case) -> Iterator[Encoding]:
    """Draw distinct cells, each set with the same probability."""
    world = Gridworld(case.grammar.shape)
    if world.n_states <= case.renders:
        yield from world.states()
        return
    rng, seen = seeds.rng(case.seed, "random rival", case.key), set[Encoding]()
    while len(seen) < case.renders:
        cell = world.random_state(rng)
        if cell not in seen:
            seen.add(cell)
            yield cell


def _all_cells(case: Case) -> Iterator[Encoding]:
    yield from Gridworld(case.grammar.shape).states()


SENTENCES: dict[str, Callable[[Case], str | None]] = {
    "encoder": _read,
    "caption": _caption,
    "pez": _gradient,
}
"""Rivals with one sentence."""

CELLS: dict[str, Callable[[Case], Iterator[Encoding]]] = {
    "random": _random_cells,
    "exhaustive": _all_cells,
}
"""Rivals with many sentences of the grammar, all drawn with one image seed."""
